"""What becomes of commands that answer badly. That they do what they should is in test_contract.py."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from bot.domain.deploy.measures import Latencies
from bot.domain.deploy.slots import Slot
from bot.tools.traffic.command import driver
from bot.tools.traffic.command.configuration import CommandConfiguration
from bot.tools.traffic.command.driver import CommandTraffic
from bot.tools.traffic.contract import TrafficFailed
from tests.engine.support import CEILING_SECONDS


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


def shifting(file: Path, *share: str, timeout: float = 30) -> CommandTraffic:
    """A driver whose `shift` writes the percentage into a file."""
    code = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text(sys.argv[2])"
    shift = (sys.executable, "-I", "-S", "-c", code, str(file), "{percent}")
    return CommandTraffic(CommandConfiguration(share, shift, ("x",), timeout=timeout))


@pytest.mark.parametrize("said", [saying("on fire", 3), saying("abc"), ("/no/such/program",)], ids=range(3))
async def test_going_back_is_done_though_nobody_can_tell_the_share(
    tmp_path: Path, said: tuple[str, ...]
) -> None:
    made = shifting(tmp_path / "set", *said)
    with pytest.raises(TrafficFailed):
        await made.shift(0)
    assert not (tmp_path / "set").exists()
    await made.divert(0)
    assert (tmp_path / "set").read_text() == "0"


async def test_going_back_is_refused_where_the_share_says_that_it_was_not_done(tmp_path: Path) -> None:
    with pytest.raises(TrafficFailed, match="carries 25 after it was set to 0"):
        await shifting(tmp_path / "set", *saying('{"b": 25}')).divert(0)
    assert (tmp_path / "set").exists()


async def test_going_back_waits_not_long_for_a_share_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "_TELLS_WITHIN", 0.2)
    code = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).exists() or time.sleep(3600)"
    file = tmp_path / "set"
    hanging = (sys.executable, "-I", "-S", "-c", f"{code}; print('{{\"b\": 0}}')", str(file))
    async with asyncio.timeout(CEILING_SECONDS):
        await shifting(file, *hanging, timeout=600).divert(0)
    assert file.read_text() == "0"


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
