"""What makes backups, put together from the configuration. Imported only where there is that section."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from bot.alerting import Alerting, Ground
from bot.config.backup import BackupSecrets, BackupSettings
from bot.engine.operations.backup.desk import BackupDesk, Scheduled
from bot.engine.operations.backup.now import BackupNow
from bot.engine.operations.backup.replace import ReplaceRepository
from bot.engine.operations.backup.restore import RestoreBackup
from bot.engine.operations.backup.vault import Vault
from bot.engine.operations.backup.verify import VerifyBackups
from bot.engine.operations.backup.watch import BackupWatch
from bot.engine.operations.contract import Operation
from bot.store.backups import BackupStore
from bot.tools.restic.restic import Restic

_FIRST = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Keepers:
    """The operations by name, who answers for the backups, and who watches them."""

    operations: Mapping[str, Operation]
    answers: BackupDesk
    watch: BackupWatch


def keepers_of(
    ground: Ground, alerting: Alerting, section: BackupSettings, secrets: BackupSecrets
) -> Keepers:
    """Everything that this section asks for."""
    vault = _vault(ground, section, secrets)
    made: tuple[Operation, ...] = (
        BackupNow(vault),
        VerifyBackups(vault),
        RestoreBackup(vault),
        ReplaceRepository(vault),
    )
    answers = BackupDesk(vault, section.scheduled(), section.within)
    watch = BackupWatch(
        answers, alerting.desk, ground.settings.environment, ground.voice.phrase, ground.clock()
    )
    return Keepers({each.name: each for each in made}, answers, watch)


def scheduler_of(
    answers: BackupDesk, zone: ZoneInfo, start: Callable[[Scheduled], Awaitable[None]]
) -> AsyncIOScheduler:
    """Calls `start` whenever something is due, once it is started itself."""
    scheduler = AsyncIOScheduler(
        timezone=zone, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
    )
    for each in answers.scheduled:
        scheduler.add_job(start, trigger_of(each.when, zone), args=[each], id=each.name)
    return scheduler


def _vault(ground: Ground, section: BackupSettings, secrets: BackupSecrets) -> Vault:
    folder = ground.settings.state_directory / "backup"
    return Vault(
        Restic(section.program, folder, ground.environment, section.patience()),
        secrets.repositories(section),
        section.sources_of(),
        BackupStore(ground.database),
        ground.environment,
        replace(section.rules(folder, ground.settings.zone), subject=f"host:{ground.settings.name}"),
        ground.clock,
    )


def trigger_of(when: str | timedelta, zone: ZoneInfo) -> CronTrigger | IntervalTrigger:
    """When that comes: a crontab line of that zone, or an interval. Intervals count from midnight of a day
    long ago and not from our start: one that is started anew every day backs up every two days, too."""
    if isinstance(when, timedelta):
        return IntervalTrigger(seconds=when.total_seconds(), start_date=_FIRST, timezone="UTC")
    return CronTrigger.from_crontab(when, timezone=zone)
