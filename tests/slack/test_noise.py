"""`/guardian noise`: the report, how many days it is about, and what it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.domain.alerts.model import Status
from bot.engine.board import Board
from bot.engine.guardian import Guardian, Identity
from bot.engine.noise import NoiseBook
from bot.slack.commands import all_commands
from bot.slack.dispatch import Dispatcher
from bot.store.changes import NewAlert
from bot.store.database import Database
from bot.store.insight import InsightStore
from bot.store.ratings import RatingStore
from bot.store.store import Store
from messages.answer_facts import BadArgumentFacts
from messages.insight_facts import NoiseFacts
from tests.engine.support import SetClock
from tests.engine.watching import CpuRules, Watch
from tests.factories import T0, alert, at


async def answered(path: Path, *lines: str) -> list[object]:
    """The facts of the answers to those lines, ten days after one alert."""
    database = await Database.open(f"sqlite+aiosqlite:///{path / 'guardian.db'}")
    store, clock = Store(database), SetClock()
    await store.write([NewAlert(alert(status=Status.RESOLVED, resolved_at=at(90), carded=True))])
    watch = await Watch.begins(store, clock)
    noise = NoiseBook(store, RatingStore(database), InsightStore(database), CpuRules(), clock)
    board, identity = Board([], CpuRules()), Identity("web-1", "test", "1.0", T0)
    guardian = Guardian(identity, board, watch.desk, watch.outbox, watch.ledger, clock, noise=noise)
    clock.forward(days=10)
    dispatcher = Dispatcher(guardian, "/guardian", all_commands())
    facts: list[object] = [(await dispatcher.answer(line, "U1")).facts for line in lines]
    await database.close()
    return facts


async def test_it_is_about_thirty_days_or_as_many_as_asked(tmp_path: Path) -> None:
    month, korean, week = await answered(tmp_path, "noise", "소음 11", "noise 7")
    assert isinstance(month, NoiseFacts)
    assert (month.days, month.alerts, [rule.rule for rule in month.rules]) == (30, 1, ["cpu_usage"])
    assert isinstance(korean, NoiseFacts)
    assert (korean.days, korean.alerts) == (11, 1)
    assert isinstance(week, NoiseFacts)
    assert (week.days, week.alerts, week.rules) == (7, 0, ())


@pytest.mark.parametrize("typed", ["0", "91", "-1", "7d", "７", "9" * 5000, "7 8", "all"])
async def test_what_is_no_number_of_days_is_refused(tmp_path: Path, typed: str) -> None:
    (facts,) = await answered(tmp_path, f"noise {typed}")
    assert isinstance(facts, BadArgumentFacts)
    assert (facts.argument, facts.usage) == (typed, "[1-90]")
