"""HAProxy for a test, and each driver for it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.tools.traffic.command.configuration import CommandConfiguration
from bot.tools.traffic.drivers import Divertible, driver_of
from bot.tools.traffic.haproxy.log_stream import LogStream
from tests.tools.traffic.haproxy import Stage, staged

_SCRIPT = str(Path(__file__).with_name("balancing.py"))


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """A real HAProxy, slot a in charge, whose log goes to a socket."""
    async with staged(log=True) as stage:
        yield stage


def commands(stage: Stage) -> CommandConfiguration:
    """The same HAProxy by commands."""
    its = stage.balancer.configuration

    def words(what: str, *more: str) -> tuple[str, ...]:
        return (sys.executable, "-I", "-S", _SCRIPT, what, its.socket, its.map_file, *more)

    return CommandConfiguration(
        share=words("share"),
        shift=words("shift", "{percent}"),
        metrics=words("metrics"),
        cut=words("cut", "{slot}"),
        timeout=30.0,
    )


@pytest.fixture(params=["haproxy", "command"])
async def traffic(request: pytest.FixtureRequest, stage: Stage) -> AsyncIterator[Divertible]:
    """Each driver, of the same HAProxy."""
    if request.param == "command":
        yield driver_of(commands(stage))
        return
    its = stage.balancer.configuration
    assert its.log is not None
    log = LogStream(its.log, its.backends.values())
    log.open()
    try:
        yield driver_of(its, log)
    finally:
        log.close()
