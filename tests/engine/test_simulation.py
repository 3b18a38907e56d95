"""The virtual clock: what is due happens when it is due, in order, and without waiting."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.letters import LetterKind
from bot.domain.levels import Level
from bot.engine.simulation import simulated
from bot.engine.virtual import Channel, Sample, World
from tests.engine.watching import OneRule
from tests.factories import T0, at, rule

HOT = Sample("cpu_usage", "web-1", 95.0)
WORLD = World(OneRule(rule()))


async def test_what_is_due_in_between_happens_at_its_own_moment() -> None:
    async with simulated(WORLD, T0) as story:
        await story.check([HOT])
        await story.reading("cpu_usage", "web-1", 95.0, at(15))
        await story.advance(hours=2)
        assert story.clock.now == at(15 + 7200)
        paged = [(page.at - at(15)).total_seconds() / 60 for page in story.chronicle.pages]
        # One tier: three rounds of one step, five minutes apart, then every half hour.
        assert paged == [1, 6, 11, 41, 71, 101]


async def test_every_letter_arrives_at_once_and_in_order() -> None:
    channel = Channel()
    async with simulated(WORLD, T0, channel) as story:
        await story.check([HOT])
        await story.reading("cpu_usage", "web-1", 95.0, at(15))
        assert [letter.kind for letter in channel.arrived] == [LetterKind.CARD, LetterKind.NOTE]
        await story.acknowledge(1, "U1")
        assert channel.arrived[-1].facts["note"] == "acked"
        assert story.outbox.unsent == 0


async def test_the_chronicle_counts_how_long_each_level_was_the_worst() -> None:
    async with simulated(WORLD, T0) as story:
        for seconds, value in ((0, 20.0), (60, 95.0), (75, 95.0), (135, 20.0), (150, 20.0), (300, 20.0)):
            await story.reading("cpu_usage", "web-1", value, at(seconds))
        assert story.chronicle.worst_for == {
            None: timedelta(seconds=75 + 150),
            Level.CRITICAL: timedelta(seconds=75),
        }


async def test_the_chronicle_knows_what_never_became_an_alert() -> None:
    async with simulated(WORLD, T0) as story:
        for seconds, value in ((0, 95.0), (15, 20.0), (30, 75.0), (45, 75.0), (60, 20.0)):
            await story.reading("cpu_usage", "web-1", value, at(seconds))
        assert story.chronicle.false_starts == 2
        assert story.chronicle.opened() == []
        assert story.chronicle.pages == []


async def test_a_target_that_is_measured_in_part_is_not_blind() -> None:
    async with simulated(WORLD, T0) as story:
        for seconds in range(0, 60, 15):
            await story.advance_to(at(seconds))
            await story.check([Sample("memory_usage", "web-1", None), Sample("swap_usage", "web-1", 1.0)])
            await story.check([Sample("cpu_usage", "web-1", None)])
        assert [alert.subject.source for alert in story.chronicle.opened()] == ["cpu:web-1"]
