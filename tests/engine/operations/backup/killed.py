"""A program that makes one approved backup with real durable runs and a real restic, and may be killed at any
moment: `python -m tests.engine.operations.backup.killed FOLDER`. It says `ready`, and how it ended.
"""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from bot.domain.backup.repositories import Place
from bot.domain.backup.sources import Source, SourceKind
from bot.domain.operations.approval import OPEN
from bot.engine.clock import utc_now
from bot.engine.operations.backup.now import BackupNow
from bot.engine.operations.backup.vault import Vault, VaultRules
from bot.engine.operations.durable import DbosRuns
from bot.store.backups import BackupStore
from bot.store.database import Database
from bot.tools.restic.repository import Repository
from messages.operation_facts import OperationAskedFacts
from tests.backups import ELSEWHERE, HASTY, local, restic
from tests.engine.operations.jobs import BOB, open_yard
from tests.engine.support import SetClock


def vault_in(folder: Path, store: BackupStore) -> Vault:
    """The hands for a folder with `local`, `offsite` (repositories) and `uploads` (what is backed up)."""
    offsite = Repository(
        Place.OFFSITE, str(folder / "offsite"), {"RESTIC_PASSWORD": ELSEWHERE}, may_delete=True
    )
    return Vault(
        restic(folder, replace(HASTY, orphans=timedelta(minutes=1))),
        [local(folder / "local"), offsite],
        [Source("uploads", SourceKind.USER_DATA, (str(folder / "uploads"),))],
        store,
        os.environ,
        VaultRules(folder / "state", ZoneInfo("Asia/Seoul"), same_medium=True),
        utc_now,
    )


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def main(folder: Path) -> None:
    """Go on with the backup that there is, or ask for one and approve it."""
    url = f"sqlite+aiosqlite:///{folder / 'guardian.db'}"
    database = await Database.open(url)
    backup = BackupNow(vault_in(folder, BackupStore(database)))
    async with open_yard(
        database,
        folder / "chest",
        SetClock(utc_now()),
        runs=lambda body: DbosRuns(url, body),
        operations={backup.name: backup},
    ) as yard:
        _say("ready")
        latest = await yard.store.latest(1)
        if not latest:
            asked = await yard.desk.ask(backup.name, {}, BOB, approved=True)
            assert isinstance(asked, OperationAskedFacts), asked
            latest = await yard.store.latest(1)
        record = latest[0]
        while (record := await yard.record(record.id)).state in OPEN:  # noqa: ASYNC110 - as in `until`
            await asyncio.sleep(0.01)
        await yard.audit.flush()
        _say(f"over {record.state.value}")
    await database.close()


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    asyncio.run(main(Path(sys.argv[1])))
