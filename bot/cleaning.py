"""From settings to cleanups: the operation, its way back, the scan beside its plan, and the purge."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from bot.alerting import Alerting, Ground
from bot.config.cleanup import CleanupSettings
from bot.domain.cleanup.health import Measure
from bot.domain.cleanup.rules import FILE_STAGES
from bot.domain.levels import Level
from bot.domain.operations.approval import State
from bot.domain.operations.plan import JsonObject
from bot.domain.operations.record import OperationRecord, StepRecord, StepState
from bot.engine.operations.contract import Operation, OperationRefused
from bot.engine.operations.desk import OperationDesk
from bot.engine.operations.lazily import Lazily
from bot.store.errors import StoreUnavailable
from bot.store.operations import OperationStore
from messages.cleanup_facts import CleanupScanFacts, ScanDiskFacts
from messages.facts import Facts

if TYPE_CHECKING:
    from bot.domain.cleanup.scan import DeepScan
    from bot.engine.operations.cleanup import Cleanup

log = structlog.get_logger(__name__)

CLEANUP, UNDO = "cleanup", "cleanup_undo"
"""The operations' names."""

_PURGE_EVERY_SECONDS = 600.0
_REMEMBERED = 200
"""of undone cleanups: their cards offer no way back any more"""
_REDRAWN = timedelta(days=2)
"""so long after its time is over a card is drawn without its button"""


class Cleaning:
    """What the Guardian cleans up, and how that comes back."""

    def __init__(
        self,
        ground: Ground,
        alerting: Alerting,
        backed_up: Callable[
            [Sequence[str], datetime | None], Awaitable[Mapping[str, datetime] | OperationRefused]
        ],
    ) -> None:
        settings = ground.settings
        self._ground = ground
        self._clock = ground.clock
        self._store = OperationStore(ground.database)
        self._alerting = alerting
        self._backed_up = backed_up
        self._subject = f"host:{settings.name}"
        self._folder = settings.state_directory / "cleanup"
        self._rules = settings.cleanup.rules(_own(settings.state_directory, settings.cleanup))
        self._made: Cleanup | None = None
        self.operations: Mapping[str, Operation] = {
            CLEANUP: Lazily(CLEANUP, self._cleanup),
            UNDO: Lazily(UNDO, self._undo),
        }
        self._undone: dict[int, int] = {}
        """the operation that undid a cleanup, by its number"""
        self.redraw: Callable[[OperationRecord], Awaitable[None]] | None = None
        """draws a card again; None until there is a desk"""

    def _cleanup(self) -> Cleanup:
        if self._made is None:
            from bot.engine.operations.cleanup import Cleanup
            from bot.engine.operations.health import Health

            self._made = Cleanup(
                self._rules,
                self._subject,
                self._folder,
                self._backed_up,
                self._troubles,
                Health(self._ground.probes, self._ground.rules, self._clock),
                self._clock,
            )
        return self._made

    def _undo(self) -> Operation:
        from bot.engine.operations.cleanup_undo import CleanupUndo

        return CleanupUndo(self._cleanup(), self._subject)

    async def load(self) -> None:
        """Read which cleanups have been undone. Raises StoreUnavailable."""
        for record in await self._store.latest(_REMEMBERED, UNDO):
            self._remember(record)

    def attach(self, desk: OperationDesk) -> None:
        """Let the cards of that desk offer the way back."""
        desk.shown.undo_until = self.undo_until
        desk.shown.undone_by = lambda record: self._undone.get(record.id)
        self.redraw = desk.redraw

    def undo_until(self, record: OperationRecord) -> datetime | None:
        """Until when what a cleanup moved can be brought back; None when nothing can."""
        over = record.state in (State.DONE, State.PARTIAL, State.STOPPED, State.FAILED, State.UNDONE)
        if record.plan.operation != CLEANUP or not over or record.id in self._undone:
            return None
        if not any(map(has_kept, record.steps)) or record.ended_at is None:
            return None
        until = record.ended_at + self._rules.quarantine_for
        return until if until > self._clock() else None

    async def ended(self, record: OperationRecord) -> None:
        """A run is over: if it was a way back, the cleanup that it undid has none any more. Raises
        StoreUnavailable."""
        number = self._remember(record)
        undone = None if number is None else await self._store.get(number)
        if undone is not None and self.redraw is not None:
            await self.redraw(undone)

    async def scan(self, request: JsonObject) -> tuple[str, Facts]:
        """What the machine looks like, for the thread of a plan. Raises OperationRefused."""
        return "cleanup_scan", _facts(await self._cleanup().deep_scan(request))

    async def run(self) -> None:
        """Purge what has been in quarantine long enough, for ever."""
        while True:
            try:
                if await asyncio.to_thread(self._keeps_anything):
                    tally = await self._cleanup().purge(self._clock())
                    if tally.done:
                        log.info("quarantine_purged", files=tally.done, bytes=tally.bytes)
                        await self._without_buttons()
            except StoreUnavailable as error:
                log.warning("cards_not_drawn", detail=error.detail)
            except Exception:  # one purge that failed must not be the last
                log.exception("quarantine_not_purged")
            await asyncio.sleep(_PURGE_EVERY_SECONDS)

    def _keeps_anything(self) -> bool:
        """Whether there is a quarantine or a list at all."""
        roots = self._rules.roots_of(FILE_STAGES)
        return self._folder.exists() or any(os.path.lexists(root.quarantine_path) for root in roots)

    async def _without_buttons(self) -> None:
        now = self._clock()
        for record in await self._store.latest(_REMEMBERED, CLEANUP):
            over = record.ended_at is not None and record.ended_at + self._rules.quarantine_for
            if over and over <= now <= over + _REDRAWN and self.redraw is not None:
                await self.redraw(record)

    def _remember(self, record: OperationRecord) -> int | None:
        number = record.request.get("run")
        if record.plan.operation != UNDO or record.state is not State.DONE or not isinstance(number, int):
            return None
        self._undone[number] = record.id
        return number

    async def _troubles(self) -> frozenset[Measure]:
        """What is wrong just now: the critical alerts."""
        return frozenset(
            Measure(alert.subject.metric, alert.subject.target)
            for alert in self._alerting.desk.each_open()
            if alert.level >= Level.CRITICAL
        )


