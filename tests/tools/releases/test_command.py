"""Releases by commands: what is handed over, and a status that says little."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.deploy.measures import Usage
from bot.domain.deploy.slots import Slot
from bot.tools.releases.command import CommandDriver
from bot.tools.releases.contract import ReleaseFailed
from tests.tools.releases.kits import Kit, command, command_releases


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    """Commands alone."""
    made = command(tmp_path)
    yield made
    for slot in Slot:
        await made.driver.stop(slot)


def python(code: str, *words: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code, *words)


async def test_a_status_that_says_nothing_is_helped_by_what_is_remembered(kit: Kit) -> None:
    kit.put("v1")
    (kit.folder / "terse").touch()
    await kit.driver.start(Slot.A, "v1", "run-1")
    before = await kit.ask(Slot.A)
    found = await kit.again().find(Slot.A)
    assert found is not None and (found.revision, found.marker, found.alive) == ("v1", "run-1", True)
    await kit.again().start(Slot.A, "v1", "run-1")
    assert (await kit.ask(Slot.A))["pid"] == before["pid"]
    assert await kit.driver.stop(Slot.A) is True
    assert await kit.driver.find(Slot.A) is None


async def test_a_guardian_that_died_before_it_could_remember_starts_anew(kit: Kit) -> None:
    kit.put("v1")
    (kit.folder / "terse").touch()
    await kit.driver.start(Slot.A, "v1", "run-1")
    before = await kit.ask(Slot.A)
    (kit.folder / "state" / "a.started.json").unlink()
    found = await kit.driver.find(Slot.A)
    assert found is not None and (found.revision, found.marker) == ("", "")
    await kit.driver.start(Slot.A, "v1", "run-1")
    assert (await kit.ask(Slot.A))["pid"] != before["pid"]


async def test_a_revision_is_one_argument_and_in_the_environment(kit: Kit) -> None:
    told = kit.folder / "told"
    code = (
        f"import json, os, sys; file = open({str(told)!r}, 'w')\n"
        "json.dump([sys.argv[1:], os.environ.get('GUARDIAN_REVISION'), os.environ.get('GUARDIAN_MARKER'),\n"
        "           'SLACK_BOT_TOKEN' in os.environ], file)"
    )
    status = f"import os, sys; sys.exit(0 if os.path.exists({str(told)!r}) else 3)"
    releases = replace(
        command_releases(kit.folder, kit.slots),
        start=python(code, "--revision={revision}", "{service} {slot} at {port}"),
        status=python(status),
        known=(),
    )
    await CommandDriver(releases).start(Slot.A, "feature/cart+1", "run-1")
    port = kit.slots[Slot.A].port
    assert json.loads(told.read_text()) == [
        ["--revision=feature/cart+1", f"shop a at {port}"], "feature/cart+1", "run-1", False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "detail"),
    [
        ("print('{')", "Invalid JSON"),
        ("""print('{"restarts": -1}')""", "restarts: Input should be greater"),
        ("import sys; print('line 1\\nline 2\\nline 3\\nline 4', file=sys.stderr); sys.exit(1)",
         "line 2\nline 3\nline 4"),
        ("import sys; sys.exit(9)", "status 9"),
    ],
)  # fmt: skip
async def test_a_status_that_cannot_be_read_is_the_tools_fault(kit: Kit, code: str, detail: str) -> None:
    driver = CommandDriver(replace(command_releases(kit.folder, kit.slots), status=python(code)))
    with pytest.raises(ReleaseFailed) as failed:
        await driver.find(Slot.A)
    assert failed.value.reason == "release_tool"
    assert detail in failed.value.detail


async def test_a_start_or_a_stop_that_does_nothing_is_noticed(kit: Kit) -> None:
    kit.put("v1")
    given = command_releases(kit.folder, kit.slots)
    with pytest.raises(ReleaseFailed) as failed:
        await CommandDriver(replace(given, start=python(""))).start(Slot.A, "v1", "run-1")
    assert (failed.value.reason, "not running" in failed.value.detail) == ("release_start", True)
    await kit.driver.start(Slot.A, "v1", "run-1")
    with pytest.raises(ReleaseFailed) as failed:
        await CommandDriver(replace(given, stop=python(""))).stop(Slot.A)
    assert (failed.value.reason, "still running" in failed.value.detail) == ("release_stop", True)


async def test_usage_is_what_its_command_says(kit: Kit) -> None:
    kit.put("v1")
    await kit.driver.start(Slot.A, "v1", "run-1")
    given = command_releases(kit.folder, kit.slots)
    said = CommandDriver(replace(given, usage=python("""print('{"cpu": 12.5, "memory": 40}')""")))
    assert await said.usage(Slot.A) == Usage(12.5, 40.0)
    assert await CommandDriver(replace(given, usage=())).usage(Slot.A) is None
