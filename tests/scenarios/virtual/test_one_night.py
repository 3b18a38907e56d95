"""A night of everything at once, by chance but the same each time, and what must hold of it in the end."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.domain.alerts.model import Alert, Status
from bot.domain.letters import Letter, LetterKind
from bot.domain.levels import Level
from bot.domain.maintenance import Weekly, Window
from bot.domain.matcher_notation import parse
from bot.domain.oncall.model import ALL_DAYS
from bot.engine.chronicle import Entry
from bot.engine.simulation import Simulation, simulated
from bot.engine.virtual import Channel, Sample
from tests.scenarios.virtual.telling import (
    EVENING,
    FIRST,
    SECOND,
    THIRD,
    at,
    company,
    hours,
    steps_paged_twice,
)

PEOPLE = (FIRST, SECOND, THIRD)
TARGETS = [*(f"web-{number}" for number in range(8)), "db-1", "mail-1", "mail-2"]
BACKUP = Window("backup", parse('target=~"mail-.*"'), Weekly(ALL_DAYS, hours("00:00-00:30"), ZoneInfo("UTC")))
AWAY = timedelta(seconds=120)
"""The longest restart: so late may a page be."""


@pytest.mark.parametrize("seed", range(2))
async def test_a_night_of_all_of_it(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same night each time
    channel = Channel()
    async with simulated(company(BACKUP), EVENING, channel) as story:
        level = dict.fromkeys(TARGETS, 30.0)
        while story.clock.now < at("1:00"):
            await story.check(
                [Sample("cpu_usage", target, _next(chance, level, target)) for target in TARGETS]
            )
            await _somebody_does_something(chance, story)
            await story.advance(seconds=15)

        written = story.chronicle
        assert len(written.opened()) > 20  # it was a night
        assert len(written.pages) > 20
        assert steps_paged_twice(written.pages) == []
        for alert in written.opened():
            about = list(written.about(alert.id))
            assert_opened_before_anything_else(about)
            assert_nobody_waits(about, story.clock.now)
            assert_the_card_is_true(alert, channel.arrived)
        # What was written went out: each letter once, those of one stream in their order.
        ids = [letter.id for letter in channel.arrived]
        assert len(ids) == len(set(ids))
        streams = defaultdict(list)
        for letter in channel.arrived:
            streams[letter.stream].append(letter.id)
        assert [name for name, numbers in streams.items() if numbers != sorted(numbers)] == []
        wanted = {letter.id for entry in written.entries for letter in entry.letters}
        lost = wanted - set(ids)
        letters = (letter for entry in written.entries for letter in entry.letters)
        edits = {letter.id for letter in letters if letter.kind is LetterKind.EDIT}
        assert lost <= edits  # a newer drawing of the card says it all


def _next(chance: random.Random, level: dict[str, float], target: str) -> float | None:
    """A value that mostly stays where it is, sometimes jumps, and is sometimes missing."""
    if chance.random() < 0.02:
        level[target] = chance.choice((30.0, 30.0, 50.0, 75.0, 95.0))
    if target == "db-1" and chance.random() < 0.005:
        level[target] = 95.0
    if chance.random() < 0.01:
        return None
    return min(100.0, max(0.0, level[target] + chance.uniform(-3, 3)))


async def _somebody_does_something(chance: random.Random, story: Simulation) -> None:
    opened = story.desk.open()
    dice = chance.random()
    if opened and dice < 0.02:
        alert = chance.choice(opened)
        await story.acknowledge(alert.id, chance.choice(PEOPLE), chance.choice((None, alert.version - 1)))
    elif opened and dice < 0.03:
        await story.write(chance.choice(opened).id, chance.choice(PEOPLE))
    elif opened and dice < 0.04:
        await story.resolve(chance.choice(opened).id, chance.choice(PEOPLE))
    elif dice < 0.047:
        until = story.clock.now + timedelta(minutes=chance.randint(5, 60))
        await story.silence(parse(f"target={chance.choice(TARGETS)}"), until, FIRST)
    elif dice < 0.052:
        for number in range(15):
            await story.report(
                f"Link{number}", f"switch-{number}", chance.choice((Level.ERROR, Level.CRITICAL))
            )
    elif dice < 0.057:
        for number in range(15):
            await story.report(f"Link{number}", f"switch-{number}", firing=False)
    elif dice < 0.063:
        await story.restart(away=timedelta(seconds=chance.randint(1, 120)))


def assert_opened_before_anything_else(entries: list[Entry]) -> None:
    """Nobody reads of the end of something of whose beginning he was never told."""
    told = [
        entry for entry in entries if entry.letters and entry.alert is not None and entry.alert.storm is None
    ]
    if told:
        assert any(letter.kind is LetterKind.CARD for letter in told[0].letters)


def assert_the_card_is_true(alert: Alert, arrived: Sequence[Letter]) -> None:
    """What people are told of has a card, and that shows what is."""
    if alert.status.is_open and alert.cover is None:
        assert alert.carded
    drawn = [
        letter.facts
        for letter in arrived
        if letter.stream == f"alert:{alert.id}" and letter.template == "alert"
    ]
    if alert.storm is None and alert.carded:
        cover = alert.cover.kind.value if alert.cover is not None else None
        shown = drawn[-1]["cover"]
        assert (drawn[-1]["status"], drawn[-1]["level"]) == (alert.status.value, alert.level.word)
        assert (shown["kind"] if isinstance(shown, dict) else None) == cover


def assert_nobody_waits(entries: list[Entry], now: datetime) -> None:
    """While it was critical and nothing lay over it, no page of its ladder was left out."""
    due: datetime | None = None
    for entry, following in zip(entries, [*entries[1:], None], strict=True):
        alert = entry.alert
        assert alert is not None
        if alert.status is not Status.FIRING or alert.cover is not None or alert.level < Level.CRITICAL:
            due = None
            continue
        if entry.pages or due is None:
            due = entry.at + _wait_after(entry)
        until = following.at if following is not None else now
        assert until <= due + AWAY, f"#{alert.id}: nobody heard of it by {due}"


def _wait_after(entry: Entry) -> timedelta:
    """When the next page of a critical alert comes: the design's table."""
    if not entry.pages or entry.pages[-1].round == 0:
        return timedelta(minutes=1)
    last = entry.pages[-1]
    return timedelta(minutes=30) if (last.round, last.step) >= (3, 3) else timedelta(minutes=5)
