"""Backups that are proven: the operations, and the desk that answers for them."""

from bot.engine.operations.backup.desk import BackupDesk
from bot.engine.operations.backup.now import BackupNow
from bot.engine.operations.backup.restore import RestoreBackup
from bot.engine.operations.backup.vault import Vault, VaultRules
from bot.engine.operations.backup.verify import VerifyBackups

__all__ = ["BackupDesk", "BackupNow", "RestoreBackup", "Vault", "VaultRules", "VerifyBackups"]
