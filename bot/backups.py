"""From settings to backups: the operations, when they start by themselves, the watch over them, the gate."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from bot.alerting import Alerting, Ground
from bot.config.backup import BackupSecrets, BackupSettings
from bot.domain.audit import GUARDIAN
from bot.engine.operations.backup.desk import BackupDesk, Scheduled
from bot.engine.operations.backup.now import BackupNow
from bot.engine.operations.backup.restore import RestoreBackup
from bot.engine.operations.backup.vault import Vault
from bot.engine.operations.backup.verify import VerifyBackups
from bot.engine.operations.backup.watch import BackupWatch
from bot.engine.operations.contract import Operation, OperationRefused
from bot.engine.operations.desk import OperationDesk
from bot.store.backups import BackupStore
from bot.store.errors import StoreUnavailable
from bot.tools.restic.restic import Restic
from messages.backup_facts import BackupStatusFacts
from messages.operation_facts import OperationProblemFacts, OperationRefusedFacts

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 60.0
"""between two looks at how the backups stand"""


TellRefused = Callable[[str, OperationProblemFacts | None], Awaitable[None]]
"""What came of something scheduled: its operation, and why there was no plan (None: there was)."""


class Backups:
    """The backups of the configuration; without that section there are none, and nothing is covered."""

    def __init__(self, ground: Ground, alerting: Alerting) -> None:
        self._ground = ground
        self._desk: OperationDesk | None = None
        self._tell_refused: TellRefused | None = None
        self.operations: Mapping[str, Operation] = {}
        self.answers: BackupDesk | None = None
        self._watch: BackupWatch | None = None
        section, secrets = ground.settings.backup, ground.outside.backup
        if section is None or secrets is None:
            return
        vault = _vault(ground, section, secrets)
        made: tuple[Operation, ...] = (BackupNow(vault), VerifyBackups(vault), RestoreBackup(vault))
        self.operations = {each.name: each for each in made}
        self.answers = BackupDesk(vault, section.scheduled(), section.within)
        environment, say = ground.settings.environment, ground.voice.phrase
        self._watch = BackupWatch(self.answers, alerting.desk, environment, say, ground.clock())

    async def covered(self, touched: Sequence[str]) -> OperationRefused | None:
        """Why work on these paths must not begin; None when all of them have a verified backup that is young
        enough."""
        if self.answers is None:
            return OperationRefused("no_backup", why="not_configured", facts={})
        found = await self.answers.covered(touched)
        if found is None:
            return None
        return OperationRefused("no_backup", why=found.reason, facts={"what": found.what, **found.values})

    async def status(self, command: str) -> BackupStatusFacts | None:
        """How the backups stand; None without any. Raises StoreUnavailable."""
        return None if self.answers is None else await self.answers.facts(command)

    def attach(self, desk: OperationDesk, tell_refused: TellRefused) -> None:
        """Let schedules ask that desk. `tell_refused` is told what came of it."""
        self._desk, self._tell_refused = desk, tell_refused

    async def look(self) -> bool:
        """Tell the desk of alerts how the backups stand, where that is news; whether any stands badly."""
        if self._watch is None:
            return False
        await self._watch.look(self._ground.clock())
        return self._watch.has_told

    async def run(self) -> None:
        """Start what is scheduled and look how the backups stand, for ever."""
        if self.answers is None:
            return
        scheduler = AsyncIOScheduler(
            timezone=self._ground.settings.zone,
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        for each in self.answers.scheduled:
            scheduler.add_job(self._start, _trigger(each, self._ground), args=[each], id=each.name)
        scheduler.start()
        try:
            while True:
                await self.look()
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            scheduler.shutdown(wait=False)

    async def _start(self, due: Scheduled) -> None:
        """A schedule has come: the operation is asked for, and approved by that."""
        if self._desk is None:
            return
        try:
            asked = await self._desk.ask(due.operation, due.request, GUARDIAN, approved=True)
        except StoreUnavailable as error:
            log.error("scheduled_not_started", schedule=due.name, detail=error.detail)
            return
        problem = asked.problem if isinstance(asked, OperationRefusedFacts) else None
        if problem is not None:
            log.error("scheduled_not_started", schedule=due.name, reason=problem.reason)
        if self._tell_refused is not None:
            await self._tell_refused(due.operation, problem)


def _vault(ground: Ground, section: BackupSettings, secrets: BackupSecrets) -> Vault:
    folder = ground.settings.state_directory / "backup"
    return Vault(
        Restic(section.program, folder / "cache", ground.environment, section.patience()),
        secrets.repositories(section),
        section.sources_of(),
        BackupStore(ground.database),
        ground.environment,
        section.rules(folder, ground.settings.zone),
        ground.clock,
    )


def _trigger(due: Scheduled, ground: Ground) -> CronTrigger | IntervalTrigger:
    if isinstance(due.when, timedelta):
        return IntervalTrigger(seconds=due.when.total_seconds(), timezone="UTC")
    return CronTrigger.from_crontab(due.when, timezone=ground.settings.zone)
