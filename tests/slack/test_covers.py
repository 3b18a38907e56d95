"""Silences, windows and routes by command, button and form, through a real workspace."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import JsonValue
from slack_sdk.web.async_client import AsyncWebClient

from bot.engine.board import Board
from bot.engine.guardian import Guardian, Identity
from bot.slack.background import Background
from bot.slack.command import Answer
from bot.slack.commands import all_commands
from bot.slack.connection import SocketMode, check_tokens, slack_session, web_client
from bot.slack.dispatch import Dispatcher
from bot.slack.listeners import build_app
from bot.slack.modals.silence import open_silence_modal, submitted
from bot.slack.replies import Replies
from bot.store.database import Database
from bot.workspace.model import Message, Submission, SubmissionKind, View
from bot.workspace.server import Running
from messages.render import Voice
from tests.engine.support import SetClock
from tests.engine.surrounded import Surrounded
from tests.engine.watching import CpuRules
from tests.factories import T0
from tests.people import Person, elements, words
from tests.waiting import eventually

ASKER = "U0MINJUN1"


class Counter:
    """Where commands are typed, with an alert #1 of web-1 that is open."""

    def __init__(self, world: Surrounded) -> None:
        identity = Identity("web-1", "test", "1.0", T0)
        board = Board([], CpuRules())
        self.world = world
        self.guardian = Guardian(
            identity, board, world.desk, world.outbox, world.ledger, world.clock, covers=world.covers
        )
        self.dispatcher = Dispatcher(self.guardian, "/guardian", all_commands())

    async def answer(self, line: str) -> Answer:
        return await self.dispatcher.answer(line, ASKER)

    async def says(self, line: str, language: str = "ko") -> str:
        """What the answer says, blocks and all."""
        answer = await self.answer(line)
        message = Voice(language).message(answer.template, answer.facts.as_json())
        return "\n".join([message.text, json.dumps(message.blocks, ensure_ascii=False)])


@pytest.fixture
async def counter(tmp_path: Path) -> AsyncIterator[Counter]:
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path / 'guardian.db'}")
    world = await Surrounded.begins(database, SetClock())
    await world.check(75, 75, 75)
    yield Counter(world)
    await database.close()


async def test_a_silence_is_made_listed_and_lifted(counter: Counter) -> None:
    assert "알림을 멈췄습니다: #1" in await counter.says("silence service=shop, level<=error for 2h 배포 v42")
    listed = await counter.says("침묵")
    for said in ("알림 멈춤 1건", "service=shop, level&lt;=error", f"<@{ASKER}>", "배포 v42", "해제"):
        assert said in listed
    assert "해제했습니다" in await counter.says("silence lift #1")
    assert "알림 멈춤 없음" in await counter.says("silence list")
    assert "없는 알림 멈춤: `1`" in await counter.says("침묵 해제 1")


async def test_korean_durations_work(counter: Counter) -> None:
    assert "알림을 멈췄습니다: #1" in await counter.says("침묵 target=web-1 2시간 동안 배포")
    (silence,) = counter.world.covers.silences()
    assert (silence.reason, silence.ends_at) == ("배포", "2026-03-01T11:00:45+00:00")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("silence shop for 2h x", "조건이 아닙니다: shop"),
        ("silence service=shop for 2d x", "24시간까지"),
        ("silence service=shop for 2h", "이유를 적어 주세요"),
        ("silence service=shop x", "언제까지인지"),
        ("silence target=~( for 2h x", "정규식이 아닙니다"),
        ("silence lift x", "없는 알림 멈춤"),
        ("silence lift 99999999999999999999", "없는 알림 멈춤"),
        ("maintenance add service=shop x", "언제부터 언제까지"),
        ("maintenance add service=shop now 40d x", "30일까지"),
        ("maintenance end 7", "없는 점검창"),
        ("maintenance nonsense", "점검창 [추가 조건 22:00-02:00 이유 | 끝 번호]"),
        ("route service!=shop", "라벨은 = 기호로만"),
    ],
)
async def test_what_cannot_be_used_is_said_and_changes_nothing(
    counter: Counter, line: str, said: str
) -> None:
    assert said in await counter.says(line)
    assert (counter.world.covers.silences(), counter.world.covers.windows()) == ((), ())


