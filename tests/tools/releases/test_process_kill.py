"""`kill -9` of the Guardian between any two steps of starting and stopping, and of a supervisor at any
moment: there is nothing then, or what a start by the same run finds; never two, and never a stray one."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from bot.domain.deploy.slots import Slot
from tests.tools.releases.kits import SERVICE, Kit, process
from tests.tools.releases.test_process import child_of, gone, ours, supervisor_of
from tests.waiting import eventually

_ROOT = Path(__file__).parents[3]
_STEPS = """
import asyncio, json, os, signal, sys, threading
from pathlib import Path
from bot.domain.deploy.addresses import Address
from bot.domain.deploy.slots import Slot
from bot.tools.releases.process import ProcessDriver, ProcessReleases
order = json.loads(sys.argv[1])
folder = order["folder"]
left = order["step"]
looking = ("<genexpr>", "_running", "_is_supervisor", "_is_release", "_read", "_gone", "_state", "look",
           "_lock")

def trace(frame, event, argument):
    global left
    code = frame.f_code
    if not code.co_filename.endswith(("/supervised.py", "/process.py")) or code.co_name in looking:
        return None
    if event == "line":
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    return trace

driver = ProcessDriver(ProcessReleases(
    command=(sys.executable, order["service"], "{host}", "{port}"),
    directory=folder + "/releases/{revision}",
    slots={Slot.A: Address("127.0.0.1", order["port"])},
    state=Path(folder, "state"), logs=Path(folder, "logs"),
    environment={"RELEASES": folder + "/releases"}, stop_within=20.0, backoff=(0.05, 0.2, 60.0),
))
threading.settrace(trace)
if order["what"] == "start":
    asyncio.run(driver.start(Slot.A, "v2", "run-2"))
else:
    asyncio.run(driver.stop(Slot.A))
os._exit(100)
"""
_MOST = 400
"""more steps than there are"""


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    """Two releases, of which none runs."""
    made = process(tmp_path)
    made.put("v1")
    made.put("v2")
    yield made
    await made.driver.stop(Slot.A)


async def killed(kit: Kit, what: str, step: int) -> bool:
    """Let a Guardian start v2 or stop the slot, and kill it before that step. Whether it came so far."""
    place = {"folder": str(kit.folder), "port": kit.slots[Slot.A].port, "service": SERVICE}
    order = {**place, "what": what, "step": step}
    guardian = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _STEPS, json.dumps(order), cwd=_ROOT, start_new_session=True
    )
    status = await guardian.wait()
    assert status in (100, -signal.SIGKILL)
    return status != 100


async def one_is_left(kit: Kit, revision: str, marker: str) -> None:
    found = await kit.again().find(Slot.A)
    assert found is not None and (found.revision, found.marker, found.alive) == (revision, marker, True)
    assert (await kit.ask(Slot.A))["marker"] == marker
    assert sorted(ours(kit.folder)) == sorted((supervisor_of(kit), child_of(kit)))


async def story(kit: Kit, what: str, running: bool, step: int) -> bool:
    """One Guardian that is killed at that step of `what`, and the next that goes on. Whether it was."""
    if running:
        await kit.driver.start(Slot.A, "v1", "run-1")
        await kit.ask(Slot.A)
    came = await killed(kit, what, step)
    if what == "stop":
        await kit.again().stop(Slot.A)
        assert ours(kit.folder) == []
        return came
    if step % 2:  # the next Guardian starts it again, or gives it up
        before = await kit.again().find(Slot.A)
        again = await kit.again().start(Slot.A, "v2", "run-2")
        if before is not None and before.marker == "run-2":
            assert again.started_at == before.started_at
        await one_is_left(kit, "v2", "run-2")
    await kit.again().stop(Slot.A)
    assert ours(kit.folder) == []
    return came


@pytest.mark.parametrize("step", range(5, 130, 11))
async def test_killed_at_some_steps_of_a_start(kit: Kit, step: int) -> None:
    assert await story(kit, "start", running=step % 4 < 2, step=step)


@pytest.mark.soak
@pytest.mark.parametrize(("what", "running"), [("start", False), ("start", True), ("stop", True)])
async def test_killed_at_every_step(kit: Kit, what: str, running: bool) -> None:
    reached = 0
    for step in range(1, _MOST):
        if not await story(kit, what, running, step):
            break
        reached = step
    assert 20 < reached < _MOST - 1


async def supervisor_story(kit: Kit, chance: random.Random) -> None:
    """A supervisor that is killed while its release keeps ending."""
    await kit.driver.start(Slot.A, "v1", "run-1")
    supervisor = supervisor_of(kit)
    await asyncio.sleep(chance.uniform(0, 0.3))
    os.kill(supervisor, signal.SIGKILL)
    await eventually(lambda: gone(supervisor))
    await eventually(lambda: ours(kit.folder) == [])
    assert await kit.again().find(Slot.A) is None
    await kit.again().start(Slot.A, "v2", "run-2")
    await one_is_left(kit, "v2", "run-2")
    await kit.driver.stop(Slot.A)
    assert not any(psutil.pid_exists(pid) for pid in ours(kit.folder))


async def test_a_supervisor_killed_at_some_moments(kit: Kit) -> None:
    kit.put("v1", bad="crash")
    chance = random.Random(21)  # noqa: S311 - moments, not secrets
    for _ in range(3):
        await supervisor_story(kit, chance)


@pytest.mark.soak
async def test_a_supervisor_killed_at_a_hundred_moments(kit: Kit) -> None:
    kit.put("v1", bad="crash")
    chance = random.Random(22)  # noqa: S311 - moments, not secrets
    for _ in range(100):
        await supervisor_story(kit, chance)
