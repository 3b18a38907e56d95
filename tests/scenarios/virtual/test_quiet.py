"""Nights on which saying less is right: silences, windows, dependencies, flapping, storms."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from bot.domain.alerts.covers import CoverKind
from bot.domain.alerts.model import Status
from bot.domain.alerts.reasons import Reason
from bot.domain.letters import LetterKind
from bot.domain.levels import Level
from bot.domain.maintenance import Weekly, Window
from bot.domain.matcher_notation import parse
from bot.domain.oncall.model import ALL_DAYS
from bot.engine.simulation import simulated
from bot.engine.virtual import Sample
from tests.scenarios.virtual.telling import (
    EVENING,
    FIRST,
    SECOND,
    at,
    cards,
    company,
    happened,
    holds,
    hours,
    letters_of,
    measured,
    pages,
    steps_paged_twice,
    the,
)

WARM = Sample("cpu_usage", "web-1", 75.0)
HOT = Sample("cpu_usage", "web-1", 95.0)
FINE = Sample("cpu_usage", "web-1", 30.0)
NIGHTLY = Window("backup", parse('target=~"web-.*"'), Weekly(ALL_DAYS, hours("23:00-01:00"), ZoneInfo("UTC")))


async def test_a_silence_over_a_critical_rise() -> None:
    """Silenced while it was a warning; what becomes critical goes through it."""
    async with simulated(company(), EVENING) as story:
        await measured(story, "cpu_usage", "web-1", 75.0, 75.0, 75.0)
        await story.silence(parse("target=web-1"), at("2:00"), FIRST)
        await holds(story, "23:00", WARM)
        assert pages(story) == []
        await holds(story, "23:02", HOT)
        assert happened(story) == [
            "22:00:30 #1 card, opened",
            "22:00:45 #1 covered",
            "23:00:15 #1 silence_broken aloud, level_up",
            f"23:01:15 #1 paged {FIRST}",
        ]


async def test_a_silence_that_ends_while_it_still_fails() -> None:
    async with simulated(company(), EVENING) as story:
        await measured(story, "cpu_usage", "web-1", 95.0, 95.0)
        await story.silence(parse("metric=cpu_usage"), at("23:00"), FIRST)
        await holds(story, "23:02", HOT)
        assert happened(story) == [
            "22:00:15 #1 card, opened",
            "22:00:30 #1 covered",
            "23:00:00 #1 uncovered aloud",
            f"23:01:00 #1 paged {FIRST}",
        ]


async def test_a_silence_that_is_lifted() -> None:
    async with simulated(company(), EVENING) as story:
        await measured(story, "cpu_usage", "web-1", 95.0, 95.0)
        await story.silence(parse("metric=cpu_usage"), at("23:00"), FIRST)
        await holds(story, "22:10", HOT)
        await story.lift(1, SECOND)
        assert happened(story)[-1] == "22:10:00 #1 uncovered aloud"


async def test_a_silence_survives_a_resolve() -> None:
    """Silenced for a broken thing that comes and goes: it goes on without a word until the silence ends."""
    async with simulated(company(), EVENING) as story:
        await story.silence(parse("target=web-1"), at("2:00"), FIRST)
        await holds(story, "22:10", HOT)
        await holds(story, "22:20", FINE)
        await holds(story, "23:00", HOT)
        assert happened(story) == []
        assert the(story, "web-1").status is Status.FIRING


async def test_a_maintenance_window_at_night() -> None:
    async with simulated(company(NIGHTLY), EVENING) as story:
        await story.advance_to(at("23:30"))
        await holds(story, "1:02", HOT)
        assert happened(story) == [
            "01:00:00 #1 card, uncovered",  # one post says that it still fails
            f"01:01:00 #1 paged {FIRST}",
        ]
        silent = [entry for entry in story.chronicle.about(1) if entry.reason is Reason.COVERED]
        assert [f"{entry.at:%H:%M:%S}" for entry in silent] == ["23:30:15"]


async def test_what_is_over_before_the_window_is_never_told() -> None:
    async with simulated(company(NIGHTLY), EVENING) as story:
        await story.advance_to(at("23:30"))
        await holds(story, "0:30", HOT)
        await holds(story, "2:00", FINE)
        assert happened(story) == []
        assert the(story, "web-1").status is Status.RESOLVED


async def test_a_window_that_begins_over_an_open_alert_stops_its_ladder() -> None:
    async with simulated(company(NIGHTLY), at("22:55")) as story:
        await holds(story, "0:59", HOT)
        assert happened(story) == [
            "22:55:15 #1 card, opened",
            f"22:56:15 #1 paged {FIRST}",
            "23:00:00 #1 covered",
        ]


async def test_a_dependency_goes_down_with_twenty_dependants() -> None:
    """One card: the database's. The twenty are told nothing of, and recover with it."""
    webs = [f"web-{number}" for number in range(1, 21)]
    async with simulated(company(), EVENING) as story:
        down = [Sample("reachable", target, 0.0) for target in ("db-1", *webs)]
        await holds(story, "22:12", *down)
        assert cards(story) == ["db-1"]
        assert {page.alert_id for page in story.chronicle.pages} == {the(story, "db-1").id}
        covered = [the(story, target).cover for target in webs]
        assert {cover.kind for cover in covered if cover is not None} == {CoverKind.INHIBITED}
        assert {cover.why for cover in covered if cover is not None} == {"database"}

        await holds(story, "22:20", *(Sample("reachable", target, 1.0) for target in ("db-1", *webs)))
        assert cards(story) == ["db-1"]
        assert story.desk.open() == []


