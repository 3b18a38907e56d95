"""Two clicks at one instant, clicks on what has changed, clicks that come twice: one counts, all are told."""

from __future__ import annotations

import asyncio

import pytest

from bot.workspace.faults import FaultKind
from bot.workspace.model import Message
from tests.alertmanager import Trouble
from tests.people import ALERTS, Person, words
from tests.stage import Stage
from tests.waiting import eventually


async def test_of_two_who_acknowledge_at_the_same_instant_one_has_it_and_the_other_learns_who(
    stage: Stage,
) -> None:
    stage.dial.works(82)
    card = await stage.card("⚠️ 주의")
    people = [stage.person(1), stage.person(2)]
    await asyncio.gather(*(person.presses(card) for person in people))
    acked = await stage.card("확인:")

    winner, loser = people if f"확인: <@{people[0].id}>" in words(acked) else reversed(people)
    assert f"<@{winner.id}>" in words(await loser.is_told("이미 확인된 알림"))
    assert _private(winner) == []
    assert stage.rows("SELECT actor FROM decisions WHERE reason = 'acked'") == [(winner.id,)]
    await stage.thread_says("발령", f"확인: <@{winner.id}>")


async def test_of_acknowledge_and_resolve_at_the_same_instant_one_counts(idle: Stage) -> None:
    idle.with_rules(clear=10_000)
    await idle.start()
    idle.dial.works(82)
    card = await idle.card("⚠️ 주의")
    idle.dial.works(40)
    await idle.checks()
    taker, ender = idle.person(1), idle.person(2)
    await asyncio.gather(taker.presses(card), ender.chooses(card, "resolve"))

    done = await eventually(
        lambda: idle.rows(
            "SELECT reason, actor FROM decisions WHERE actor IS NOT NULL AND to_status != 'firing'"
        )
    )
    loser = await eventually(lambda: next((p for p in (taker, ender) if _private(p)), None))
    told = _private(loser)[0]
    if done[0] == ("acked", taker.id):
        assert loser == ender and "그사이 알림이 바뀌어" in told and "확인" in told
        await idle.thread_says("발령", "확인")
    else:
        assert done[0] == ("resolved_by_hand", ender.id)
        assert loser == taker and "그사이 알림이 바뀌어" in told and "해결" in told
        await idle.thread_says("발령", "해결됨으로 표시")


async def test_who_clicks_on_a_card_as_it_was_is_told_how_it_is(stage: Stage) -> None:
    stage.dial.works(82)
    card = await stage.card("⚠️ 주의")
    stage.dial.works(95)
    risen = await stage.card("🔥 긴급")
    doyun, seoyeon = stage.person(1), stage.person(2)
    await doyun.presses_late(card)
    assert "🔥 긴급" in words(await doyun.is_told("그사이 알림이 바뀌어"))
    assert stage.rows("SELECT status FROM alerts") == [("firing",)]

    stage.dial.works(40)
    await stage.card("✅ 해결")
    await seoyeon.presses_late(risen)
    assert "해결" in words(await seoyeon.is_told("그사이 알림이 바뀌어"))
    assert stage.rows("SELECT status FROM alerts") == [("resolved",)]


async def test_a_click_that_slack_delivers_twice_counts_once(stage: Stage) -> None:
    stage.dial.works(82)
    card = await stage.card("⚠️ 주의")
    await stage.thread_says("발령")
    doyun, seoyeon = stage.person(1), stage.person(2)
    stage.slack.faults.duplicate()
    await doyun.presses(card)
    await stage.card(f"<@{doyun.id}>")
    stage.slack.faults.duplicate()
    await seoyeon.says("보고 있습니다", ALERTS, thread_ts=card.ts)
    await stage.card(f"본 사람: <@{doyun.id}>, <@{seoyeon.id}>")
    stage.slack.faults.duplicate()
    await doyun.types("/guardian status")
    await stage.checks()

    assert stage.rows("SELECT count(*) FROM decisions WHERE event = 'acknowledged'") == [(1,)]
    assert [line for line in stage.thread(stage.cards()[0]) if "확인" in line] == [f"확인: <@{doyun.id}>"]
    assert _private(doyun) == []
    answers = [m for m in doyun.sees("general") if m.ephemeral_for]
    assert len(answers) == 1, "one line, one answer"


@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.HTTP, FaultKind.RATE_LIMITED])
async def test_the_first_click_after_a_start_waits_for_no_word_of_slack(idle: Stage, kind: FaultKind) -> None:
    idle.slack.faults.add("auth.test", kind, seconds=600)
    await idle.start()
    idle.dial.works(82)
    doyun = idle.person(1)
    await doyun.presses(await idle.card("⚠️ 주의"))
    await idle.card(f"확인: <@{doyun.id}>")
    assert "시스템 상태" in words(await doyun.types("/guardian status"))


async def test_of_two_who_take_a_storm_at_the_same_instant_one_has_all_of_it(idle: Stage) -> None:
    alertmanager = idle.with_alertmanager()
    await idle.start()
    await alertmanager.tells(*(Trouble(f"node-{n:03}") for n in range(30)))
    storm = await eventually(lambda: _storm(idle))
    people = [idle.person(1), idle.person(2)]
    await asyncio.gather(*(person.presses(storm, "storm_ack") for person in people))

    answers = [await person.is_told("폭주 #1") for person in people]
    assert sorted("29건을 확인했습니다" in words(answer) for answer in answers) == [False, True]
    assert sorted("남아 있지 않습니다" in words(answer) for answer in answers) == [False, True]
    owners = idle.rows("SELECT DISTINCT acked_by FROM alerts WHERE status = 'acked'")
    assert len(owners) == 1


def _private(person: Person) -> list[str]:
    """What only they were told in the channel of the alerts."""
    return [words(message) for message in person.sees(ALERTS) if message.ephemeral_for]


def _storm(stage: Stage) -> Message | None:
    return next((m for m in stage.posts() if "알림 폭주" in m.text and not m.is_reply), None)
