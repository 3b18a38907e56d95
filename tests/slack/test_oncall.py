"""`oncall`: what it shows, what it changes, and what it says to what it cannot use."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.domain.oncall.model import Schedule
from bot.engine.board import Board
from bot.engine.guardian import Guardian, Identity
from bot.slack.command import Answer
from bot.slack.commands import all_commands
from bot.slack.dispatch import Dispatcher
from bot.store.database import Database
from bot.store.store import Store
from messages.render import Voice
from tests.domain.oncall.making import at
from tests.engine.duty import OFFICE, WEEKLY, Desk, duty
from tests.engine.support import Disk
from tests.engine.watching import CpuRules, Watch
from tests.factories import T0

ASKER = "U0MINJUN1"


@dataclass
class Counter:
    """Where commands are typed. It is Tuesday 2026-01-06 12:00 in Seoul; doyun is on call until Monday."""

    desk: Desk
    dispatcher: Dispatcher

    async def answer(self, line: str) -> Answer:
        return await self.dispatcher.answer(line, ASKER)

    async def says(self, line: str) -> str:
        """What the answer says in Korean, blocks and all."""
        answer = await self.answer(line)
        message = Voice("ko").message(answer.template, answer.facts.as_json())
        return "\n".join([message.text, *map(str, message.blocks)])

    def on_call(self, local: str, schedule: str = "primary") -> str | None:
        return self.desk.roster.on_call(schedule, at(local))


async def _counter(folder: Path, desk: Desk) -> AsyncIterator[Counter]:
    database = await Database.open(f"sqlite+aiosqlite:///{folder / 'guardian.db'}")
    watch = await Watch.begins(Store(database), desk.clock)
    identity = Identity("web-1", "test", "1.0", T0)
    guardian = Guardian(identity, Board([], CpuRules()), watch.desk, watch.outbox, watch.ledger, desk.clock)
    guardian.duty = desk.roster
    yield Counter(desk, Dispatcher(guardian, "/guardian", all_commands()))
    await database.close()


@pytest.fixture(params=[(WEEKLY, OFFICE)])
async def counter(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Counter]:
    schedules: tuple[Schedule, ...] = request.param
    async with duty(tmp_path, *schedules) as desk:
        async for each in _counter(tmp_path, desk):
            yield each


ALONE = pytest.mark.parametrize("counter", [(WEEKLY,)], indirect=True)


async def test_it_shows_every_schedule_with_who_is_on_call_until_when_and_who_is_next(
    counter: Counter,
) -> None:
    for line in ("oncall", "당직"):
        said = await counter.says(line)
        assert "당직표 2개" in said
        assert "*primary* – <@U0DOYUN01>" in said
        assert "2026-01-12 09:00:00 KST>까지" in said
        assert "다음: <@U0SEOYEON>" in said
        assert "*office* – <@U0SEOYEON>" in said


async def test_one_schedule_is_shown_with_what_comes_next(counter: Counter) -> None:
    said = await counter.says("oncall primary")
    assert "당직표 1개" in said
    assert "이어지는 당직" in said
    assert said.count("<@U0MINJUN1>") >= 1


@pytest.mark.parametrize(
    ("line", "person", "start", "end"),
    [
        ("swap primary <@U0SEOYEON|seoyeon.park> 18:00 09:00", "U0SEOYEON", "06 18:00", "07 09:00"),
        ("교대 primary <@U0SEOYEON> 18:00 4h", "U0SEOYEON", "06 18:00", "06 22:00"),
        ("swap primary <@U0SEOYEON|Seoyeon Park> now 2h", "U0SEOYEON", "06 12:00", "06 14:00"),
        ("swap primary @seoyeon 2026-01-08T18:00 2026-01-09T06:00", "U0SEOYEON", "08 18:00", "09 06:00"),
        ("swap primary U0SEOYEON 11:00 13:00", "U0SEOYEON", "06 12:00", "06 13:00"),
        ("take primary 2h", ASKER, "06 12:00", "06 14:00"),
        ("맡기 primary 18:30", ASKER, "06 12:00", "06 18:30"),
    ],
)
async def test_somebody_stands_in(counter: Counter, line: str, person: str, start: str, end: str) -> None:
    said = await counter.says(f"oncall {line} 치과 예약")
    assert "당직을 바꿨습니다: #1 · `primary`" in said
    assert "원래 당직: <@U0DOYUN01>" in said
    assert "이유: `치과 예약`" in said
    (made,) = counter.desk.roster.overrides("primary")
    assert (made.user, made.by, made.why) == (person, ASKER, "치과 예약")
    assert (made.start, made.end) == (at(f"2026-01-{start}"), at(f"2026-01-{end}"))
    assert counter.on_call(f"2026-01-{start}") == person


async def test_an_override_is_shown_with_its_number_and_undone_by_it(counter: Counter) -> None:
    await counter.answer("oncall take primary 2h")
    shown = await counter.says("oncall")
    assert "(대신 맡음 #1)" in shown
    assert "• #1 <@U0MINJUN1>" in shown
    undone = await counter.says("oncall undo #1")
    assert "당직 변경을 취소했습니다: #1" in undone
    assert "이제 당직: <@U0DOYUN01>" in undone
    assert counter.on_call("2026-01-06 12:30") == "U0DOYUN01"
    assert "이미 끝났습니다" in await counter.says("oncall 취소 1")


@ALONE
async def test_the_only_schedule_needs_no_naming(counter: Counter) -> None:
    for line in ("take 2h", "swap <@U0SEOYEON> 18:00 2h"):
        assert "· `primary`" in await counter.says(f"oncall {line}")
    assert "없는 당직표: `primry`" in await counter.says("oncall take primry 2h")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nothing", "없는 당직표: `nothing`"),
        ("swap", "어느 당직표인지"),
        ("swap primry <@U0SEOYEON> 18:00 2h", "없는 당직표: `primry`"),
        ("swap <@U0SEOYEON> 18:00 2h", "없는 당직표: `U0SEOYEON`"),
        ("swap primary", "누가 맡을지"),
        ("swap primary 18:00 09:00", "사람이 아닙니다: `18:00`"),
        ("swap primary @nobody 18:00 09:00", "찾을 수 없는 사람: `@nobody`"),
        ("swap primary <@U0SEOYEON>", "언제인지 시간을"),
        ("swap primary <@U0SEOYEON> soon", "읽을 수 없는 시간: `soon`"),
        ("swap primary <@U0SEOYEON> 18:00", "읽을 수 없는 시간: `18:00`"),
        ("swap primary <@U0SEOYEON> 2026-01-01T10:00 2h", "이미 지난 시간"),
        ("swap primary <@U0SEOYEON> 2026-01-09T10:00 2026-01-08T10:00", "이미 지난 시간"),
        ("swap primary <@U0SEOYEON> 18:00 200d", "너무 깁니다"),
        ("swap primary <@U0SEOYEON> 2028-01-09T10:00 2h", "너무 먼 날"),
        ("take", "어느 당직표인지"),
        ("take primary", "언제인지 시간을"),
        ("take primary 0h", "이미 지난 시간"),
        ("undo", "번호를 써 주세요"),
        ("undo one", "번호가 아닙니다: `one`"),
        ("undo 99999999999999999999", "번호가 아닙니다"),
        ("undo #", "번호가 아닙니다"),
        ("undo 99999999999999999", "없거나 이미 끝났습니다: `99999999999999999`"),
        ("undo 7", "없거나 이미 끝났습니다: `7`"),
        ("swap primary <!channel> 18:00 2h", "사람이 아닙니다: `&lt;!channel&gt;`"),
    ],
)
async def test_what_cannot_be_used_gets_a_sentence_and_changes_nothing(
    counter: Counter, line: str, said: str
) -> None:
    answer = await counter.says(f"oncall {line}")
    assert said in answer
    assert "이렇게 써 주세요: `/guardian oncall " in answer
    assert counter.desk.roster.overrides("primary") == ()


async def test_a_database_that_is_away_is_said_and_nothing_has_changed(counter: Counter) -> None:
    with Disk().beneath_every_transaction() as disk:
        disk.read_only = True
        assert "기록을 읽을 수 없습니다" in await counter.says("oncall take primary 2h")
    assert counter.desk.roster.overrides("primary") == ()


async def test_without_schedules_it_says_how_to_get_one(counter: Counter) -> None:
    counter.dispatcher.guardian.duty = None
    assert "설정된 당직이 없습니다" in await counter.says("oncall take 2h")