async def test_a_dependant_that_stays_down_is_told_when_its_dependency_is_back() -> None:
    async with simulated(company(), EVENING) as story:
        down = Sample("reachable", "web-1", 0.0)
        await holds(story, "22:10", Sample("reachable", "db-1", 0.0), down)
        assert cards(story) == ["db-1"]
        await holds(story, "22:12", Sample("reachable", "db-1", 1.0), down)
        web = the(story, "web-1")
        assert happened(story, web.id)[0] == f"22:10:15 #{web.id} card, uncovered"
        assert pages(story, web.id) == [f"22:11:15 {FIRST}"]


async def test_a_dependency_without_fresh_data_hides_nothing() -> None:
    """The database's probe dies: what it last said is not news for ever."""
    async with simulated(company(), EVENING) as story:
        down = Sample("reachable", "web-1", 0.0)
        await holds(story, "22:02", Sample("reachable", "db-1", 0.0), down)
        await holds(story, "22:08", down)
        web = the(story, "web-1")
        # The last check of the database was at 22:01:45; five minutes it counts.
        assert happened(story, web.id)[0] == f"22:06:45 #{web.id} card, uncovered"


async def test_a_flapping_service() -> None:
    """Good and bad by turns for half an hour: one card, a few lines, and the outcome in the end."""
    async with simulated(company(), EVENING) as story:
        for _ in range(15):
            await measured(story, "reachable", "web-1", *[0.0] * 4, *[1.0] * 4)
        assert the(story, "web-1").flapping
        # It opened, and closed and came back until that was called flapping; then nothing more was said.
        assert sum("card" in line for line in happened(story)) == 1
        flapping_at = next(n for n, line in enumerate(happened(story)) if "flapping" in line)
        assert [line for line in happened(story)[flapping_at + 1 :] if "paged" not in line] == []
        assert len(happened(story)) < 20

        await holds(story, "23:30", Sample("reachable", "web-1", 1.0))
        assert happened(story)[-1].endswith("#1 resolved aloud")
        assert the(story, "web-1").status is Status.RESOLVED
        assert steps_paged_twice(story.chronicle.pages) == []


async def test_a_storm_of_three_hundred() -> None:
    """A switch dies. One card for each service and one for the storm; everybody is named, and few letters."""
    shops = [f"web-{number}" for number in range(150)]
    mails = [f"mail-{number}" for number in range(150)]
    async with simulated(company(), EVENING) as story:
        down = [
            Sample("reachable", target, 0.0) for pair in zip(shops, mails, strict=True) for target in pair
        ]
        await holds(story, "22:01", *down)
        assert cards(story) == ["web-0", "mail-0"]
        assert len(letters_of(story, "storm")) >= 1
        named = {
            target
            for letter in letters_of(story, "storm_digest")
            for group in letter.facts["groups"]  # type: ignore[union-attr]  # as_json made it
            if isinstance(group, dict) and group["what"] == "opened"
            for target in group["targets"]  # type: ignore[union-attr]  # a list
        }
        assert named == {*shops, *mails}, "those with a card of their own too"

        await holds(story, "22:03", *down)
        assert len(story.chronicle.pages) == 300  # each alert has its step …
        assert (
            len(letters_of(story, "storm_page")) + len(letters_of(story, "page")) == 3
        )  # … in three letters

        up = [Sample("reachable", sample.target, 1.0) for sample in down]
        await holds(story, "22:06", *up)
        assert story.desk.open() == []
        await story.advance_to(at("22:30"))
        last = letters_of(story, "storm")[-1].facts
        assert (last["open"], last["folded"]) == (0, 298)
        assert last["ended_at"] is not None
        assert sum(len(entry.letters) for entry in story.chronicle.entries) < 60


async def test_an_emergency_in_a_storm_has_its_own_card() -> None:
    async with simulated(company(), EVENING) as story:
        for number in range(12):
            await story.report(f"Down{number}", f"web-{number}", labels={"service": "shop"})
        await story.report("Breach", "web-3", Level.EMERGENCY, labels={"service": "shop"})
        assert cards(story)[-1] == "web-3"
        breach = the(story, "web-3")
        assert pages(story, breach.id) == [f"22:00:00 {FIRST} {SECOND}"]


async def test_a_restart_in_a_storm_goes_on_with_it() -> None:
    async with simulated(company(), EVENING) as story:
        for number in range(12):
            await story.report(f"Down{number}", f"web-{number}", labels={"service": "shop"})
        posted = len(cards(story))
        await story.restart(away=timedelta(seconds=20))
        for number in range(12, 20):
            await story.report(f"Down{number}", f"web-{number}", labels={"service": "shop"})
        assert len(cards(story)) == posted
        await story.advance(minutes=2)
        kinds = [letter.kind for letter in letters_of(story, "storm")]
        assert kinds[0] is LetterKind.CARD
        assert set(kinds[1:]) == {LetterKind.EDIT}
        assert letters_of(story, "storm")[-1].facts["folded"] == 11
        assert posted == 9  # the tenth within a minute was the storm


async def test_a_storm_does_not_last_an_hour_longer_because_the_clock_is_put_back() -> None:
    for restarts in (False, True):
        async with simulated(company(), EVENING) as story:
            for number in range(12):
                await story.report(f"Down{number}", f"web-{number}", labels={"service": "shop"})
            if restarts:
                await story.stop()
                story.clock.now -= timedelta(hours=1)
                await story.start()
            else:
                await story.step_clock(timedelta(hours=-1))
            await story.advance_to(at("21:06"))
            assert letters_of(story, "storm")[-1].facts["ended_at"] is not None
            await story.report("Disk", "web-1", labels={"service": "shop"})
            assert cards(story)[-1] == "web-1"
            assert len(cards(story)) == 10
