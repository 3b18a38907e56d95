"""What becomes of commands that answer badly. That they do what they should is in test_contract.py."""

from __future__ import annotations

import json
import sys

import pytest

from bot.domain.deploy.measures import Latencies
from bot.domain.deploy.slots import Slot
from bot.tools.traffic.command.configuration import CommandConfiguration
from bot.tools.traffic.command.driver import CommandTraffic
from bot.tools.traffic.contract import TrafficFailed


def saying(out: str, status: int = 0) -> tuple[str, ...]:
    """A command that says this."""
    code = "import sys; sys.stdout.write(sys.argv[1]); sys.exit(int(sys.argv[2]))"
    return (sys.executable, "-I", "-S", "-c", code, out, str(status))


def traffic(share: tuple[str, ...], metrics: tuple[str, ...] = ("x",), timeout: float = 30) -> CommandTraffic:
    """A driver with these."""
    return CommandTraffic(CommandConfiguration(share, ("x", "{percent}"), metrics, timeout=timeout))


@pytest.mark.parametrize(
    ("command", "reason", "detail"),
    [
        (saying('{"b": 101}'), "traffic_unreadable", "less than or equal to 100"),
        (saying('{"b": "5"}'), "traffic_unreadable", "valid integer"),
        (saying('{"b": 5, "c": 1}'), "traffic_unreadable", "Extra inputs"),
        (saying("5"), "traffic_unreadable", ""),
        (saying(""), "traffic_unreadable", ""),
        ((sys.executable, "-I", "-S", "-c", "print('x' * 2_000_000)"), "traffic_unreadable", "more than"),
        (saying("the balancer is on fire", 3), "traffic_refused", "on fire"),
        (saying("", 3), "traffic_refused", "status 3"),
        (("/no/such/program",), "traffic_gone", "absent"),
    ],
    ids=range(9),
)
async def test_a_bad_answer_is_none(command: tuple[str, ...], reason: str, detail: str) -> None:
    with pytest.raises(TrafficFailed) as failed:
        await traffic(command).share()
    assert failed.value.reason == reason
    assert detail in failed.value.detail


async def test_one_that_does_not_end_is_ended() -> None:
    sleeping = (sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)")
    with pytest.raises(TrafficFailed) as failed:
        await traffic(sleeping, timeout=0.2).share()
    assert failed.value.reason == "traffic_gone"


async def test_a_shift_that_changes_nothing_is_refused() -> None:
    configuration = CommandConfiguration(saying('{"b": 5}'), (*saying(""), "{percent}"), ("x",))
    with pytest.raises(TrafficFailed, match="carries 5 after it was set to 6") as failed:
        await CommandTraffic(configuration).shift(6)
    assert failed.value.reason == "traffic_refused"


async def test_without_durations_there_are_no_latencies_and_without_cut_nothing_is_cut() -> None:
    one = {"requests": 3, "errors": 1, "epoch": "e"}
    driver = traffic(("x",), saying(json.dumps({"a": one, "b": one})))
    assert await driver.latencies(Slot.A) is None
    assert await driver.in_flight(Slot.A) == 0
    assert await driver.cut(Slot.A) == 0
    assert (await driver.counters(Slot.B)).errors == 1


async def test_latencies_begin_with_the_first_look() -> None:
    one = {"requests": 3, "errors": 1, "epoch": "e", "durations": [{"up_to_ms": 5, "count": 3}]}
    driver = traffic(("x",), saying(json.dumps({"a": one, "b": one})))
    assert await driver.latencies(Slot.A) == Latencies()
    assert await driver.latencies(Slot.A) == Latencies()
