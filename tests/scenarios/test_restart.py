"""Stopping and starting again in the middle of an alert."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.workspace.server import Running
from tests.people import words
from tests.stage import Stage
from tests.waiting import eventually


async def test_an_open_alert_survives_a_restart_and_keeps_its_card(stage: Stage) -> None:
    stage.dial.works(82)
    card = await stage.card("⚠️ 주의")
    await stage.thread_says("발령")
    assert await stage.stop() == 0

    await stage.start()
    await stage.checks(5)
    assert [message.ts for message in stage.cards()] == [card.ts]
    await stage.person(1).presses(stage.cards()[0])
    await stage.card(f"<@{stage.person(1).id}>")

    await stage.stop()
    stage.dial.works(40)
    await stage.start()
    resolved = await stage.card("✅ 해결")

    assert resolved.ts == card.ts
    await stage.thread_says("발령", "확인", "해결")


async def test_a_pending_count_goes_on_after_a_restart(idle: Stage) -> None:
    idle.with_rules(confirm=40)
    await idle.start()
    idle.dial.works(82)
    await idle.checks(25)
    await idle.stop()
    before = idle.dial.reads

    await idle.start()
    await idle.card("⚠️ 주의")

    assert idle.dial.reads - before < 40, "the checks before the restart counted"


async def test_what_slack_could_not_take_before_a_restart_goes_out_after_it(stage: Stage) -> None:
    await stage.post("시스템 상태")
    await stage.slack.faults.away(600)
    stage.dial.works(82)
    await eventually(lambda: stage.rows("SELECT count(*) FROM alerts WHERE status = 'firing'") == [(1,)])
    assert await stage.stop() == 0
    stage.dial.works(40)
    await stage.slack.faults.clear()

    await stage.start()
    await stage.card("✅ 해결")

    await stage.thread_says("발령", "해결")
    assert len(stage.cards()) == 1


async def test_alerts_of_what_is_no_longer_watched_end(stage: Stage) -> None:
    stage.dial.works(82)
    card = await stage.card("⚠️ 주의")
    await stage.stop()
    stage.dial.target = "web-2"
    stage.dial.works(40)

    await stage.start()

    assert (await stage.card("✅ 해결")).ts == card.ts


@pytest.mark.postgres
async def test_the_same_story_on_postgresql(slack: Running, tmp_path: Path, postgres_url: str) -> None:
    stage = Stage.prepared(slack, tmp_path, store_url=postgres_url)
    try:
        await stage.start()
        await stage.post("시스템 상태: 정상 (Green)")
        stage.dial.works(82)
        card = await stage.card("⚠️ 주의: 메모리 사용률 82%", "확인")
        await stage.person(1).presses(card)
        await stage.card(f"<@{stage.person(1).id}>")
        await stage.stop()
        await stage.start()
        detail = await stage.person().types("/guardian alerts 1")
        assert "사람이 알림을 확인했습니다" in words(detail)
        stage.dial.works(40)
        assert (await stage.card("✅ 해결")).ts == card.ts
        await stage.thread_says("발령", "확인", "해결")
    finally:
        await stage.stop()
