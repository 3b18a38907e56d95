"""The first alert, from the check that finds it to the card that says it is over."""

from __future__ import annotations

from probes.base import Problem, ProblemKind
from tests.people import ALERTS, words
from tests.stage import Stage
from tests.waiting import eventually


async def test_an_alert_lives_from_the_check_to_the_resolved_card(stage: Stage) -> None:
    await stage.post("시스템 상태: 정상 (Green)")
    stage.dial.works(82)

    card = await stage.card("⚠️ 주의: 메모리 사용률 82%", "확인")
    doyun = stage.person(1)
    await doyun.presses(card)
    acked = await stage.card(f"<@{doyun.id}>")

    assert acked.ts == card.ts
    assert "alert_ack" not in repr(acked.attachments), "the button is gone with its purpose"

    stage.dial.works(40)
    resolved = await stage.card("✅ 해결")

    assert resolved.ts == card.ts
    assert len(stage.cards()) == 1
    assert "82%" in words(resolved), "the values at firing are kept"
    await stage.thread_says("발령", "확인", "해결")


async def test_a_rise_in_level_voids_the_acknowledgement_and_is_told_in_the_channel(stage: Stage) -> None:
    stage.dial.works(82)
    card = await stage.card("⚠️ 주의")
    await stage.person(1).presses(card)
    await stage.card(f"<@{stage.person(1).id}>")

    stage.dial.works(95)
    risen = await stage.card("🔥 긴급: 메모리 사용률 95%", "확인")

    assert "alert_ack" in repr(risen.attachments), "who has seen the warning has not seen this"
    await stage.thread_says("발령", "확인", "단계 상승: ⚠️ 주의 → 🔥 긴급")
    assert any(message.is_reply and message.broadcast for message in stage.person().sees(ALERTS))

    stage.dial.works(84)
    await stage.card("⚠️ 주의: 메모리 사용률 84%", "최고 단계: 🔥 긴급")
    stage.dial.works(40)
    await stage.card("✅ 해결", "95%")
    await stage.thread_says("발령", "확인", "단계 상승", "단계 하락", "해결")
    assert len(stage.cards()) == 1


async def test_a_single_bad_check_is_nobodys_business(stage: Stage) -> None:
    stage.dial.spikes(99, 1)
    await eventually(lambda: stage.dial.spiked)
    await stage.checks(5)

    assert stage.cards() == []
    answer = await stage.person().types("/guardian alerts all")
    assert "알림 기록 없음" in words(answer)


async def test_what_comes_back_soon_reopens_the_same_card(stage: Stage) -> None:
    stage.dial.works(82)
    card = await stage.card("⚠️ 주의")
    stage.dial.works(40)
    await stage.card("✅ 해결")
    stage.dial.works(83)
    again = await stage.card("⚠️ 주의: 메모리 사용률 83%", "재발 1회")

    assert again.ts == card.ts
    assert len(stage.cards()) == 1
    await stage.thread_says("발령", "해결", "재발")


async def test_a_probe_without_data_is_an_alert_and_never_a_zero(stage: Stage) -> None:
    stage.dial.problem = Problem(ProblemKind.PERMISSION, "/proc/meminfo")
    card = await stage.card("🚨 경고: 측정 불가 – 메모리 사용률", "/proc/meminfo")
    answer = await stage.person().types("/guardian status")
    assert "0%" not in words(answer)

    stage.dial.works(40)
    resolved = await stage.card("✅ 해결: 측정 재개")

    assert resolved.ts == card.ts
    await stage.thread_says("측정 불가", "측정 재개")


async def test_no_data_leaves_an_open_alert_open(stage: Stage) -> None:
    stage.dial.works(82)
    await stage.card("⚠️ 주의: 메모리 사용률 82%")
    stage.dial.problem = Problem(ProblemKind.PERMISSION, "denied")

    await stage.card("측정 불가", number=1)
    await stage.checks(5)
    assert "⚠️ 주의: 메모리 사용률 82%" in words(stage.cards()[0])

    stage.dial.works(40)
    await stage.card("✅ 해결", number=0)
    await stage.card("✅ 해결", number=1)