async def test_a_silence_for_everything_needs_the_word_all(counter: Counter) -> None:
    asked = await counter.says("silence * for 2h 배포")
    assert "아직 아무것도 바뀌지 않았습니다" in asked
    assert "지금 열린 알림 1건" in asked
    assert counter.world.covers.silences() == ()
    assert "알림을 멈췄습니다: #1" in await counter.says("silence * for 2h 배포 —all")


async def test_a_window_is_made_listed_and_ended(counter: Counter) -> None:
    assert "점검창을 만들었습니다: #1" in await counter.says("maintenance add service=shop 22:00-02:00 배포")
    assert "점검창 1건" in await counter.says("점검창")
    assert "끝냈습니다" in await counter.says("점검창 끝 1")
    assert "점검창 없음" in await counter.says("maintenance")


@pytest.mark.parametrize(
    ("line", "missing", "nothing"),
    [
        ("silence lift", "해제할 알림 멈춤의 번호", "지금은 알림 멈춤이 없습니다"),
        ("침묵 해제", "해제할 알림 멈춤의 번호", "지금은 알림 멈춤이 없습니다"),
        ("maintenance end", "끝낼 점검창의 번호", "명령으로 만든 점검창이 없습니다"),
        ("점검창 끝", "끝낼 점검창의 번호", "명령으로 만든 점검창이 없습니다"),
    ],
)
async def test_what_is_to_be_ended_needs_its_number(
    counter: Counter, line: str, missing: str, nothing: str
) -> None:
    said = await counter.says(line)
    assert missing in said and nothing in said
    for name in ("shop", "db"):
        await counter.says(f"silence service={name} for 2h 배포")
        await counter.says(f"maintenance add service={name} 22:00-02:00 배포")
    said = await counter.says(line)
    assert missing in said and "가능: `1`, `2`" in said
    assert (len(counter.world.covers.silences()), len(counter.world.covers.windows())) == (2, 2)


async def test_a_route_is_explained(counter: Counter) -> None:
    said = await counter.says("route target=web-1 level=critical")
    assert "경로: loud → #loud" in said
    english = await counter.says("route target=db-1", "en")
    assert "does not match: `service=shop` · the value is `database`" in english


async def test_a_form_says_what_is_wrong_by_field(counter: Counter) -> None:
    async with slack_session() as session:
        replies = Replies(session, AsyncWebClient("xoxb-1"), Voice("ko"))

        def view(reason: str, seconds: str = "3600", alert: str = "1") -> dict[str, object]:
            length = {"length": {"type": "static_select", "selected_option": {"value": seconds}}}
            values = {"length": length, "reason": {"reason": {"type": "plain_text_input", "value": reason}}}
            return {"private_metadata": alert, "state": {"values": values}}

        async def errors(sent: dict[str, object]) -> list[str]:
            return list(await submitted(replies, counter.guardian, sent, ASKER))

        assert await errors(view(" ")) == ["reason"]
        assert await errors(view("x", "172800")) == ["length"]
        assert await errors(view("x", alert="9")) == ["reason"]
        assert await errors(view("x", alert="x")) == ["reason"]
        assert await errors({}) == ["reason"]
        assert counter.world.covers.silences() == ()
        assert await errors(view("배포")) == []
    (silence,) = counter.world.covers.silences()
    assert silence.matcher == "metric=cpu_usage, target=web-1, environment=test"


async def test_a_form_that_is_saved_late_says_so_and_is_saved_once(counter: Counter, tmp_path: Path) -> None:
    sent = {
        "private_metadata": "1",
        "state": {
            "values": {
                "length": {"length": {"type": "static_select", "selected_option": {"value": "3600"}}},
                "reason": {"reason": {"type": "plain_text_input", "value": "배포"}},
            }
        },
    }
    somebody = sqlite3.connect(tmp_path / "guardian.db", isolation_level=None)
    async with slack_session() as session:
        replies = Replies(session, AsyncWebClient("xoxb-1"), Voice("ko"))
        try:
            somebody.execute("BEGIN IMMEDIATE")  # the database lets nobody else write
            errors = await submitted(replies, counter.guardian, sent, ASKER, patience=0.01)
        finally:
            somebody.execute("COMMIT")
            somebody.close()
    assert "저장하는 중입니다" in errors["reason"]
    assert "/guardian silence" in errors["reason"]
    await eventually(counter.world.covers.silences)
    (silence,) = counter.world.covers.silences()
    assert silence.reason == "배포"


