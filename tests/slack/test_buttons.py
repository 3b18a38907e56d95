"""확인 and 더보기, on cards and in the Home tab."""

from __future__ import annotations

import asyncio

from bot.slack.buttons import Drawn, drawn
from bot.workspace.faults import FaultKind
from bot.workspace.model import View
from tests.people import elements, words
from tests.stage import Stage
from tests.waiting import eventually


def test_a_button_says_which_alert_it_was_drawn_for() -> None:
    assert drawn('{"id":3,"version":2}') == Drawn(3, 2)
    for other in ("", "{}", "[]", "3", '{"id":null,"version":1}', '{"id":"x","version":1}', "null"):
        assert drawn(other) is None


async def test_a_second_press_is_answered_and_does_nothing(stage: Stage) -> None:
    stage.dial.works(82)
    card = await stage.card("⚠️ 주의")
    first, second = stage.person(1), stage.person(2)
    await first.presses(card)
    await stage.card(f"<@{first.id}>")
    await second.presses_late(card)

    answer = await second.is_told("이미 확인된 알림")
    assert f"<@{first.id}>" in words(answer)
    assert f"<@{first.id}>" in words(stage.current(card))
    await stage.thread_says("발령", "확인")


async def test_of_two_who_press_at_once_one_is_first(stage: Stage) -> None:
    stage.dial.works(82)
    card = await stage.card("⚠️ 주의")
    people = [stage.person(number) for number in range(4)]
    await asyncio.gather(*(person.presses_late(card) for person in people))

    acked = await stage.card("확인: <@")
    first = next(person for person in people if f"<@{person.id}>" in words(acked))
    for person in people:
        if person is not first:
            await person.is_told("이미 확인된 알림")
    await stage.thread_says("발령", "확인")


async def test_a_press_on_an_outdated_card_is_answered_and_does_nothing(stage: Stage) -> None:
    stage.dial.works(82)
    card = await stage.card("⚠️ 주의")
    stage.dial.works(95)
    await stage.card("🔥 긴급")
    await stage.person(2).presses_late(card)

    await stage.person(2).is_told("아무것도 하지 않았습니다")
    assert elements(stage.current(card), "alert_ack"), "it can still be acknowledged"


async def test_a_press_after_the_end_is_answered(stage: Stage) -> None:
    stage.dial.works(82)
    card = await stage.card("⚠️ 주의")
    stage.dial.works(40)
    await stage.card("✅ 해결")
    await stage.person(2).presses_late(card)

    await stage.person(2).is_told("지금 상태")
    await stage.thread_says("발령", "해결")


async def test_an_acknowledgement_that_slack_does_not_show_yet_is_told_at_once(stage: Stage) -> None:
    stage.dial.works(82)
    card = await stage.card("⚠️ 주의")
    await stage.thread_says("발령")
    stage.slack.faults.add("chat.postMessage", FaultKind.HTTP, seconds=600)
    stage.slack.faults.add("chat.update", FaultKind.HTTP, seconds=600)
    stage.dial.works(95)
    await stage.has_level("critical")
    await eventually(lambda: stage.dial.reads > 0)
    await stage.person(1).presses_late(card)
    await stage.person(1).is_told("아무것도 하지 않았습니다")

    answer = words(await stage.person(2).types("/guardian alerts"))
    assert "🔥 긴급" in answer
    await stage.slack.faults.clear()
    await stage.card("🔥 긴급")


async def test_the_menu_explains_and_helps(stage: Stage) -> None:
    stage.dial.works(82)
    card = await stage.card("⚠️ 주의")
    someone = stage.person(1)
    await someone.chooses(card, "explain")
    await someone.is_told("나쁜 값이 이어져")
    await someone.chooses(card, "help")
    await someone.is_told("할 수 있는 말")


async def test_home_shows_the_state_and_acknowledges(stage: Stage) -> None:
    someone = stage.person(1)
    await stage.slack.workspace.open_home(someone.id, stage.slack.app.id)
    home = await eventually(lambda: stage.slack.workspace.home(stage.slack.app.id, someone.id))
    assert "시스템 상태: 정상 (Green)" in words(home)
    assert "/guardian 상태" in words(home)

    stage.dial.works(82)
    await stage.card("⚠️ 주의")
    await stage.slack.workspace.open_home(someone.id, stage.slack.app.id)
    troubled = await eventually(lambda: _home_with(stage, someone.id, "alert_ack"))
    assert "메모리 사용률 82%" in words(troubled)
    await someone.presses(troubled)

    done = await eventually(lambda: _home_with(stage, someone.id, f"<@{someone.id}>"))
    assert elements(done, "alert_ack") == []
    await stage.card(f"<@{someone.id}>")


async def test_the_other_tab_draws_nothing(stage: Stage) -> None:
    someone = stage.person(1)
    await stage.slack.workspace.open_home(someone.id, stage.slack.app.id, "messages")
    await someone.types("/guardian version")
    assert stage.slack.workspace.home(stage.slack.app.id, someone.id) is None


def _home_with(stage: Stage, user_id: str, said: str) -> View | None:
    home = stage.slack.workspace.home(stage.slack.app.id, user_id)
    return home if home is not None and said in repr(home.blocks) else None
