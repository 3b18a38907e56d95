"""A Guardian on a virtual clock: real rules, desk, ledger and store, letters that arrive at once.

Time passes by jumps from one deadline to the next, never by waiting: a week takes seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from bot.domain.alerts.model import (
    Condition,
    Decision,
    Measured,
    Missed,
    Reported,
    Subject,
)
from bot.domain.alerts.surroundings import NO_LABELS
from bot.domain.inhibition import Inhibition
from bot.domain.levels import Level
from bot.domain.matchers import Matcher
from bot.domain.routing import default_routes
from bot.domain.silences import Silence, Wanted
from bot.engine.bucket import Allowance
from bot.engine.chronicle import Chronicle, NotedLedger
from bot.engine.deadlines import COVERS_EVERY, Deadlines
from bot.engine.delivery import Courier
from bot.engine.delivery_policy import DeliveryPolicy
from bot.engine.desk import AlertDesk, Observation
from bot.engine.maintenance import Maintenance
from bot.engine.outbox import Outbox
from bot.engine.reports import Report, ReportOutcome
from bot.engine.silences import MustConfirm, Refused, Silences
from bot.engine.surroundings import SurroundingsBook
from bot.engine.virtual import UNKNOWN_SOURCE, Channel, Sample, VirtualClock, World, source_of
from bot.store.database import Database
from bot.store.maintenance import MaintenanceStore
from bot.store.silences import SilenceStore
from bot.store.store import Store
from probes.base import Layer, Problem, ProblemKind
from probes.registry import HOST_PROBES, PROBES

IN_MEMORY = "sqlite+aiosqlite://"
_AT_ONCE = Allowance(per_second=1e9, burst=1_000_000)
_PATIENCE = 60.0
_MOMENT = timedelta(microseconds=1)
_IN_A_ROW = timedelta(minutes=5)


class Simulation:
    """A world to whom things happen. Everything happens at `clock.now`; `advance_to` moves that on."""

    def __init__(self, world: World, database: Database, begins: datetime, courier: Courier) -> None:
        """For `simulated`, which also starts it."""
        self.world = world
        self.clock = VirtualClock(begins)
        self.chronicle = Chronicle(begins)
        self.silences = Silences(SilenceStore(database), self.clock)
        self.maintenance = Maintenance(MaintenanceStore(database), self.clock, world.windows)
        self._store = Store(database)
        self._courier = courier
        self._subjects: dict[tuple[str, str, Condition], tuple[Subject, Layer]] = {}
        self._look_again_at: datetime | None = None
        self._seen_changes = -1
        self._sending: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin as a process does, with whatever is in the database. Raises StoreUnavailable."""
        world = self.world
        await self.silences.load()
        await self.maintenance.load()
        self.book = SurroundingsBook(
            world.routes or default_routes(world.channel),
            self.silences,
            self.maintenance,
            world.services,
            Inhibition(world.services, world.inhibit),
            world.duty,
            world.people,
        )
        self._ledger = NotedLedger(self._store, self.clock, self.chronicle)
        policy = DeliveryPolicy(posts=_AT_ONCE, edits=_AT_ONCE)
        self.outbox = Outbox(self._ledger, self._courier, self.clock, policy)
        self.desk = AlertDesk(self._ledger, self.outbox, self.clock, world.channel, world.rules, self.book)
        self._deadlines = Deadlines(self.desk, self.clock, lambda: self.book.covers_changed)
        await self.outbox.load()
        await self.desk.load()
        self._sending = asyncio.create_task(self.outbox.run())
        await self._settle()

    async def stop(self) -> None:
        """End as a killed process does: what is in the database stays as it is."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
            self._sending = None
        await self.outbox.drain(0)
        await self.outbox.close()

    async def restart(self, away: timedelta = timedelta(0)) -> None:
        """End, be away so long, and begin again on the same database."""
        await self.stop()
        self.clock.pass_until(self.clock.now + away)
        await self.start()

    async def advance_to(self, moment: datetime) -> None:
        """Let time pass until `moment`; whatever is due meanwhile happens when it is due."""
        while True:
            due = self._next_due()
            if due is None or due > moment:
                break
            self.clock.pass_until(due)
            if self._look_again_at is not None and self._look_again_at <= due:
                self._look_again_at = None
            elif due != self.desk.next_due():
                # What inhibits is only looked at so often: what has changed just now is seen then.
                self._look_again_at = due + COVERS_EVERY
            await self._settle(look=True)
        self.clock.pass_until(moment)
        self.chronicle.count_until(self.clock.now)

    async def advance(self, **by: float) -> None:
        """The same, by a length of time as `timedelta` takes it."""
        await self.advance_to(self.clock.now + timedelta(**by))

    async def step_clock(self, by: timedelta) -> None:
        """Somebody sets the clock; no time passes."""
        self.clock.now += by
        await self._settle(look=True)

    async def check(self, samples: Sequence[Sample]) -> list[Decision]:
        """What probes have measured now. The decisions, those about values first."""
        decisions = await self.desk.judge(self._observations(samples))
        await self._settle()
        return decisions

    async def reading(self, metric: str, target: str, value: float | None, at: datetime) -> None:
        """Let time pass until `at`, and then take one reading."""
        await self.advance_to(at)
        await self.check([Sample(metric, target, value)])

    async def report(
        self,
        title: str,
        target: str,
        level: Level = Level.CRITICAL,
        *,
        firing: bool = True,
        labels: Mapping[str, str] = NO_LABELS,
    ) -> ReportOutcome:
        """Another monitoring system says that something fails, or is over."""
        subject = Subject(self.world.environment, "webhook:other", title, target, Condition.REPORTED)
        event = Reported(firing, level, self.clock.now, title)
        outcome = await self.desk.report([Report(subject, labels, event)])
        await self._settle()
        return outcome

    async def acknowledge(self, alert_id: int, by: str, version: int | None = None) -> Decision:
        """Somebody presses 확인, on a card drawn for `version` (None: the present one)."""
        return await self._settled(await self.desk.acknowledge(alert_id, by, version))

    async def resolve(self, alert_id: int, by: str, version: int | None = None) -> Decision:
        """Somebody says that it is over."""
        return await self._settled(await self.desk.resolve(alert_id, by, version))

    async def write(self, alert_id: int, by: str) -> Decision:
        """Somebody writes in the alert's thread."""
        return await self._settled(await self.desk.active(alert_id, by))

    async def silence(
        self, matcher: Matcher, until: datetime, by: str, reason: str = "simulated"
    ) -> Silence | Refused:
        """Somebody asks for a silence from now on, and confirms it when asked."""
        wanted = Wanted(matcher, self.clock.now, until, by, reason)
        made = await self.silences.add(wanted, confirmed=True)
        await self._settle()
        if isinstance(made, MustConfirm):
            raise TypeError("what is confirmed is not asked for twice")
        return made

    async def lift(self, number: int, by: str) -> Silence | None:
        """Somebody lifts a silence."""
        lifted = await self.silences.lift(number, by)
        await self._settle()
        return lifted

    def _observations(self, samples: Sequence[Sample]) -> list[Observation]:
        """What a check means, as `bot.engine.monitor` has it: each value for its bands, and for each target
        whether there was any data at all."""
        at, every = self.clock.now, self.world.every
        in_a_row = max(_IN_A_ROW, 3 * every)
        apart = min(every, timedelta(seconds=15)) / 2
        found: list[Observation] = []
        blind: dict[tuple[str, str], tuple[str, bool]] = {}
        for sample in samples:
            whose = (source_of(sample.metric), sample.target)
            metric, is_blind = blind.get(whose, (sample.metric, True))
            blind[whose] = metric, is_blind and sample.value is None
            if sample.value is None:
                continue
            subject, layer = self._subject(sample.metric, sample.target, Condition.THRESHOLD)
            rule = self.world.rules.rule_for(sample.metric, sample.target, layer)
            if rule.bands is not None:
                measured = Measured(sample.value, at, in_a_row=in_a_row, apart=apart)
                found.append(Observation(rule, subject, measured))
        for (_, target), (metric, is_blind) in blind.items():
            subject, layer = self._subject(metric, target, Condition.NO_DATA)
            event: Measured | Missed = Measured(0.0, at, in_a_row=in_a_row, apart=apart)
            if is_blind:
                event = Missed(Problem(ProblemKind.FAILED), at, in_a_row, apart)
            found.append(Observation(self.world.rules.rule_for(metric, target, layer), subject, event))
        return found

    def _subject(self, metric: str, target: str, condition: Condition) -> tuple[Subject, Layer]:
        key = (metric, target, condition)
        if key not in self._subjects:
            probe = source_of(metric)
            layer = Layer.APPLICATION if probe == UNKNOWN_SOURCE else PROBES[probe].layer
            if condition is Condition.NO_DATA and probe != UNKNOWN_SOURCE:
                metric = next(iter(PROBES[probe].metrics))
            place = target.partition(":")[0] if probe in HOST_PROBES else target
            subject = Subject(self.world.environment, f"{probe}:{place}", metric, target, condition)
            self._subjects[key] = subject, layer
        return self._subjects[key]

    def _next_due(self) -> datetime | None:
        cover = self.book.next_cover_change(self.clock.now)
        # A cover holds at its last moment: what changes is seen just after it.
        moments = [self.desk.next_due(), cover + _MOMENT if cover is not None else None, self._look_again_at]
        return min((moment for moment in moments if moment is not None), default=None)

    async def _settled(self, decision: Decision) -> Decision:
        await self._settle()
        return decision

    async def _settle(self, *, look: bool = False) -> None:
        """Do what is due now, and wait until every letter has arrived. `look`: something else than a
        deadline of the desk may be due, such as the end of a cover, or the clock was set."""
        now, due, changes = self.clock.now, self.desk.next_due(), self.book.covers_changed
        if look or changes != self._seen_changes or (due is not None and due <= now):
            await self._deadlines.look(self.clock.elapsed)
            self._seen_changes = changes
        while self.outbox.unsent:
            await self.outbox.drain(_PATIENCE)
            await asyncio.sleep(0)


@asynccontextmanager
async def simulated(
    world: World, begins: datetime, courier: Courier | None = None, url: str = IN_MEMORY
) -> AsyncIterator[Simulation]:
    """A world that has begun at that moment, with an empty database in memory unless `url` names one."""
    database = await Database.open(url)
    try:
        simulation = Simulation(world, database, begins, courier or Channel())
        await simulation.start()
        try:
            yield simulation
        finally:
            await simulation.stop()
    finally:
        await database.close()
