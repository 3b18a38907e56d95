"""Silences, windows, inhibition and routes around real alerts, on each kind of database."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import pytest

from bot.domain.alerts.covers import CoverKind
from bot.domain.alerts.ladder import Recipient, TargetKind
from bot.domain.alerts.model import Condition, Reported, Subject
from bot.domain.levels import Level
from bot.domain.matcher_notation import parse
from bot.domain.silences import CoverFault, Wanted
from bot.domain.targets import parse_target
from bot.engine.board import Board, Checked, source_of
from bot.engine.reports import Report
from bot.engine.silences import Refused
from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from messages.cover_facts import (
    CoverConfirmFacts,
    CoverRefusedFacts,
    RouteFacts,
    SilenceDoneFacts,
    WindowDoneFacts,
)
from probes.base import Layer, Unit, measured
from tests.engine.probes import Waiting, percent
from tests.engine.support import Disk, SetClock
from tests.engine.surrounded import Surrounded
from tests.engine.watching import CpuRules
from tests.factories import T0, at, subject


@pytest.fixture
async def world(database: Database, clock: SetClock) -> Surrounded:
    """A desk with surroundings."""
    return await Surrounded.begins(database, clock)


def why(
    world: Surrounded, target: str = "web-1", level: Level = Level.WARNING
) -> tuple[CoverKind, str] | None:
    """What lies over the alert of a target now."""
    about = subject(target=target, source=f"cpu:{target}")
    cover = world.book.of(about, layer=Layer.INFRASTRUCTURE).cover(level, world.clock.now)
    return None if cover is None else (cover.kind, cover.ref)


async def silenced(world: Surrounded, text: str, *, confirmed: bool = False) -> SilenceDoneFacts:
    done = await world.covers.silence(text, "U1", confirmed=confirmed)
    assert isinstance(done, SilenceDoneFacts)
    return done


def board(*targets: str) -> Board:
    """A board on which each of these targets was measured."""
    probes = [Waiting(percent(1), target) for target in targets]
    made = Board(probes, CpuRules())
    for probe in probes:
        reading = measured("cpu_usage", probe.target, 1, Unit.PERCENT, T0)
        made.put(source_of(probe), Checked(T0, 1, (reading,)))
    return made


# Silences


async def test_a_silenced_alert_is_not_told_and_is_when_the_silence_ends(world: Surrounded) -> None:
    done = await silenced(world, "service=shop, level<=error for 10m 배포")
    assert (done.silence.id, done.silence.matcher, done.hides) == (1, "service=shop, level<=error", 0)
    assert await world.check(75, 75, 75) == []
    (alert,) = world.desk.open()
    assert alert.cover is not None
    assert (alert.cover.kind, alert.cover.ref, alert.cover.by) == (CoverKind.SILENCE, "1", "U1")
    assert await world.check(75, target="db-1") == []
    world.clock.forward(minutes=10)
    assert await world.check(75) == ["UNCOVERED"]


async def test_a_rise_in_level_breaks_the_silence(world: Surrounded) -> None:
    await silenced(world, "service=shop for 1h 배포")
    assert await world.check(75, 75, 75) == []
    assert await world.check(95, 95) == ["SILENCE_BROKEN"]


async def test_a_restart_keeps_silences_and_windows(database: Database, clock: SetClock) -> None:
    world = await Surrounded.begins(database, clock)
    await silenced(world, "service=shop for 1h 배포")
    await world.covers.maintain("service=database now 1h 배포", "U1", confirmed=False)
    again = await Surrounded.begins(database, clock)
    assert why(again) == (CoverKind.SILENCE, "1")
    assert why(again, "db-1") == (CoverKind.MAINTENANCE, "#1")
    assert again.book.next_cover_change(clock.now) == at(3600)


async def test_a_lifted_silence_holds_no_more(world: Surrounded) -> None:
    await silenced(world, "service=shop for 1h 배포")
    changed = world.book.covers_changed
    done = await world.covers.lift(1, "U2")
    assert done is not None
    assert (done.action, world.covers.silences(), why(world)) == ("lifted", (), None)
    assert world.book.covers_changed != changed
    assert await world.covers.lift(1, "U2") is None
    assert await world.covers.lift(7, "U2") is None


async def test_those_that_are_over_are_told_once(world: Surrounded) -> None:
    await silenced(world, "service=shop for 1h 배포")
    await silenced(world, "service=shop for 2h 배포")
    world.clock.forward(hours=1)
    changed = world.book.covers_changed
    assert [each.id for each in world.book.silences.expired(world.clock.now)] == [1]
    assert world.book.silences.expired(world.clock.now) == ()
    assert world.book.covers_changed != changed
    assert [each.id for each in world.book.silences.active(world.clock.now)] == [2]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("service=shop for 25h 배포", "too_long"),
        ("service=shop until 2026-03-01 10:00 배포", "in_the_past"),
        ("service=shop for 1h", "no_reason"),
        ("service=shop 배포", "no_end"),
        ("service~shop for 1h 배포", "matcher_operator"),
        ("", "matcher_empty"),
        ("service=shop service=db for 1h 배포", "matcher_contradiction"),
    ],
)
async def test_a_refused_silence_changes_nothing(world: Surrounded, text: str, fault: str) -> None:
    before = world.book.covers_changed
    outcome = await world.covers.silence(text, "U1", confirmed=True)
    assert isinstance(outcome, CoverRefusedFacts)
    assert outcome.fault == fault
    assert (world.covers.silences(), world.book.covers_changed) == ((), before)


@pytest.mark.parametrize(
    ("text", "everything"),
    [
        ("* for 1h 배포", True),
        ("target=~.* for 1h 배포", True),
        ("environment=test for 1h 배포", False),
        ("level=critical for 1h 배포", False),
        ("level=emergency for 1h 배포", False),
    ],
)
async def test_a_silence_that_hides_all_is_asked_for_twice(
    database: Database, clock: SetClock, text: str, everything: bool
) -> None:
    world = await Surrounded.begins(database, clock, board=board("web-1", "db-1"))
    await world.check(75, 75, 75)
    await world.check(75, 75, 75, target="db-1")
    before = world.book.covers_changed
    question = await world.covers.silence(text, "U1", confirmed=False)
    assert isinstance(question, CoverConfirmFacts)
    hides = 0 if text.startswith("level") else 2
    assert (question.everything, question.total, len(question.hides)) == (everything, hides, hides)
    assert (world.covers.silences(), world.book.covers_changed) == ((), before)
    done = await silenced(world, text, confirmed=True)
    assert done.hides == hides


async def test_a_silence_for_a_part_is_not_asked_for_twice(database: Database, clock: SetClock) -> None:
    world = await Surrounded.begins(database, clock, board=board("web-1", "db-1"))
    await world.check(75, 75, 75)
    await world.check(75, 75, 75, target="db-1")
    assert (await silenced(world, "service=shop for 1h 배포")).hides == 1
    assert (await silenced(world, "level<=error for 1h 배포")).hides == 2


async def test_from_a_card_exactly_that_alert_is_silenced(world: Surrounded) -> None:
    await world.check(75, 75, 75)
    form = world.covers.modal(1)
    assert form is not None
    assert form.matcher == "metric=cpu_usage, target=web-1, environment=test"
    done = await world.covers.silence_alert(1, timedelta(hours=1), "U1", "배포")
    assert isinstance(done, SilenceDoneFacts)
    assert done.hides == 1
    assert (why(world), why(world, "web-2")) == ((CoverKind.SILENCE, "1"), None)
    assert await world.covers.silence_alert(9, timedelta(hours=1), "U1", "배포") is None
    too_long = await world.covers.silence_alert(1, timedelta(days=2), "U1", "배포")
    assert isinstance(too_long, CoverRefusedFacts)
    assert too_long.fault == CoverFault.TOO_LONG


async def test_a_silence_that_cannot_be_written_is_none(world: Surrounded, disk: Disk) -> None:
    disk.read_only = True
    with pytest.raises(StoreUnavailable):
        await world.covers.silence("service=shop for 1h 배포", "U1", confirmed=False)
    assert (world.covers.silences(), why(world)) == ((), None)
    disk.read_only = False
    await silenced(world, "service=shop for 1h 배포")


async def test_one_that_starts_later_does_not_hold_yet(world: Surrounded) -> None:
    later = Wanted(parse("service=shop"), at(3600), at(7200), "U1", "배포")
    assert not isinstance(await world.book.silences.add(later), Refused)
    assert why(world) is None
    assert world.book.next_cover_change(world.clock.now) == at(3600)
    world.clock.forward(hours=1)
    assert why(world) == (CoverKind.SILENCE, "1")
    assert world.book.next_cover_change(world.clock.now) == at(7200)


# Maintenance


async def test_a_window_holds_and_can_be_ended(world: Surrounded) -> None:
    done = await world.covers.maintain("service=shop now 1h 배포", "U1", confirmed=False)
    assert isinstance(done, WindowDoneFacts)
    assert (done.action, done.window.id, done.window.active) == ("added", 1, True)
    assert why(world) == (CoverKind.MAINTENANCE, "#1")
    ended = await world.covers.end(1, "U2")
    assert ended is not None
    assert (ended.action, world.covers.windows(), why(world)) == ("ended", (), None)
    assert await world.covers.end(1, "U2") is None


async def test_a_window_later_today_is_known_with_its_times(world: Surrounded) -> None:
    done = await world.covers.maintain("service=shop 22:00-23:00 배포", "U1", confirmed=False)
    assert isinstance(done, WindowDoneFacts)
    assert (done.window.active, done.window.starts_at) == (False, "2026-03-01T13:00:00+00:00")
    assert (why(world), world.book.next_cover_change(world.clock.now)) == (None, at(4 * 3600))
    world.clock.forward(hours=4)
    assert why(world) == (CoverKind.MAINTENANCE, "#1")
    world.clock.forward(hours=-1)  # the clock is set back
    assert why(world) is None


async def test_of_several_windows_the_one_that_ends_last_counts(world: Surrounded) -> None:
    for text in ("service=shop now 1h 배포", "level<=error now 2h 배포", "service=database now 9h 배포"):
        assert isinstance(await world.covers.maintain(text, "U1", confirmed=True), WindowDoneFacts)
    assert why(world, level=Level.ERROR) == (CoverKind.MAINTENANCE, "#2")
    assert why(world, level=Level.CRITICAL) == (CoverKind.MAINTENANCE, "#1")
    world.clock.forward(seconds=-1)
    assert why(world) is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("service=shop now 31d 배포", "too_long"),
        ("service=shop 2026-02-01 10:00 2h 배포", "in_the_past"),
        ("service=shop 2026-04-02 10:00 2026-04-01 10:00 배포", "no_length"),
        ("service=shop now 1h", "no_reason"),
        ("service=shop 배포", "no_times"),
        ("shop now 1h 배포", "matcher_no_condition"),
        ("level>=critical, level<=error now 1h 배포", "matcher_contradiction"),
    ],
)
async def test_a_refused_window_changes_nothing(world: Surrounded, text: str, fault: str) -> None:
    outcome = await world.covers.maintain(text, "U1", confirmed=True)
    assert isinstance(outcome, CoverRefusedFacts)
    assert (outcome.fault, world.covers.windows()) == (fault, ())


async def test_a_window_for_everything_is_asked_for_twice(world: Surrounded) -> None:
    question = await world.covers.maintain("* now 1h 배포", "U1", confirmed=False)
    assert isinstance(question, CoverConfirmFacts)
    assert world.covers.windows() == ()
    assert isinstance(await world.covers.maintain("* now 1h 배포", "U1", confirmed=True), WindowDoneFacts)


# The order, inhibition, and what changes


async def test_a_silence_comes_before_a_window_and_a_window_before_what_inhibits(world: Surrounded) -> None:
    await world.check(95, 95, target="db-1")
    assert why(world) == (CoverKind.INHIBITED, "1")
    await world.covers.maintain("service=shop now 1h 배포", "U1", confirmed=False)
    assert why(world) == (CoverKind.MAINTENANCE, "#1")
    await silenced(world, "service=shop for 1h 배포")
    assert why(world) == (CoverKind.SILENCE, "1")


async def test_what_depends_on_a_broken_service_is_muted_until_that_is_over(world: Surrounded) -> None:
    before = world.book.covers_changed
    assert await world.check(95, 95, target="db-1") == ["OPENED"]
    assert world.book.covers_changed != before
    assert await world.check(75, 75, 75) == []
    assert world.book.next_cover_change(world.clock.now) == at(30 + 300)
    before = world.book.covers_changed
    assert (await world.check(10, 10, target="db-1"))[-1] == "RESOLVED"
    assert world.book.covers_changed != before
    assert await world.check(75) == ["UNCOVERED"]


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (Condition.THRESHOLD, timedelta(minutes=5)),
        (Condition.REPORTED, timedelta(hours=5)),
        (Condition.HEARTBEAT, timedelta(hours=5)),
    ],
)
async def test_a_source_mutes_as_long_as_its_last_word_holds(
    world: Surrounded, condition: Condition, holds: timedelta
) -> None:
    if condition is Condition.THRESHOLD:
        await world.check(95, 95, target="db-1")
    else:
        reported = Subject("test", "alertmanager:1", "down", "db-1", condition)
        says = Reported(True, Level.CRITICAL, world.clock.now, "down")
        await world.desk.report([Report(reported, {"service": "database"}, says, Layer.APPLICATION)])
    last = world.clock.now
    assert await world.check(75, 75, 75) == []
    assert world.book.next_cover_change(world.clock.now) == last + holds
    world.clock.now = last + holds
    assert why(world) == (CoverKind.INHIBITED, "1")
    world.clock.forward(seconds=1)
    assert why(world) is None
    await world.desk.look_again()
    assert [alert.cover for alert in world.desk.open()] == [None, None]


async def test_a_restart_knows_what_inhibits(database: Database, clock: SetClock) -> None:
    world = await Surrounded.begins(database, clock)
    await world.check(95, 95, target="db-1")
    again = await Surrounded.begins(database, clock)
    assert why(again) == (CoverKind.INHIBITED, "1")
    clock.forward(minutes=6)
    assert why(again) is None


# Routes and people


async def test_a_route_follows_the_level(world: Surrounded) -> None:
    around = world.book.of(subject(), layer=Layer.INFRASTRUCTURE)
    assert (around.route(Level.CRITICAL).name, around.route(Level.ERROR).name) == ("loud", "default")
    assert (around.labels["service"], around.labels["team"]) == ("shop", "store")


async def test_routes_are_explained(world: Surrounded) -> None:
    facts = world.covers.route("target=web-7 level=error")
    assert isinstance(facts, RouteFacts)
    assert (facts.route, facts.channel, facts.labels["service"]) == ("default", "guardian-alerts", "shop")
    assert [(each.route, each.condition, each.found) for each in facts.tried] == [
        ("loud", "level>=critical", "error"),
        ("default", None, None),
    ]
    refused = world.covers.route("target!=web-7")
    assert isinstance(refused, CoverRefusedFacts)
    assert refused.fault == "matcher_only_is"


class Roster:
    """Somebody is on call by day; one person and one group are known by name."""

    def on_call(self, schedule: str, now: datetime) -> str | None:
        return "U1" if schedule == "primary" and now == T0 else None

    def id_of(self, handle: str) -> str | None:
        return {"@a": "U1", "@b": "U2"}.get(handle)

    def group_of(self, handle: str) -> str | None:
        return {"@ops": "S1"}.get(handle)

    def name_of(self, user: str) -> str:
        return user.lower()


async def test_targets_reach_those_who_are_there_each_once(database: Database, clock: SetClock) -> None:
    world = await Surrounded.begins(database, clock, Roster(), Roster())
    around = world.book.of(subject())
    names = (
        "schedule:primary",
        "@a",
        "@b",
        "@nobody",
        "U024BE7LH",
        "group:@ops",
        "group:@x",
        "group:S0614TZR7",
        "#ops",
    )
    targets = tuple(map(parse_target, (*names, "apprise:sms")))
    assert around.reach(targets, T0) == (
        Recipient(TargetKind.PERSON, "U1"),
        Recipient(TargetKind.PERSON, "U2"),
        Recipient(TargetKind.PERSON, "U024BE7LH"),
        Recipient(TargetKind.GROUP, "S1"),
        Recipient(TargetKind.GROUP, "S0614TZR7"),
        Recipient(TargetKind.CHANNEL, "ops"),
        Recipient(TargetKind.APPRISE, "sms"),
    )
    assert around.reach(targets[:1], at(1)) == ()
    assert [each.name for each in around.reach(targets[:1], T0)] == ["u1"]


async def test_reported_labels_may_change(world: Surrounded) -> None:
    about = subject(target="x")
    first = world.book.of(about, {"service": "shop"})
    assert world.book.of(about, {"service": "shop"}) is first
    assert world.book.of(about, first.labels) is first
    assert world.book.of(about, {"service": "database"}).labels["service"] == "database"


async def test_ten_thousand_subjects_are_asked_about_quickly(world: Surrounded) -> None:
    for number in range(20):
        await silenced(world, f'service=shop, target=~"web-9{number}.*" for 1h 배포')
    await world.covers.maintain("service=mail now 1h 배포", "U1", confirmed=False)
    subjects = [subject(target=f"web-{number}", source=f"cpu:web-{number}") for number in range(10_000)]

    def ask() -> float:
        began = time.perf_counter()
        for each in subjects:
            around = world.book.of(each, layer=Layer.INFRASTRUCTURE)
            around.route(Level.WARNING)
            around.cover(Level.WARNING, world.clock.now)
        return time.perf_counter() - began

    ask()
    assert min(ask() for _ in range(3)) < 0.5
