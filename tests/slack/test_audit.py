"""`/guardian audit`: what people did by command, button and form, and what of it is shown to whom."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.domain.audit import Action, Outcome
from bot.engine.audit import AuditBook
from bot.engine.board import Board
from bot.engine.guardian import Guardian, Identity
from bot.slack.command import Answer
from bot.slack.commands import all_commands
from bot.slack.dispatch import Dispatcher
from bot.store.audit import AuditStore
from bot.store.database import Database
from bot.store.store import Store
from messages.answer_facts import BadArgumentFacts
from messages.audit_facts import AuditListFacts
from messages.render import Voice
from tests.engine.support import SetClock
from tests.engine.watching import CpuRules, Watch
from tests.factories import T0
from tests.people import words
from tests.stage import Stage
from tests.waiting import eventually

ANN, BOB = "U0ANN0001", "U0BOB0001"


@dataclass
class Counter:
    """Where commands are typed."""

    book: AuditBook
    dispatcher: Dispatcher

    async def answer(self, line: str) -> Answer:
        return await self.dispatcher.answer(line, ANN)

    async def listed(self, line: str) -> AuditListFacts:
        facts = (await self.answer(line)).facts
        assert isinstance(facts, AuditListFacts)
        return facts

    async def numbers(self, line: str) -> list[int]:
        return [each.number for each in (await self.listed(line)).entries]

    async def says(self, line: str, language: str = "ko") -> str:
        answer = await self.answer(line)
        message = Voice(language).message(answer.template, answer.facts.as_json())
        return "\n".join([message.text, json.dumps(message.blocks, ensure_ascii=False)])


@pytest.fixture
async def counter(tmp_path: Path) -> AsyncIterator[Counter]:
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path / 'guardian.db'}")
    clock = SetClock()
    watch = await Watch.begins(Store(database), clock)
    book = AuditBook(AuditStore(database), clock)
    identity, board = Identity("web-1", "test", "1.0", T0), Board([], CpuRules())
    guardian = Guardian(identity, board, watch.desk, watch.outbox, watch.ledger, clock, audit=book)
    yield Counter(book, Dispatcher(guardian, "/guardian", all_commands()))
    await database.close()


def fill(counter: Counter, many: int) -> None:
    for number in range(1, many + 1):
        who = ANN if number % 2 else BOB
        counter.book.note(who, Action.ALERT_ACKNOWLEDGE, f"alert:{number}", detail={"target": "web-1"})


async def test_the_newest_come_first_and_older_ones_by_a_number(counter: Counter) -> None:
    fill(counter, 45)
    assert await counter.numbers("audit") == list(range(45, 25, -1))
    assert await counter.numbers("감사 3") == [45, 44, 43]
    assert await counter.numbers("audit 3 &lt;43") == [42, 41, 40]
    assert await counter.numbers("audit <4") == [3, 2, 1]
    said = await counter.says("audit 3")
    assert "감사 기록 3건 (모두 45건)" in said
    assert "더 오래된 기록: `/guardian 감사 3 &lt;43`" in said
    assert "더 오래된" not in await counter.says("audit <4")


async def test_as_many_as_fit_into_a_message_are_shown_and_the_rest_can_be_asked_for(
    counter: Counter,
) -> None:
    for number in range(40):
        detail = {name: "가나다<&>" * 20 for name in ("matcher", "reason", "target", "schedule", "x")}
        counter.book.note(ANN, Action.SILENCE_ADD, f"silence:{number}" + "y" * 400, detail=detail)
    said = await counter.says("audit 30")
    shown = said.split("감사 기록 ")[1].split("건")[0]
    assert 3 <= int(shown) < 30
    assert f"감사 30 &lt;{40 - int(shown) + 1}`" in said


async def test_people_actions_subjects_and_outcomes_are_found(counter: Counter) -> None:
    fill(counter, 4)
    counter.book.note(BOB, Action.SILENCE_ADD, "silence:7")
    counter.book.note(BOB, Action.ALERT_RESOLVE, "alert:3", Outcome.REFUSED)
    assert await counter.numbers(f"audit <@{BOB}|bob the builder>") == [6, 5, 4, 2]
    assert await counter.numbers(f"audit 1 <@{BOB}>") == [6]
    assert await counter.numbers(f"audit <@{BOB}> silence") == [5]
    assert await counter.numbers("감사 침묵") == [5]
    assert await counter.numbers("감사 알림 거절") == [6]
    assert await counter.numbers("audit ALERT:3") == [6, 3]
    assert await counter.numbers("audit alert.resolve refused") == [6]
    said = await counter.says("audit nobody")
    assert "맞는 감사 기록 없음 (모두 6건) · 찾은 말: `nobody`" in said
    assert "No entry of the audit log matches (6 in all)" in await counter.says("audit nobody", "en")


async def test_what_is_shown_in_words_is_found_by_these_words(counter: Counter) -> None:
    note = counter.book.note
    note(ANN, Action.OPERATION_ASK, "operation:1", detail={"operation": "cleanup", "target": "host:web-1"})
    note(BOB, Action.OPERATION_APPROVE, "operation:1", detail={"operation": "cleanup"})
    note(BOB, Action.OPERATION_BREAK_GLASS, "operation:2", detail={"operation": "backup"})
    note("guardian", Action.OPERATION_END, "operation:1", detail={"operation": "cleanup", "what": "done"})
    note(ANN, Action.LOCK_TAKE, "host:web-1", Outcome.REFUSED, detail={"why": "not_allowed"})
    note(BOB, Action.FREEZE_ADD, "freeze:1", detail={"reason": "cleanup"})
    assert await counter.numbers("감사 작업 승인") == [3, 2]
    assert await counter.numbers('감사 "작업 승인"') == [2]
    assert await counter.numbers("감사 승인") == [3, 2]
    assert await counter.numbers("감사 작업") == [4, 3, 2, 1]
    assert await counter.numbers("감사 작업 정리") == [4, 2, 1]
    assert await counter.numbers("감사 수호자") == [4]
    assert await counter.numbers("감사 잠금") == [5]
    assert await counter.numbers("감사 동결") == [6]
    assert await counter.numbers("감사 권한") == [5]
    assert await counter.numbers(f"감사 승인 <@{BOB}>") == [3, 2]
    assert await counter.numbers("감사 " + unicodedata.normalize("NFD", "승인")) == [3, 2]
    assert await counter.numbers("audit approved") == [2]
    assert await counter.numbers("감사 없는말") == []
    said = await counter.says("감사 1 승인")
    assert "찾은 말: `승인`" in said
    assert "감사 1 &lt;3 승인`" in said
    assert "따옴표가 닫히지 않았습니다" in await counter.says('감사 "작업 승인')


async def test_an_empty_log_says_so(counter: Counter) -> None:
    assert "감사 기록이 아직 없습니다." in await counter.says("audit")
    assert "The audit log is still empty." in await counter.says("audit x", "en")


@pytest.mark.parametrize(
    "typed", ["0", "31", "99999999999999999999", "<", "<x", "20 <x", "<-1", "７", "a b c d e f", "<1.5"]
)
async def test_what_cannot_be_used_is_named_with_what_would_be_right(counter: Counter, typed: str) -> None:
    facts = (await counter.answer(f"audit {typed}")).facts
    assert isinstance(facts, BadArgumentFacts)
    assert (facts.argument, facts.usage) == (typed, "[1-30] [<NUMBER] [WORDS]")
    said = await counter.says(f"audit {typed}")
    assert "/guardian 감사 [1-30] [&lt;번호] [찾을 말]" in said


async def test_what_people_do_in_slack_is_in_the_log_under_their_names(stage: Stage) -> None:
    stage.dial.works(82)
    card = await stage.card("⚠️ 주의")
    minjun, doyun = stage.person(0), stage.person(1)
    await doyun.presses(card)
    await stage.card(f"<@{doyun.id}>")
    await minjun.types("/guardian silence service=shop for 2h 배포")
    await minjun.types("/guardian silence lift 1")
    await eventually(lambda: len(stage.rows("SELECT number FROM audit")) == 3)
    rows = stage.rows("SELECT actor, action, subject, outcome FROM audit ORDER BY number")
    assert rows == [
        (doyun.id, "alert.acknowledge", "alert:1", "done"),
        (minjun.id, "silence.add", "silence:1", "done"),
        (minjun.id, "silence.lift", "silence:1", "done"),
    ]
    said = words(await minjun.types(f"/guardian 감사 <@{doyun.id}>"))
    assert "감사 기록 1건 (모두 3건)" in said
    assert "알림 확인" in said
    assert f"<@{doyun.id}>" in said
    await stage.stop()
    assert len(stage.rows("SELECT number FROM audit")) == 3
