"""Releases as units: the environment file, and what systemctl says."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.deploy.slots import Slot
from bot.tools.releases import environment_file
from bot.tools.releases.contract import Instance, ReleaseFailed
from bot.tools.releases.environment_file import Written
from bot.tools.releases.systemd import SystemdDriver
from tests.tools.releases.doubles import keeper
from tests.tools.releases.kits import Kit, systemd, systemd_releases
from tests.waiting import CEILING


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    """Units alone."""
    made = systemd(tmp_path)
    yield made
    for slot in Slot:
        await made.driver.stop(slot)


async def until(kit: Kit, check: Callable[[Instance | None], bool]) -> Instance | None:
    async with asyncio.timeout(CEILING):
        while not check(found := await kit.driver.find(Slot.A)):
            pass
        return found


async def test_the_unit_gets_what_is_configured_with_its_placeholders_filled(kit: Kit) -> None:
    kit.put("v1")
    await kit.driver.start(Slot.A, "v1", "run-1")
    environment = (await kit.ask(Slot.A))["environment"]
    assert isinstance(environment, dict)
    port = str(kit.slots[Slot.A].port)
    assert environment["GREETING"] == f'a "$lot" `a` \\\\ at {port}'
    assert (environment["PORT"], environment["HOST"]) == (port, "127.0.0.1")
    assert (kit.folder / "a.env").stat().st_mode & 0o777 == 0o600


async def test_a_guardian_that_died_before_the_restart_is_not_believed(kit: Kit) -> None:
    """The file tells of v2, and v1 is what runs: until the unit has been started anew, by whomever."""
    kit.put("v1")
    kit.put("v2")
    await kit.driver.start(Slot.A, "v1", "run-1")
    before = await kit.ask(Slot.A)
    dead = replace(systemd_releases(kit.folder, kit.slots), systemctl=_refusing_to_restart(kit))
    with pytest.raises(ReleaseFailed) as failed:
        await SystemdDriver(dead).start(Slot.A, "v2", "run-2")
    assert (failed.value.reason, failed.value.detail) == ("release_start", "no restarts today")
    found = await kit.driver.find(Slot.A)
    assert found is not None and (found.revision, found.marker) == ("v1", "run-1")
    assert (await kit.ask(Slot.A))["pid"] == before["pid"]
    with pytest.raises(ReleaseFailed):  # the second that dies there changes nothing of that
        await SystemdDriver(dead).start(Slot.A, "v2", "run-3")
    found = await kit.driver.find(Slot.A)
    assert found is not None and (found.revision, found.marker) == ("v1", "run-1")
    await kit.driver.start(Slot.A, "v2", "run-2")
    assert (await kit.ask(Slot.A))["revision"] == "v2"
    found = await kit.driver.find(Slot.A)
    assert found is not None and (found.revision, found.marker) == ("v2", "run-2")


async def test_a_start_of_its_own_accord_takes_what_the_file_says_by_then(kit: Kit) -> None:
    kit.put("v1")
    kit.put("v2")
    await kit.driver.start(Slot.A, "v1", "run-1")
    before = await kit.ask(Slot.A)
    dead = replace(systemd_releases(kit.folder, kit.slots), systemctl=_refusing_to_restart(kit))
    with pytest.raises(ReleaseFailed):
        await SystemdDriver(dead).start(Slot.A, "v2", "run-2")
    assert isinstance(before["pid"], int)
    os.kill(before["pid"], signal.SIGKILL)
    found = await until(kit, lambda found: found is not None and found.alive and found.restarts == 1)
    assert found is not None and (found.revision, found.marker) == ("v2", "run-2")
    assert (await kit.ask(Slot.A))["revision"] == "v2"


async def test_a_unit_that_somebody_else_started_has_no_marker(kit: Kit) -> None:
    kit.put("v1")
    (kit.folder / "a.env").write_text(
        f'GUARDIAN_REVISION="v1"\nRELEASES={kit.folder}/releases\nHOST=127.0.0.1\nPORT={kit.slots[Slot.A].port}\n'
    )
    somebody = await asyncio.create_subprocess_exec(*kit_systemctl(kit), "restart", "shop@a.service")
    assert await somebody.wait() == 0
    found = await kit.driver.find(Slot.A)
    assert found is not None and (found.revision, found.marker, found.alive) == ("v1", "", True)
    await kit.driver.start(Slot.A, "v1", "run-1")
    assert (await kit.ask(Slot.A))["marker"] == "run-1"


async def test_a_unit_that_is_not_there_is_named(kit: Kit) -> None:
    kit.put("v1")
    driver = SystemdDriver(replace(systemd_releases(kit.folder, kit.slots), unit="cart@{slot}.service"))
    assert await driver.find(Slot.A) is None
    with pytest.raises(ReleaseFailed) as failed:
        await driver.start(Slot.A, "v1", "run-1")
    assert failed.value.reason == "release_start"
    assert "Unit cart@a.service not found." in failed.value.detail


@pytest.mark.parametrize(
    ("code", "detail"),
    [
        ("print('ActiveState=active')", "SubState: Field required"),
        ("print('ActiveState=active\\nSubState=running\\nMainPID=many')", "MainPID: Input should be"),
        ("import sys; sys.exit('Failed to connect to bus')", "Failed to connect to bus"),
    ],
)
async def test_a_systemctl_that_cannot_tell_is_the_tools_fault(kit: Kit, code: str, detail: str) -> None:
    releases = replace(systemd_releases(kit.folder, kit.slots), systemctl=(sys.executable, "-c", code))
    doings: list[Callable[[Slot], Awaitable[object]]] = [
        SystemdDriver(releases).find,
        SystemdDriver(releases).stop,
        SystemdDriver(releases).usage,
    ]
    for doing in doings:
        with pytest.raises(ReleaseFailed) as failed:
            await doing(Slot.A)
        assert failed.value.reason == "release_tool"
        assert detail in failed.value.detail


async def test_no_systemctl_and_one_that_hangs(kit: Kit) -> None:
    given = systemd_releases(kit.folder, kit.slots)
    hanging = (sys.executable, "-c", "import time; time.sleep(600)")
    for systemctl, said in ((("no-such-systemctl",), "absent"), (hanging, "timed_out 0.2")):
        driver = SystemdDriver(replace(given, systemctl=systemctl, answer_within=0.2))
        with pytest.raises(ReleaseFailed) as failed:
            await driver.find(Slot.A)
        assert (failed.value.reason, said in failed.value.detail) == ("release_tool", True)


def _refusing_to_restart(kit: Kit) -> tuple[str, ...]:
    script = kit.folder / "refusing.py"
    script.write_text(
        "import os, sys\n"
        "if 'restart' in sys.argv: sys.exit('no restarts today')\n"
        f"os.execv(sys.executable, [sys.executable, *{list(kit_systemctl(kit))!r}[1:], *sys.argv[1:]])\n"
    )
    return (sys.executable, str(script))


def kit_systemctl(kit: Kit) -> tuple[str, ...]:
    return systemd_releases(kit.folder, kit.slots).systemctl


def test_an_environment_file_says_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "a.env"
    assert environment_file.read(path) is None
    written = Written(
        {"A": "plain", "B": 'a "b" $c `d` \\e #f', "EMPTY": "", "KO": "한글"},
        "abc",
        {"GUARDIAN_MARKER": "run-1"},
    )
    environment_file.write(path, written)
    assert environment_file.read(path) == written
    assert keeper.variables(path) == dict(written.variables)
    assert [file.name for file in tmp_path.iterdir()] == ["a.env"]


@pytest.mark.parametrize(
    ("name", "value"), [("A B", ""), ("1A", ""), ("A", "two\nlines"), ("A", "nul\0"), ("", "")]
)
def test_what_cannot_stand_in_an_environment_file_is_refused(tmp_path: Path, name: str, value: str) -> None:
    path = tmp_path / "a.env"
    environment_file.write(path, Written({"A": "1"}, "", {}))
    with pytest.raises(ValueError, match="not for an environment file"):
        environment_file.write(path, Written({name: value}, "", {}))
    assert environment_file.read(path) == Written({"A": "1"}, "", {})