# Before a real workspace


class Door:
    """The counter, heard by people in a workspace."""

    def __init__(self, counter: Counter, slack: Running, replies: Replies) -> None:
        self.counter = counter
        self.slack = slack
        self.replies = replies

    def person(self) -> Person:
        return Person(self.slack, self.slack.workspace.users()[1])

    async def opens(self, alert_id: int) -> View:
        """The form for that alert, as the menu on its card opens it."""
        person, workspace = self.person(), self.slack.workspace
        trigger = workspace.tickets.trigger(self.slack.app.id, person.id)
        assert await open_silence_modal(self.replies, self.counter.guardian, trigger, alert_id)
        return workspace.views.stack(person.id)[-1]

    async def submits(self, view: View, reason: str) -> Submission:
        """Fill in the form's reason and send it."""
        values: dict[str, JsonValue] = {
            **view.state_values,
            "reason": {"reason": {"type": "plain_text_input", "value": reason}},
        }
        return await self.slack.workspace.submit_view(self.person().id, view.id, values)


@pytest.fixture
async def door(counter: Counter, slack: Running) -> AsyncIterator[Door]:
    async with slack_session() as session:
        client = web_client(slack.bot_token, slack.api_url, session)
        replies = Replies(session, client, Voice("ko"))
        background = Background()
        app = build_app(
            web_client(slack.bot_token, slack.api_url, None), counter.dispatcher, replies, None, background
        )
        door = Door(counter, slack, replies)
        socket = SocketMode(app, slack.app_token)
        running = asyncio.create_task(socket.run(await check_tokens(client, slack.app_token)))
        await eventually(lambda: slack.workspace.app_online(slack.app.id))
        yield door
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await socket.close()
        await background.close(1)


async def test_the_button_of_a_list_lifts(door: Door) -> None:
    person = door.person()
    await person.types("/guardian silence service=shop for 2h 배포")
    listed = await person.types("/guardian silence")
    await person.presses(listed, "silence_lift")
    await person.is_told("해제했습니다", "general")
    assert door.counter.world.covers.silences() == ()
    await person.presses(listed, "silence_lift")
    await person.is_told("없는 알림 멈춤", "general")


async def test_the_button_of_a_question_confirms(door: Door) -> None:
    person = door.person()
    question: Message = await person.types("/guardian silence * for 2h 배포 v42")
    assert "모든 알림이 조용해집니다" in words(question)
    await person.presses(question, "cover_confirm")
    await person.is_told("알림을 멈췄습니다: #1", "general")
    (silence,) = door.counter.world.covers.silences()
    assert (silence.matcher, silence.reason, silence.owner) == ("*", "배포 v42", person.id)


async def test_the_button_of_a_window_ends_it(door: Door) -> None:
    person = door.person()
    await person.types("/guardian maintenance add service=shop now 2h 배포")
    listed = await person.types("/guardian maintenance")
    await person.presses(listed, "maintenance_end")
    await person.is_told("끝냈습니다", "general")
    assert elements(await person.types("/guardian maintenance"), "maintenance_end") == []


async def test_the_form_of_a_card_silences_exactly_that_alert(door: Door) -> None:
    form = await door.opens(1)
    for said in ("CPU 사용률 75%", "metric=cpu_usage, target=web-1, environment=test"):
        assert said in words(form)
    outcome = await door.submits(form, "   ")
    assert (outcome.kind, list(outcome.errors)) == (SubmissionKind.ERRORS, ["reason"])
    outcome = await door.submits(form, "배포")
    assert outcome.kind is SubmissionKind.CLOSED
    (silence,) = door.counter.world.covers.silences()
    assert (silence.reason, silence.owner) == ("배포", door.person().id)
    assert (silence.starts_at, silence.ends_at) == ("2026-03-01T09:00:45+00:00", "2026-03-01T10:00:45+00:00")


async def test_there_is_no_form_for_an_alert_that_is_no_more(door: Door) -> None:
    assert not await open_silence_modal(door.replies, door.counter.guardian, "1.2.x", 9)
