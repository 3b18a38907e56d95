"""From settings to backups: the operations, when they start by themselves, the watch over them, the gate."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import structlog
from pydantic import JsonValue

from bot.alerting import Alerting, Ground
from bot.domain.audit import GUARDIAN
from bot.domain.backup.gate import Uncovered
from bot.engine.operations.contract import Operation, OperationRefused
from bot.engine.operations.desk import OperationDesk
from bot.store.errors import StoreUnavailable
from messages.backup_facts import BackupStatusFacts
from messages.operation_facts import OperationProblemFacts, OperationRefusedFacts

if TYPE_CHECKING:
    from bot.engine.operations.backup.desk import Scheduled
    from bot.vaults import Keepers

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
        self._keepers: Keepers | None = None
        section, secrets = ground.settings.backup, ground.outside.backup
        if section is not None and secrets is not None:
            from bot.vaults import keepers_of

            self._keepers = keepers_of(ground, alerting, section, secrets)

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations by name; none without backups."""
        return {} if self._keepers is None else self._keepers.operations

    async def covered(
        self, touched: Sequence[str], at: datetime | None = None
    ) -> Mapping[str, datetime] | OperationRefused:
        """For each of these paths when the verified backup was taken that has it; or why work on them must
        not begin. `at`: the moment of a plan that is made anew."""
        if self._keepers is None:
            return OperationRefused("no_backup", why="not_configured", facts={})
        found = await self._keepers.answers.covered(touched, at)
        if isinstance(found, Uncovered):
            facts: dict[str, JsonValue] = {"what": found.what, **found.values}
            return OperationRefused("no_backup", why=found.reason, facts=facts)
        return found.saved_at

    async def status(self, command: str) -> BackupStatusFacts | None:
        """How the backups stand; None without any. Raises StoreUnavailable."""
        return None if self._keepers is None else await self._keepers.answers.facts(command)

    def attach(self, desk: OperationDesk, tell_refused: TellRefused) -> None:
        """Let schedules ask that desk. `tell_refused` is told what came of it."""
        self._desk, self._tell_refused = desk, tell_refused

    async def look(self) -> frozenset[str]:
        """Tell the desk of alerts how the backups stand, where that is news; the sources that stand badly."""
        if self._keepers is None:
            return frozenset()
        await self._keepers.watch.look(self._ground.clock())
        return self._keepers.watch.told

    async def run(self) -> None:
        """Start what is scheduled and look how the backups stand, for ever."""
        if self._keepers is None:
            return
        from bot.vaults import scheduler_of

        scheduler = scheduler_of(self._keepers.answers, self._ground.settings.zone, self._start)
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
