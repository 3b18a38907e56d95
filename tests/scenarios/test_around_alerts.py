"""What lies around alerts: jobs that must report, windows, dependencies, storms, duty, a restart."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import aiohttp

from bot.config.calling import ScheduleSettings
from bot.config.covers import WindowSettings
from bot.config.elsewhere import HeartbeatSettings
from bot.config.routing import ServiceSettings
from bot.workspace.model import Message
from tests.alertmanager import Alertmanager, Trouble
from tests.clocks import WallClock
from tests.doors import SECRET
from tests.people import ALERTS, OPS, words
from tests.stage import Stage
from tests.waiting import eventually

STEPS = [{"after": after, "tiers": [1]} for after in ("1m", "5m", "10m")]
LADDER = {"critical": {"steps": STEPS, "rounds": 1, "every": None}}
SHOPS = [Trouble(f"shop-{n}", severity="warning", service="shop") for n in range(5)]
DATABASE = Trouble("database-1", service="database")


async def test_a_job_that_is_late_is_an_alert_until_it_reports_again(idle: Stage) -> None:
    clock = idle.clock = WallClock()
    alertmanager = idle.with_alertmanager()
    idle.changed(
        heartbeats={"backup": HeartbeatSettings.model_validate({"every": "1d", "labels": {"service": "db"}})}
    )
    await idle.start()
    await _beats(alertmanager)
    clock.forward(days=1, minutes=6)
    late = await idle.card("🚨 경고: 작업 보고 없음", "backup", "db")
    assert "backup" in words(await idle.person(1).types("/guardian heartbeats"))

    await _beats(alertmanager)
    assert (await idle.card("✅ 해결: 작업 보고 재개")).ts == late.ts
    await idle.thread_says("발령", "해결")


async def test_a_maintenance_window_keeps_quiet_and_says_what_still_fails_at_its_end(idle: Stage) -> None:
    clock = idle.clock = WallClock()
    alertmanager = idle.with_alertmanager()
    now = clock()
    window = {
        "name": "backup",
        "match": "target=~node-.*",
        "from": (now - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%MZ"),
        "until": (now + timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%MZ"),
    }
    idle.changed(maintenance=(WindowSettings.model_validate(window),))
    await idle.start()
    await alertmanager.tells(Trouble("node-1"), Trouble("node-2"))
    await eventually(lambda: idle.rows("SELECT count(*) FROM alerts WHERE status = 'firing'") == [(2,)])
    await alertmanager.tells(Trouble("node-2"), status="resolved")
    assert "backup" in words(await idle.person(1).types("/guardian maintenance"))
    assert (idle.cards(), idle.rows("SELECT * FROM letters WHERE template = 'alert'")) == ([], [])

    clock.forward(minutes=31)
    await idle.card("🔥 긴급", "node-1")
    await idle.thread_says("다시 알립니다")
    assert len(idle.cards()) == 1, "what is over by then was never anybody's business"


async def test_a_dependency_that_is_down_is_one_card_and_what_still_fails_after_it_is_told(
    idle: Stage,
) -> None:
    alertmanager = _with_services(idle)
    await idle.start()
    await alertmanager.tells(DATABASE)
    await idle.card("🔥 긴급", "database-1")
    await alertmanager.tells(*SHOPS)
    await eventually(lambda: idle.rows("SELECT count(*) FROM alerts WHERE status = 'firing'") == [(6,)])
    assert len(idle.cards()) == 1

    await alertmanager.tells(*SHOPS[:3], status="resolved")
    await alertmanager.tells(DATABASE, status="resolved")
    await idle.card("⚠️ 주의", "shop-", number=2)
    await idle.card("✅ 해결", "database-1")
    assert len(idle.cards()) == 3
    for card in idle.cards()[1:]:
        assert "다시 알립니다" in (await eventually(partial(idle.thread, card)))[0]


async def test_dependants_that_came_first_are_folded_and_come_back(idle: Stage) -> None:
    alertmanager = _with_services(idle)
    await idle.start()
    await alertmanager.tells(SHOPS[0])
    await idle.card("⚠️ 주의", "shop-0", "확인")
    await alertmanager.tells(DATABASE)
    await idle.card("🔗", "#2")
    await alertmanager.tells(DATABASE, status="resolved")
    free = await idle.card("shop-0", "다음 호출")

    assert "🔗" not in words(free)
    await idle.thread_says("발령", "🔗", "다시 알립니다")


async def test_taking_a_whole_storm_keeps_everybody_from_being_called(idle: Stage) -> None:
    clock = idle.clock = WallClock()
    alertmanager = idle.with_alertmanager()
    idle.with_policy(ladders=LADDER)
    await idle.start()
    await alertmanager.tells(*(Trouble(f"node-{n:03}") for n in range(40)))
    storm = await eventually(lambda: _storm(idle))
    own = await idle.card("node-000", number=1)
    doyun = idle.person(1)
    await doyun.presses(storm, "storm_ack")
    await doyun.is_told("39건을 확인했습니다")
    clock.forward(minutes=2)  # the card is drawn again, and the one that is not of the storm is called for
    await eventually(lambda: "확인 39" in words(idle.current(storm)))
    await eventually(lambda: idle.rows("SELECT alert_id, step FROM pages") == [(1, 1)])

    await doyun.presses(idle.current(own))
    await eventually(lambda: not idle.rows("SELECT id FROM alerts WHERE status = 'firing'"))
    clock.forward(minutes=20)
    await idle.checks(20)  # a second: the deadlines have been looked at
    assert idle.rows("SELECT alert_id, step FROM pages") == [(1, 1)]


async def test_who_takes_over_is_announced_and_called(idle: Stage) -> None:
    clock = idle.clock = WallClock()
    alertmanager = idle.with_alertmanager()
    rotation = {"people": ["@doyun.lee"], "every": "weekly", "start": "2026-01-05"}
    idle.changed(schedules={"primary": ScheduleSettings.model_validate({"rotations": [rotation]})})
    idle.with_policy(tiers=[["schedule:primary"]], ladders=LADDER)
    await idle.start()
    doyun, minjun = idle.person(1), idle.person(3)
    await eventually(lambda: idle.rows("SELECT user FROM duties") == [(doyun.id,)])
    await alertmanager.tells(Trouble("node-1"))
    await idle.card("node-1", "다음 호출", "이도윤")
    assert doyun.id in words(await doyun.types("/guardian oncall"))
    await minjun.types("/guardian oncall take primary 2h 병원")

    handed = await idle.post("당직 교대", OPS)
    for said in (f"<@{doyun.id}>", f"<@{minjun.id}>", "병원", "열린 알림 1건"):
        assert said in words(handed)
    clock.forward(minutes=1)
    call = await eventually(lambda: next(iter(_calls(idle)), None))
    assert f"<@{minjun.id}>" in call and f"<@{doyun.id}>" not in call


async def test_a_restart_in_mid_ladder_neither_repeats_nor_leaves_out_a_call(idle: Stage) -> None:
    clock = idle.clock = WallClock()
    alertmanager = idle.with_alertmanager()
    idle.with_policy(ladders=LADDER)
    await idle.start()
    await alertmanager.tells(Trouble("node-1"))
    await idle.card("node-1")
    clock.forward(minutes=1)
    await eventually(lambda: len(_calls(idle)) == 1)
    await idle.stop()
    await idle.start()
    clock.forward(minutes=4)
    await eventually(lambda: len(_calls(idle)) == 2)
    await idle.crash()
    clock.forward(hours=3)
    await idle.start()
    await eventually(lambda: len(_calls(idle)) == 3)

    assert idle.rows("SELECT epoch, round, step FROM pages") == [(1, 1, 1), (1, 1, 2), (1, 1, 3)]
    assert [call[call.index("회차") :][:6] for call in _calls(idle)] == [
        "회차 1단계",
        "회차 2단계",
        "회차 3단계",
    ]


async def _beats(alertmanager: Alertmanager) -> None:
    headers = {"Authorization": f"Bearer {SECRET}"}
    url = f"http://127.0.0.1:{alertmanager.port}/heartbeat/backup"
    async with aiohttp.ClientSession() as session, session.post(url, headers=headers) as answer:
        assert answer.status == 200, await answer.text()


def _with_services(stage: Stage) -> Alertmanager:
    shop = ServiceSettings.model_validate({"targets": ["shop-*"], "depends_on": ["database"]})
    database = ServiceSettings.model_validate({"targets": ["database-*"]})
    stage.changed(services={"database": database, "shop": shop})
    return stage.with_alertmanager()


def _calls(stage: Stage) -> list[str]:
    seen: list[Message] = stage.person().sees(ALERTS)
    return [message.text for message in seen if "단계 호출" in message.text]


def _storm(stage: Stage) -> Message | None:
    return next((m for m in stage.posts() if "알림 폭주" in m.text and not m.is_reply), None)
