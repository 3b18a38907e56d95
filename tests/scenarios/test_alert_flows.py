"""What people do with an alert: be silent, resolve it, judge it, write in its thread, ask about it."""

from __future__ import annotations

from pydantic import JsonValue

from bot.workspace.model import Message, SubmissionKind, View
from tests.alertmanager import Trouble
from tests.clocks import WallClock
from tests.people import ALERTS, Person, elements, words
from tests.stage import Stage
from tests.waiting import eventually

SOON = {"steps": [{"after": "1m", "tiers": [1]}], "rounds": 1, "every": None}


async def test_a_silence_from_the_menu_keeps_calls_away_until_it_is_lifted(idle: Stage) -> None:
    clock = idle.clock = WallClock()
    alertmanager = idle.with_alertmanager()
    idle.with_policy(ladders={"warning": SOON, "critical": SOON})
    await idle.start()
    idle.dial.works(82)
    card = await idle.card("⚠️ 주의", "다음 호출")
    doyun = idle.person(1)
    await doyun.chooses(card, "silence")
    form = await eventually(lambda: next(iter(idle.slack.workspace.open_views(doyun.id)), None))
    await _submits(doyun, form, "배포 중")
    quiet = await idle.card("🔇", f"<@{doyun.id}>", "배포 중")
    assert "다음 호출" not in words(quiet)

    # Another alert is called for in its time, this one is not.
    await alertmanager.tells(Trouble("node-1"))
    await idle.card("node-1", number=1)
    clock.forward(minutes=2)
    await eventually(lambda: idle.rows("SELECT alert_id FROM pages") == [(2,)])

    await doyun.types("/guardian silence lift 1")
    await idle.card("다음 호출")
    await idle.thread_says("발령", "🔇", "다시 알립니다")
    clock.forward(minutes=2)
    await eventually(lambda: idle.rows("SELECT alert_id FROM pages ORDER BY at") == [(2,), (1,)])


async def test_a_silence_is_lifted_by_the_button_of_the_list_and_one_post_says_so(stage: Stage) -> None:
    stage.dial.works(95)
    await stage.card("🔥 긴급")
    doyun = stage.person(1)
    await doyun.types("/guardian silence metric=memory_usage for 2h 배포 --all")
    await stage.card("🔇")
    listed = await doyun.types("/guardian silence")
    await doyun.presses(listed, "silence_lift")
    await stage.card("확인", "다음 호출")

    await stage.thread_says("발령", "🔇", "다시 알립니다")
    loud = [m for m in stage.person().sees(ALERTS) if m.broadcast and "다시 알립니다" in m.text]
    assert len(loud) == 1, "a critical one is said in the channel"


async def test_a_rise_in_level_breaks_a_silence(stage: Stage) -> None:
    stage.dial.works(82)
    await stage.card("⚠️ 주의")
    await stage.person(1).types("/guardian silence target=web-1 for 2h 배포 --all")
    await stage.card("🔇")
    stage.dial.works(95)
    risen = await stage.card("🔥 긴급", "확인")
    assert "🔇" not in words(risen)
    stage.dial.works(40)
    await stage.card("✅ 해결")


async def test_resolving_by_hand_is_refused_while_it_is_bad_and_what_else_can_be_done_is_offered(
    idle: Stage,
) -> None:
    idle.with_rules(clear=10_000)
    await idle.start()
    idle.dial.works(82)
    card = await idle.card("⚠️ 주의")
    doyun = idle.person(1)
    await doyun.chooses(card, "resolve")
    refused = await doyun.is_told("아직 해결되지 않아")
    await doyun.presses(refused, "alert_silence")
    form = await eventually(lambda: next(iter(idle.slack.workspace.open_views(doyun.id)), None))
    assert "metric=memory_usage" in words(form)
    await doyun.presses(refused, "alert_ack")
    acked = await idle.card(f"확인: <@{doyun.id}>")

    idle.dial.works(40)
    await idle.checks()
    await doyun.chooses(acked, "resolve")
    over = await idle.card("✅ 해결")
    await idle.thread_says("발령", "확인", f"해결됨으로 표시: <@{doyun.id}>")
    assert elements(over, "alert_more") == []


