"""Cards that somebody deletes, or that can no longer be edited: the next news make a new one."""

from __future__ import annotations

import pytest

from bot.workspace.faults import FaultKind
from bot.workspace.model import Message
from tests.alertmanager import Trouble
from tests.clocks import WallClock
from tests.people import ALERTS, elements, words
from tests.stage import Stage
from tests.told import Told
from tests.waiting import eventually

FLOOD = [Trouble(f"node-{n:03}") for n in range(12)]


@pytest.mark.parametrize("lost", ["deleted", "cant_update_message", "edit_window_closed"])
async def test_the_alert_follows_its_new_card_with_all_its_buttons(stage: Stage, lost: str) -> None:
    stage.dial.works(82)
    card = await stage.card("⚠️ 주의")
    await stage.thread_says("발령")
    if lost == "deleted":
        stage.slack.faults.delete_message(ALERTS, card.ts)
    else:
        stage.slack.faults.add("chat.update", FaultKind.ERROR, error=lost)
    stage.dial.works(95)

    new = await eventually(lambda: next((c for c in stage.cards() if c.ts > card.ts), None))
    assert "🔥 긴급: 메모리 사용률 95%" in words(new)
    doyun = stage.person(1)
    await doyun.presses(new)
    await eventually(lambda: f"<@{doyun.id}>" in words(stage.current(new)))
    await stage.person(2).says("보고 있습니다", ALERTS, thread_ts=new.ts)
    await eventually(lambda: f"<@{stage.person(2).id}>" in words(stage.current(new)))
    await doyun.chooses(stage.current(new), "resolve")
    await doyun.is_told("아직 해결되지 않아")
    stage.dial.works(40)
    await eventually(lambda: "✅ 해결" in words(stage.current(new)))

    thread = await eventually(lambda: t if len(t := _bots(stage, new)) == 3 else None)
    assert "단계 상승" in thread[0] and "확인" in thread[1] and "해결" in thread[2]
    await doyun.presses(stage.current(new), "alert_useful")
    await doyun.is_told("👍")
    assert len([c for c in stage.cards() if c.ts >= card.ts]) == (1 if lost == "deleted" else 2)


async def test_a_page_does_not_go_into_the_thread_of_a_card_that_somebody_deleted(idle: Stage) -> None:
    """The thread goes on without its card, and would take the page: nobody sees it there."""
    clock = idle.clock = WallClock()
    idle.with_policy(ladders={"warning": {"steps": [{"after": "1m", "tiers": [1]}]}})
    await idle.start()
    idle.dial.works(82)
    card = await idle.card("⚠️ 주의")
    await idle.thread_says("발령")
    idle.slack.faults.delete_message(ALERTS, card.ts)
    await eventually(lambda: not idle.rows("SELECT ts FROM cards WHERE stream = 'alert:1'"))
    clock.forward(minutes=2)
    page = await idle.post("1회차 1단계 호출", ALERTS)
    assert not page.is_reply
    again = await idle.card("⚠️ 주의")
    assert again.ts > card.ts
    idle.dial.works(95)
    await eventually(lambda: any("단계 상승" in line for line in idle.thread(again)))


async def test_a_note_in_doubt_whose_thread_is_deleted_meanwhile_holds_nothing_up(stage: Stage) -> None:
    stage.dial.works(82)
    card = await stage.card("⚠️ 주의")
    await stage.thread_says("발령")
    stage.slack.faults.add("chat.postMessage", FaultKind.HANG)
    doyun = stage.person(1)
    await doyun.presses(card)
    await eventually(lambda: not stage.slack.faults.orders)
    stage.slack.faults.delete_message(ALERTS, card.ts)
    await stage.slack.faults.clear()  # it ends without an answer

    await eventually(lambda: not stage.rows("SELECT id FROM letters WHERE state = 'queued'"))
    assert await stage.post(f"확인: <@{doyun.id}>", ALERTS)
    stage.dial.works(40)
    await stage.card("✅ 해결")


async def test_a_deleted_card_of_a_storm_is_put_up_again(idle: Stage) -> None:
    alertmanager = idle.with_alertmanager()
    clock = idle.clock = WallClock()
    await idle.start()
    await alertmanager.tells(*FLOOD)
    storm = await _storm_card(idle)
    await eventually(lambda: len(Told.of(idle.slack).fired) >= len(FLOOD) - 1)
    idle.slack.faults.delete_message(ALERTS, storm.ts)

    await alertmanager.tells(*FLOOD[6:], status="resolved")
    told = await eventually(lambda: t if len((t := Told.of(idle.slack)).resolved) == 6 else None)
    assert set(told.resolved) == {trouble.target for trouble in FLOOD[6:]}
    clock.forward(seconds=10)  # it is drawn again every ten seconds
    again = await eventually(lambda: c if (c := _storm_of(idle)) and c.ts > storm.ts else None)
    doyun = idle.person(1)
    await doyun.presses(again, "storm_ack")
    await doyun.is_told("5건을 확인했습니다")
    await alertmanager.tells(*FLOOD[:6], status="resolved")
    clock.forward(seconds=10)
    final = await eventually(lambda: c if (c := _storm_of(idle)) and "모두 해결" in words(c) else None)

    assert final.ts == again.ts
    assert elements(final, "storm_ack") == []
    assert len(Told.of(idle.slack).storms) == 1


async def _storm_card(stage: Stage) -> Message:
    return await eventually(lambda: _storm_of(stage))


def _storm_of(stage: Stage) -> Message | None:
    return next((m for m in stage.posts() if "알림 폭주" in m.text and not m.is_reply), None)


def _bots(stage: Stage, card: Message) -> list[str]:
    """The Guardian's own lines in the thread of a card."""
    bot = stage.slack.app.bot_user
    return [m.text for m in stage.person().sees(ALERTS, card.ts)[1:] if m.user == bot]
