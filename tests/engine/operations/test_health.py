"""Fresh looks at the machine: bounded in time, and sure before anything is undone for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from bot.domain.cleanup.health import Measure
from bot.engine.operations.health import Health
from probes.base import Probe, Reading
from probes.infrastructure.disk import Disk
from probes.infrastructure.memory import Memory
from tests.engine.probes import Blocking, Waiting, percent
from tests.engine.support import SetClock
from tests.engine.watching import CpuRules

BUSY = Measure("cpu_usage", "web-1")


class Script:
    """One probe, whose values come one after the other; the last one stays."""

    def __init__(self, *values: float | None) -> None:
        self._values = list(values)
        self.looks = 0

    def probes(self) -> Sequence[Probe]:
        self.looks += 1
        value = self._values.pop(0) if len(self._values) > 1 else self._values[0]
        return [Blocking(refuse if value is None else percent(value))]


def refuse(at: datetime) -> list[Reading]:
    raise OSError("the sensor is gone")


def health(script: Script, clock: SetClock) -> Health:
    return Health(script.probes, CpuRules(), clock, pause_seconds=0)


async def test_what_is_well_is_looked_at_once(clock: SetClock) -> None:
    script = Script(40.0)
    look = await health(script, clock).look_until_sure(())
    assert (BUSY in look.well, dict(look.bad), script.looks) == (True, {}, 1)


async def test_a_peak_is_no_trouble(clock: SetClock) -> None:
    script = Script(99.0, 40.0)
    look = await health(script, clock).look_until_sure(())
    assert (dict(look.bad), BUSY in look.well, script.looks) == ({}, True, 2)


async def test_what_stays_bad_is(clock: SetClock) -> None:
    script = Script(99.0)
    look = await health(script, clock).look_until_sure(())
    assert (set(look.bad), script.looks) == ({BUSY}, 2)


async def test_what_was_bad_before_is_not_looked_at_again(clock: SetClock) -> None:
    script = Script(99.0)
    look = await health(script, clock).look_until_sure({BUSY})
    assert (set(look.bad), script.looks) == ({BUSY}, 1)


async def test_no_reading_afterwards_clears_nobody(clock: SetClock) -> None:
    look = await health(Script(99.0, None), clock).look_until_sure(())
    assert set(look.bad) == {BUSY}


async def test_a_probe_that_cannot_measure_is_unknown(clock: SetClock) -> None:
    script = Script(None)
    look = await health(script, clock).look_until_sure(())
    assert look.unknown == {("cpu", "web-1")}
    assert not look.bad and not look.well
    assert script.looks == 1


@pytest.mark.parametrize("kind", [Blocking, Waiting])
async def test_a_probe_that_hangs_costs_its_own_reading_only(
    clock: SetClock, kind: type[Blocking] | type[Waiting]
) -> None:
    hanging, other = kind(percent(40.0, "web-1")), Waiting(percent(41.0, "web-2"), "web-2")
    hanging.gate.clear()
    looking = Health(lambda: [hanging, other], CpuRules(), clock, look_seconds=0.2)
    look = await looking.look()
    hanging.gate.set()
    assert look.unknown == {("cpu", "web-1")}
    assert look.well == {Measure("cpu_usage", "web-2")}


async def test_without_probes_nothing_is_known(clock: SetClock) -> None:
    look = await Health(lambda: [], CpuRules(), clock).look_until_sure(())
    assert (dict(look.bad), look.well) == ({}, frozenset())


async def test_the_machine_s_own_probes_are_read(clock: SetClock) -> None:
    patience = timedelta(seconds=30)
    looking = Health(
        lambda: [Memory(host="here", timeout=patience), Disk(host="here", paths=["/"], timeout=patience)],
        CpuRules(),
        clock,
        look_seconds=60,
    )
    assert (await looking.look()).probes == ("memory", "disk")