async def test_people_say_whether_an_alert_was_right_and_may_change_their_minds(stage: Stage) -> None:
    stage.dial.works(82)
    await stage.card("⚠️ 주의")
    stage.dial.works(40)
    card = await stage.card("✅ 해결")
    doyun, seoyeon = stage.person(1), stage.person(2)
    await doyun.presses(card, "alert_useful")
    await doyun.is_told("👍 1 · 👎 0")
    await seoyeon.presses(card, "alert_useless")
    await seoyeon.is_told("👍 1 · 👎 1")
    await doyun.presses(card, "alert_useless")
    await doyun.is_told("👍 0 · 👎 2")
    assert "👍 0 · 👎 2" in words(await doyun.types("/guardian noise"))


async def test_writing_in_the_thread_renews_an_acknowledgement_and_its_end_calls_both(idle: Stage) -> None:
    clock = idle.clock = WallClock()
    doyun, seoyeon = idle.person(1), idle.person(2)
    idle.with_policy(tiers=[["@seoyeon.park"]], ladders={"critical": SOON}, ack_expires={"critical": "10m"})
    await idle.start()
    idle.dial.works(95)
    card = await idle.card("🔥 긴급", "박서연")
    await doyun.presses(card)
    await idle.card(f"확인: <@{doyun.id}>")
    clock.forward(minutes=8)
    await idle.person(3).says("디스크를 늘리고 있습니다", ALERTS, thread_ts=card.ts)
    await idle.card(f"<@{idle.person(3).id}>")
    clock.forward(minutes=8)
    await idle.checks(20)  # a second: the deadlines have been looked at
    assert idle.rows("SELECT status FROM alerts") == [("acked",)], "ten minutes from when somebody wrote"

    clock.forward(minutes=8)
    await eventually(lambda: _called(idle, "확인 기한이 지났습니다"))
    (call,) = _called(idle, "확인 기한이 지났습니다")
    assert f"<@{doyun.id}>" in call and f"<@{seoyeon.id}>" in call
    await idle.card("🔥 긴급", "확인")
    clock.forward(minutes=2)
    await eventually(lambda: _called(idle, "1회차 1단계 호출"))


async def test_alerts_are_found_by_what_they_are_and_explained(idle: Stage) -> None:
    alertmanager = idle.with_alertmanager()
    await idle.start()
    idle.dial.works(82)
    await idle.card("⚠️ 주의")
    await alertmanager.tells(Trouble("node-1"), Trouble("node-2", severity="warning", service="mail"))
    await idle.card("node-2", number=2)
    await alertmanager.tells(Trouble("node-1"), status="resolved")
    doyun = idle.person(1)

    async def found(line: str) -> set[str]:
        said = words(await doyun.types(f"/guardian alerts {line}"))
        return {name for name in ("memory", "node-1", "node-2") if name in said.replace("메모리", "memory")}

    await idle.card("✅ 해결", number=1)
    assert await found("") == {"memory", "node-2"}
    assert await found("all") == {"memory", "node-1", "node-2"}
    assert await found("service=mail") == {"node-2"}
    assert await found("target=~node-.* status=firing") == {"node-2"}
    assert await found("all level>=critical") == {"node-1"}
    assert await found("layer=infrastructure") == {"memory"}
    assert "값이 없습니다" in words(await doyun.types("/guardian alerts service="))

    explained = words(await doyun.types("/guardian explain 1"))
    assert "메모리 사용률 82%" in explained and "판단 근거" in explained
    assert "99" in words(await doyun.types("/guardian explain 99"))


async def _submits(person: Person, form: View, reason: str) -> None:
    values: dict[str, JsonValue] = {
        **form.state_values,
        "reason": {"reason": {"type": "plain_text_input", "value": reason}},
    }
    outcome = await person.slack.workspace.submit_view(person.id, form.id, values)
    assert outcome.kind is SubmissionKind.CLOSED, outcome


def _called(stage: Stage, how: str) -> list[str]:
    seen: list[Message] = stage.person().sees(ALERTS)
    return [words(message) for message in seen if how in message.text]
