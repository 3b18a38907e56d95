"""Probes that throw, hang and lie: each costs itself a reading and nobody else anything."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import ClassVar, cast

import pytest

from probes.base import Layer, Reading
from tests.dial import Dial
from tests.people import words
from tests.stage import Stage
from tests.waiting import eventually


class Liar(Dial):
    """Returns whatever it was told to."""

    name: ClassVar[str] = "liar"
    layer: ClassVar[Layer] = Layer.APPLICATION

    def __init__(self, answer: object) -> None:
        super().__init__("liar")
        self.answer = answer

    async def read(self, at: datetime) -> list[Reading]:
        """What it was told to return, whatever it is."""
        self.reads += 1
        return cast("list[Reading]", self.answer)


async def test_a_probe_that_throws_is_an_alert_of_its_own(stage: Stage) -> None:
    stage.dial.error = RuntimeError("the sensor is on fire")
    await stage.card("측정 불가", "the sensor is on fire")
    stage.dial.works(40)
    await stage.card("✅ 해결: 측정 재개")


async def test_a_probe_that_hangs_delays_no_other(idle: Stage) -> None:
    hanging = Dial("web-9")
    hanging.hangs = True
    idle.probes = [hanging, idle.dial]
    await idle.start()
    idle.dial.works(82)
    await idle.card("⚠️ 주의: 메모리 사용률 82%")
    slow = await eventually(lambda: next((c for c in idle.cards() if "측정 불가" in words(c)), None))
    assert "web-9" in words(slow)
    hanging.works(40)
    await eventually(lambda: any("✅ 해결: 측정 재개" in words(card) for card in idle.cards()))


@pytest.mark.parametrize(
    "answer", [None, "nonsense", [1], [None], {"memory_usage": 3}, 5], ids=lambda answer: repr(answer)
)
async def test_nonsense_is_no_reading(idle: Stage, answer: object) -> None:
    liar = Liar(answer)
    idle.probes = [liar, idle.dial]
    await idle.start()
    await idle.card("측정 불가", "liar")
    assert "50%" in words(await idle.person().types("/guardian probes memory"))


@pytest.mark.parametrize("values", [(float("nan"), float("inf")), (-5.0, 140.0)])
async def test_a_value_that_cannot_be_is_no_reading(stage: Stage, values: tuple[float, ...]) -> None:
    for value in values:
        stage.dial.works(value)
        await stage.card("측정 불가")
        stage.dial.works(40)
        await stage.card("✅ 해결: 측정 재개")
    assert len(stage.cards()) == 1


async def test_a_hundred_failing_probes_leave_commands_answered(idle: Stage) -> None:
    broken = [Dial(f"web-{number}") for number in range(2, 102)]
    for number, dial in enumerate(broken):
        dial.error = RuntimeError("broken") if number % 2 else None
        dial.hangs = not number % 2
    idle.probes = [idle.dial, *broken]
    await idle.start()
    async with asyncio.timeout(30):
        answer = await idle.person().types("/guardian status")
    assert "시스템 상태" in words(answer)
