"""Slack away, slow, full or out of its mind: everything is told in the end, once and in order."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from bot.workspace.faults import FaultKind
from tests.people import ALERTS, OPS, words
from tests.stage import Stage
from tests.waiting import eventually


async def test_slack_unreachable_at_the_start_is_no_reason_not_to_watch(idle: Stage) -> None:
    await idle.slack.faults.away(600)
    idle.dial.works(82)
    await idle.start(connected=False)
    await idle.has_alert("firing")
    health = await idle.health()
    assert health["status"] == "degraded"
    assert health["slack_connected"] is False

    await idle.slack.faults.clear()
    await idle.card("⚠️ 주의: 메모리 사용률 82%")
    await idle.post("시스템 상태")
    await eventually(lambda: idle.slack.workspace.app_online(idle.slack.app.id))
    answer = await idle.person().types("/guardian status")
    assert "열린 알림 1건" in words(answer)


async def test_what_happened_while_slack_was_away_is_told_in_order_and_that_it_is_late(stage: Stage) -> None:
    await stage.post("시스템 상태")
    await stage.slack.faults.away(600)
    stage.dial.works(82)
    await stage.has_alert("firing")
    stage.dial.works(95)
    await stage.has_level("critical")
    stage.dial.works(40)
    await stage.has_alert("resolved")
    await stage.checks(6)  # longer than the policy takes for an outage worth telling
    assert stage.cards() == []

    await stage.slack.faults.clear()
    card = await stage.card("✅ 해결", "95%")

    await stage.thread_says("발령", "단계 상승", "해결")
    assert [message.ts for message in stage.cards()] == [card.ts]
    late = await stage.post("밀린 메시지")
    assert "받지 않던 동안" in words(late)


async def test_it_hears_people_again_after_slack_was_away(stage: Stage) -> None:
    await stage.slack.faults.away(600)
    await eventually(lambda: not stage.slack.workspace.app_online(stage.slack.app.id))
    await stage.slack.faults.clear()

    await eventually(lambda: stage.slack.workspace.app_online(stage.slack.app.id))
    assert "시스템 상태" in words(await stage.person().types("/guardian"))


async def test_retry_after_is_honoured_and_nothing_is_dropped(stage: Stage) -> None:
    await stage.post("시스템 상태")
    stage.slack.faults.add("chat.postMessage", FaultKind.RATE_LIMITED, times=1, retry_after=2)
    stage.dial.works(82)
    await eventually(lambda: not stage.slack.faults.orders)
    asked = stage.moment()

    card = await stage.card("⚠️ 주의: 메모리 사용률 82%")

    assert float(card.ts) - asked >= 1.5, "two seconds, less what passed before the test looked"
    assert len(stage.cards()) == 1
    await stage.thread_says("발령")


@pytest.mark.parametrize("kind", [FaultKind.HTTP, FaultKind.ERROR, FaultKind.DROP])
async def test_failing_calls_are_made_again_until_they_work(stage: Stage, kind: FaultKind) -> None:
    await stage.post("시스템 상태")
    stage.slack.faults.add("chat.postMessage", kind, times=4)
    stage.slack.faults.add("chat.update", kind, times=2)
    stage.dial.works(82)
    card = await stage.card("⚠️ 주의: 메모리 사용률 82%")
    stage.dial.works(40)
    assert (await stage.card("✅ 해결")).ts == card.ts

    await stage.thread_says("발령", "해결")
    assert len(stage.cards()) == 1
    assert not stage.slack.faults.orders


@pytest.mark.parametrize("kind", [FaultKind.HANG, FaultKind.ACCEPT_AND_HANG])
async def test_a_card_without_an_answer_is_looked_for_before_it_is_posted_again(
    stage: Stage, kind: FaultKind
) -> None:
    await stage.post("시스템 상태")
    stage.slack.faults.add("chat.postMessage", kind)
    stage.dial.works(82)
    await eventually(lambda: not stage.slack.faults.orders)
    await stage.slack.faults.clear()

    await stage.thread_says("발령")
    stage.dial.works(40)
    await stage.card("✅ 해결")

    assert len(stage.cards()) == 1
    await stage.thread_says("발령", "해결")


async def test_dropped_sockets_are_made_again(stage: Stage) -> None:
    for _ in range(3):
        assert stage.slack.faults.drop_sockets() == 1
        answer = await stage.person().types_until_answered("/guardian status")
        assert "시스템 상태" in words(answer)


@pytest.mark.parametrize("reason", ["warning", "refresh_requested", "link_disabled"])
async def test_it_answers_after_a_disconnect_envelope(stage: Stage, reason: str) -> None:
    await stage.slack.faults.disconnect(reason)
    answer = await stage.person().types_until_answered("/guardian status")
    assert "시스템 상태" in words(answer)


async def test_a_deleted_card_is_replaced_and_the_alert_follows_the_new_one(stage: Stage) -> None:
    stage.dial.works(82)
    card = await stage.card("⚠️ 주의")
    await stage.thread_says("발령")
    stage.slack.faults.delete_message(ALERTS, card.ts)
    stage.dial.works(95)

    new = await stage.card("🔥 긴급: 메모리 사용률 95%")
    assert new.ts != card.ts
    await stage.person(1).presses(new)
    await stage.card(f"<@{stage.person(1).id}>")
    stage.dial.works(40)

    assert (await stage.card("✅ 해결")).ts == new.ts
    assert len(stage.cards()) == 1
    said = await eventually(lambda: lines if len(lines := stage.thread(new)) == 3 else None)
    assert "단계 상승" in said[0] and "확인" in said[1] and "해결" in said[2]


@pytest.mark.parametrize("trouble", ["not_in_channel", "is_archived", "channel_not_found"])
async def test_letters_wait_for_a_channel_to_be_mended_and_the_log_says_what_to_do(
    idle: Stage, trouble: str
) -> None:
    if trouble == "channel_not_found":
        idle.changed(slack=idle.settings.slack.model_copy(update={"alerts_channel": "guardian-later"}))
    elif trouble == "is_archived":
        idle.slack.faults.archive(ALERTS)
    else:
        idle.slack.faults.remove_bot(ALERTS)
    idle.dial.works(82)
    with capture_logs() as logs:
        await idle.start()
        blocked = await eventually(lambda: next((e for e in logs if e["event"] == "slack_is_blocked"), None))
    assert blocked["detail"] == trouble
    assert idle.settings.slack.alerts_channel in blocked["advice"]
    await idle.post("시스템 상태")
    told = await idle.post("메시지를 올릴 수 없는 채널", OPS)
    assert idle.settings.slack.alerts_channel in words(told)
    answer = await idle.person().types("/guardian status")
    assert "아직 보내지 못한 메시지" in words(answer)

    if trouble == "channel_not_found":
        await idle.make_channel("guardian-later")
    elif trouble == "is_archived":
        idle.slack.faults.archive(ALERTS, archived=False)
    else:
        idle.slack.faults.invite_bot(ALERTS)

    channel = idle.settings.slack.alerts_channel
    card = await eventually(lambda: next((m for m in idle.posts(channel) if m.attachments), None))
    assert "⚠️ 주의: 메모리 사용률 82%" in words(card)


async def test_a_token_revoked_in_between_is_told_and_mended_by_a_valid_one(stage: Stage) -> None:
    await stage.post("시스템 상태")
    stage.slack.faults.revoke()
    with capture_logs() as logs:
        stage.dial.works(82)
        blocked = await eventually(lambda: next((e for e in logs if e["event"] == "slack_is_blocked"), None))
    assert "SLACK_BOT_TOKEN" in blocked["advice"]
    await stage.checks(5)
    assert (await stage.health())["undelivered"] != 0
    assert not stage.ended.done(), "the watch goes on"

    stage.slack.faults.revoke(revoked=False)
    await stage.card("⚠️ 주의: 메모리 사용률 82%")
    assert len(stage.cards()) == 1
