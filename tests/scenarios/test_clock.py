"""Somebody sets the clock in mid-ladder: people are called when they would have been."""

from __future__ import annotations

import pytest

from tests.alertmanager import Trouble
from tests.clocks import WallClock
from tests.people import ALERTS, words
from tests.stage import Stage
from tests.waiting import eventually

LADDER = {
    "critical": {
        "steps": [{"after": after, "tiers": [1]} for after in ("0s", "2s", "30m")],
        "rounds": 1,
        "every": None,
    }
}


def _pages(stage: Stage, target: str = "node-1") -> list[float]:
    """When people were called for that alert, in seconds."""
    seen = [(float(message.ts), words(message)) for message in stage.person().sees(ALERTS)]
    return [at for at, said in seen if "단계 호출" in said and target in said]


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_step_back_by_an_hour_delays_no_page(idle: Stage, restarted: bool) -> None:
    alertmanager, clock = idle.with_alertmanager(), WallClock()
    idle.clock = clock
    idle.with_policy(ladders=LADDER)
    await idle.start()
    await alertmanager.tells(Trouble("node-1"))
    await eventually(lambda: _pages(idle))
    if restarted:
        await idle.crash()
    clock.back(hours=1)
    if restarted:
        await idle.start()

    first, second = await eventually(lambda: p if len(p := _pages(idle)) == 2 else None)
    assert 1.0 < second - first < 7.0, "two seconds, and what a start takes"

    clock.forward(minutes=31)
    await eventually(lambda: len(_pages(idle)) == 3)
    assert idle.rows("SELECT epoch, round, step FROM pages") == [(1, 1, 1), (1, 1, 2), (1, 1, 3)]


async def test_an_acknowledgement_given_before_a_step_back_expires_in_its_time(idle: Stage) -> None:
    alertmanager, clock = idle.with_alertmanager(), WallClock()
    idle.clock = clock
    idle.with_policy(ladders=LADDER)
    await idle.start()
    await alertmanager.tells(Trouble("node-1"))
    await eventually(lambda: _pages(idle))  # once it is acknowledged, a page that has not gone yet never goes
    doyun = idle.person(1)
    await doyun.presses(await idle.card("node-1"))
    await idle.card(f"<@{doyun.id}>")
    await alertmanager.tells(Trouble("node-2"))
    await eventually(lambda: _pages(idle, "node-2"))
    clock.back(hours=1)
    await eventually(lambda: len(_pages(idle, "node-2")) == 2)  # the step back was noticed

    clock.forward(minutes=29)
    await idle.card("확인 유효")
    clock.forward(minutes=2)

    await idle.thread_says("1단계 호출", "발령", "확인:", "확인한 지 오래되어", "확인 기한이 지났습니다")