def has_kept(step: StepRecord) -> bool:
    """Whether a stage has files in quarantine: those that it moved, or that could not be brought back."""
    moved = step.result.get("moved")
    return step.state is StepState.STUCK or (
        step.state is StepState.DONE and isinstance(moved, int) and moved > 0
    )


def _own(state: Path, cleanup: CleanupSettings) -> tuple[Path, ...]:
    """Directories of our own, which no stage enters: all of the state, but for what was made in it to be
    cleaned up (the trial's playground)."""
    roots = [Path(root.path) for stage in (cleanup.logs, cleanup.temporary) for root in stage.roots]
    if not any(state in root.parents for root in roots):
        return (state,)
    return tuple(state / name for name in ("slack", "cleanup", "backup"))


def _facts(scan: DeepScan) -> CleanupScanFacts:
    from bot.domain.cleanup.scan import risks_of

    return CleanupScanFacts(
        processes=scan.processes,
        largest=tuple((name, size) for name, _, size in scan.largest),
        memory_total=scan.memory.total,
        memory_available=scan.memory.available,
        disks=tuple(ScanDiskFacts(disk.path, disk.total, disk.free) for disk in scan.disks),
        connections=scan.connections,
        sessions=tuple((each.user, each.terminal) for each in scan.sessions),
        protected=dict(Counter(each.kind.value for each in scan.protected)),
        zombies=len(scan.zombies),
        unseen=scan.unseen,
        risks=tuple(risk.value for risk in risks_of(scan)),
    )
