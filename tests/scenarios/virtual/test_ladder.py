"""Nights on the ladder: who is called when, and what stops it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.domain.alerts.model import Status
from bot.domain.alerts.reasons import Reason
from bot.domain.levels import Level
from bot.engine.simulation import simulated
from bot.engine.virtual import Sample
from tests.scenarios.virtual.telling import (
    EVENING,
    FIRST,
    SECOND,
    THIRD,
    at,
    company,
    happened,
    holds,
    measured,
    pages,
    steps_paged_twice,
    the,
)

HOT = Sample("cpu_usage", "web-1", 95.0)
FINE = Sample("cpu_usage", "web-1", 30.0)


async def test_a_night_with_a_disk_filling_up() -> None:
    async with simulated(company(), EVENING) as story:
        for number in range(650):
            await story.check([Sample("disk_usage", "db-1:/data", 84 + number / 50)])
            await story.advance(seconds=15)
        # Somebody wakes up, finds the old logs, and removes them.
        await story.acknowledge(1, SECOND)
        await measured(story, "disk_usage", "db-1:/data", 70.0, 70.0)
        await story.advance_to(at("6:00"))

        assert happened(story) == [
            "22:13:00 #1 card, opened",
            f"22:43:00 #1 paged {FIRST}",  # a warning: half an hour, then once
            "00:18:00 #1 level_up aloud",  # the second value above 95 %
            f"00:19:00 #1 paged {FIRST}",
            f"00:24:00 #1 paged {SECOND}",
            f"00:29:00 #1 paged {THIRD}",
            f"00:34:00 #1 paged {FIRST}",  # the second round
            f"00:39:00 #1 paged {SECOND}",
            "00:42:30 #1 acked",
            "00:42:45 #1 resolved aloud",
        ]
        alert = the(story, "db-1:/data")
        assert (alert.status, alert.seen_by) == (Status.RESOLVED, (SECOND,))
        assert alert.peak is not None and round(alert.peak) == 97


async def test_three_rounds_and_then_every_half_hour_until_somebody_comes() -> None:
    async with simulated(company(), EVENING) as story:
        await measured(story, "cpu_usage", "web-1", 95.0, 95.0)
        await holds(story, "23:50", HOT)
        assert pages(story) == [
            f"22:01:15 {FIRST}", f"22:06:15 {SECOND}", f"22:11:15 {THIRD}",
            f"22:16:15 {FIRST}", f"22:21:15 {SECOND}", f"22:26:15 {THIRD}",
            f"22:31:15 {FIRST}", f"22:36:15 {SECOND}", f"22:41:15 {THIRD}",
            f"23:11:15 {FIRST} {SECOND} {THIRD}", f"23:41:15 {FIRST} {SECOND} {THIRD}",
        ]  # fmt: skip
        await story.acknowledge(1, THIRD)
        paged = len(pages(story))
        await holds(story, "0:15", HOT)
        assert len(pages(story)) == paged


async def test_a_lost_acknowledgement() -> None:
    """Acknowledged, and then nobody came back: as it expires both are paged, and the ladder begins anew."""
    async with simulated(company(), EVENING) as story:
        await measured(story, "cpu_usage", "web-1", 95.0, 95.0)
        await holds(story, "22:07", HOT)
        await story.acknowledge(1, SECOND)
        await holds(story, "22:40", HOT)
        assert happened(story) == [
            "22:00:15 #1 card, opened",
            f"22:01:15 #1 paged {FIRST}",
            f"22:06:15 #1 paged {SECOND}",
            "22:07:00 #1 acked",
            f"22:37:00 #1 ack_expired, paged {SECOND} {FIRST}",
            f"22:38:00 #1 paged {FIRST}",
        ]
        assert the(story, "web-1").status is Status.FIRING


async def test_somebody_who_writes_in_the_thread_keeps_the_acknowledgement() -> None:
    async with simulated(company(), EVENING) as story:
        await measured(story, "cpu_usage", "web-1", 95.0, 95.0)
        await story.acknowledge(1, FIRST)
        await holds(story, "22:25", HOT)
        assert (await story.write(1, FIRST)).reason is Reason.ACK_RENEWED
        await holds(story, "22:54:45", HOT)
        assert pages(story) == []
        await holds(story, "22:56", HOT)
        assert pages(story)[0] == f"22:55:00 {FIRST}"  # half an hour after the last word: once, not twice


async def test_a_restart_in_mid_ladder_is_one_page_and_not_a_burst() -> None:
    """Two steps come due while nobody is there. None is lost, none comes twice, and not all come at once."""
    async with simulated(company(), EVENING) as story:
        await measured(story, "cpu_usage", "web-1", 95.0, 95.0)
        await holds(story, "22:02", HOT)
        await story.restart(away=timedelta(minutes=18))
        await holds(story, "22:32", HOT)
        assert pages(story) == [
            f"22:01:15 {FIRST}",
            f"22:20:00 {SECOND}",  # at once: it should have been 22:06:15
            f"22:25:00 {THIRD}",
            f"22:30:00 {FIRST}",
        ]
        assert happened(story)[0] == "22:00:15 #1 card, opened"
        assert sum("card" in line for line in happened(story)) == 1
        assert steps_paged_twice(story.chronicle.pages) == []


async def test_a_restart_right_after_a_page_does_not_repeat_it() -> None:
    async with simulated(company(), EVENING) as story:
        await measured(story, "cpu_usage", "web-1", 95.0, 95.0)
        await story.advance_to(at("22:01:15"))
        for _ in range(3):
            await story.restart(away=timedelta(seconds=1))
        await holds(story, "22:06", HOT)
        assert pages(story) == [f"22:01:15 {FIRST}"]


async def test_a_confirmation_goes_on_after_a_restart() -> None:
    async with simulated(company(), EVENING) as story:
        await measured(story, "cpu_usage", "web-1", 75.0, 75.0)
        await story.restart(away=timedelta(seconds=20))
        await story.check([Sample("cpu_usage", "web-1", 75.0)])
        assert happened(story) == ["22:00:50 #1 card, opened"]


async def test_the_clock_is_put_back_an_hour() -> None:
    """What was due in five minutes still is, and nothing that happened happens again."""
    async with simulated(company(), EVENING) as story:
        await measured(story, "cpu_usage", "web-1", 95.0, 95.0)
        await holds(story, "22:02", HOT)
        await story.step_clock(timedelta(hours=-1))
        assert story.clock.now == at("21:02")
        await holds(story, "21:12", HOT)
        assert pages(story) == [f"22:01:15 {FIRST}", f"21:06:15 {SECOND}", f"21:11:15 {THIRD}"]
        assert (await story.acknowledge(1, THIRD)).reason is Reason.ACKED
        await holds(story, "21:41:45", HOT)
        assert len(pages(story)) == 3
        await holds(story, "21:43", FINE)
        assert the(story, "web-1").status is Status.RESOLVED


async def test_the_clock_is_put_back_while_the_guardian_is_away() -> None:
    async with simulated(company(), EVENING) as story:
        await measured(story, "cpu_usage", "web-1", 95.0, 95.0)
        await holds(story, "22:02", HOT)
        await story.stop()
        story.clock.now -= timedelta(hours=1)
        await story.start()
        await holds(story, "21:07", HOT)
        # Nobody can tell how long it was away: what was left counts from the last check, 15 s before.
        assert pages(story) == [f"22:01:15 {FIRST}", f"21:06:30 {SECOND}"]


async def test_two_people_click_at_the_same_instant() -> None:
    async with simulated(company(), EVENING) as story:
        await measured(story, "cpu_usage", "web-1", 95.0, 95.0)
        drawn_for = the(story, "web-1").version
        first, second = await asyncio.gather(
            story.acknowledge(1, FIRST, drawn_for), story.acknowledge(1, SECOND, drawn_for)
        )
        assert {first.reason, second.reason} == {Reason.ACKED, Reason.ACK_ALREADY}
        winner = FIRST if first.reason is Reason.ACKED else SECOND
        assert the(story, "web-1").acked_by == winner
        assert happened(story) == ["22:00:15 #1 card, opened", "22:00:30 #1 acked"]


async def test_a_click_on_a_card_that_has_changed_does_nothing() -> None:
    async with simulated(company(), EVENING) as story:
        await measured(story, "cpu_usage", "web-1", 75.0, 75.0, 75.0)
        drawn_for = the(story, "web-1").version
        await measured(story, "cpu_usage", "web-1", 95.0)
        rise, click = await asyncio.gather(
            story.check([Sample("cpu_usage", "web-1", 95.0)]), story.acknowledge(1, FIRST, drawn_for)
        )
        assert rise[0].reason is Reason.LEVEL_RISE
        assert click.reason is Reason.ACK_STALE
        alert = the(story, "web-1")
        assert (alert.status, alert.level) == (Status.FIRING, Level.CRITICAL)


async def test_calling_it_resolved_is_refused_while_it_is_not() -> None:
    async with simulated(company(), EVENING) as story:
        await measured(story, "cpu_usage", "web-1", 95.0, 95.0)
        assert (await story.resolve(1, FIRST)).reason is Reason.STILL_BAD
        await holds(story, "22:02", HOT)
        assert pages(story) == [f"22:01:15 {FIRST}"]
        await measured(story, "cpu_usage", "web-1", 30.0)
        assert (await story.resolve(1, FIRST)).reason is Reason.RESOLVED_BY_HAND
