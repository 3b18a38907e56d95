"""From settings and a series to what would have happened: the world, the readings, the clicks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from itertools import groupby
from operator import attrgetter

from bot.cli.series import Row
from bot.cli.series_actions import Action, ActionKind
from bot.config import RuleBook, Settings
from bot.config.around import inhibit_rules_of, routes_of, services_of, windows_of
from bot.config.duty import schedules_of
from bot.domain.alerts.model import Alert
from bot.domain.oncall.duty import on_call
from bot.domain.oncall.model import Schedule
from bot.engine.chronicle import Chronicle
from bot.engine.silences import Refused
from bot.engine.simulation import Simulation, simulated
from bot.engine.virtual import Sample, World


@dataclass(frozen=True)
class Rota:
    """Who is on call by the configuration alone: nobody stands in for anybody in a simulation."""

    schedules: Mapping[str, Schedule]

    def on_call(self, schedule: str, now: datetime) -> str | None:
        """The handle or user id of whoever is on call; None if nobody is."""
        found = self.schedules.get(schedule)
        return None if found is None else on_call(found, (), now)[0]


class Handles:
    """People and groups by the names that the configuration gives them: nobody is looked up in Slack."""

    def id_of(self, handle: str) -> str | None:
        """The handle itself."""
        return handle

    def group_of(self, handle: str) -> str | None:
        """The handle itself."""
        return handle

    def name_of(self, user: str) -> str:
        """The handle itself."""
        return user


def world_of(settings: Settings, every: timedelta) -> World:
    """What surrounds the alerts, as the settings say."""
    return World(
        rules=RuleBook(settings),
        channel=settings.slack.alerts_channel,
        environment=settings.environment,
        routes=routes_of(settings),
        services=services_of(settings),
        inhibit=inhibit_rules_of(settings),
        windows=windows_of(settings),
        duty=Rota(schedules_of(settings)),
        people=Handles(),
        every=every,
    )


@dataclass(frozen=True, slots=True)
class Missing:
    """A click that came to nothing: there was no such alert, or its silence could not be."""

    at: datetime
    action: Action


@dataclass(frozen=True, slots=True)
class Replayed:
    """What happened. `missing` are clicks for which there was nothing to click on."""

    chronicle: Chronicle
    missing: tuple[Missing, ...] = ()


async def replay(world: World, rows: Iterable[Row], actions: Sequence[Action], begins: datetime) -> Replayed:
    """What is in the rows and among the actions happens in its order; readings of one moment come first."""
    missing: list[Missing] = []
    waiting = (Row(action.at, (), action) for action in sorted(actions, key=attrgetter("at")))
    ordered = merge(rows, waiting, key=attrgetter("at"))
    async with simulated(world, begins) as simulation:
        for at, together in groupby(ordered, key=attrgetter("at")):
            await simulation.advance_to(at)
            happening = list(together)
            samples = [sample for row in happening for sample in row.samples]
            if samples:
                await simulation.check(samples)
            for row in happening:
                if row.action is not None and not await _act(simulation, row.action):
                    missing.append(Missing(at, row.action))
        return Replayed(simulation.chronicle, tuple(missing))


async def _act(simulation: Simulation, action: Action) -> bool:
    """Do it; whether there was anything to do it to."""
    if action.kind is ActionKind.SILENCE:
        if action.matcher is None or action.until is None:
            return False
        made = await simulation.silence(action.matcher, action.until, action.by)
        return not isinstance(made, Refused)
    if action.kind is ActionKind.LIFT:
        newest = max((each.id for each in simulation.silences.active(simulation.clock.now)), default=None)
        return newest is not None and await simulation.lift(newest, action.by) is not None
    alert = _meant(simulation, action)
    if alert is None:
        return False
    match action.kind:
        case ActionKind.ACK:
            await simulation.acknowledge(alert.id, action.by)
        case ActionKind.RESOLVE:
            await simulation.resolve(alert.id, action.by)
        case ActionKind.WRITE:
            await simulation.write(alert.id, action.by)
    return True


def _meant(simulation: Simulation, action: Action) -> Alert | None:
    """The alert of that number, or the newest open one of that metric and target."""
    if action.alert_id is not None:
        known = simulation.chronicle.alerts.get(action.alert_id)
        return known if known is not None and known.status.is_open else None
    found = (
        alert
        for alert in simulation.desk.each_open()
        if action.metric in ("", alert.subject.metric) and action.target in ("", alert.subject.target)
    )
    return max(found, key=attrgetter("id"), default=None)


def stretched(rows: Iterable[Row], every: timedelta) -> Iterator[Row]:
    """A reading every so often: between two rows of one metric and target the value moves evenly from one to
    the other. Behind a row without a value there is none until the next row that has one."""
    points: dict[tuple[str, str], list[tuple[datetime, float | None]]] = {}
    clicks: list[Row] = []
    begins: datetime | None = None
    ends: datetime | None = None
    for row in rows:
        begins, ends = row.at if begins is None else begins, row.at
        for sample in row.samples:
            points.setdefault((sample.metric, sample.target), []).append((row.at, sample.value))
        if row.action is not None:
            clicks.append(Row(row.at, (), row.action))
    if begins is None or ends is None:
        return
    yield from merge(_even(points, begins, ends, every), clicks, key=attrgetter("at"))


def _even(
    points: Mapping[tuple[str, str], list[tuple[datetime, float | None]]],
    begins: datetime,
    ends: datetime,
    every: timedelta,
) -> Iterator[Row]:
    places = dict.fromkeys(points, 0)
    at = begins
    while at <= ends:
        samples = []
        for key, line in points.items():
            place = places[key]
            while place + 1 < len(line) and line[place + 1][0] <= at:
                place += 1
            places[key] = place
            since, value = line[place]
            if at < since or (place + 1 == len(line) and at > since):
                continue  # before its first row, or behind its last one
            if value is not None and at > since:
                until, following = line[place + 1]
                if following is not None:
                    value += (following - value) * ((at - since) / (until - since))
            samples.append(Sample(*key, value))
        yield Row(at, tuple(samples))
        at += every
