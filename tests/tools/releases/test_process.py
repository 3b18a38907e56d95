"""Releases as processes: what ends badly, and what is never touched."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from pydantic import JsonValue, SecretStr

from bot.domain.deploy.slots import Slot
from bot.tools.releases.contract import ReleaseFailed
from bot.tools.releases.process import ProcessDriver
from bot.tools.releases.supervisor import MARKER, ticks
from tests.tools.releases.kits import Kit, process, process_releases
from tests.waiting import CEILING, eventually


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    """Releases as processes alone."""
    made = process(tmp_path)
    yield made
    for slot in Slot:
        await made.driver.stop(slot)
    assert ours(tmp_path) == []


def ours(folder: Path) -> list[int]:
    """All that a supervisor of this test has left, and supervisors themselves."""
    found = []
    for each in psutil.process_iter():
        with suppress(psutil.Error):
            if each.status() != psutil.STATUS_ZOMBIE and (
                each.environ().get(MARKER, "").startswith(str(folder))
                or str(folder / "state") in each.cmdline()
            ):
                found.append(each.pid)
    return found


def state(kit: Kit, slot: Slot = Slot.A) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = json.loads((kit.folder / "state" / f"{slot.value}.json").read_text())
    return found


def supervisor_of(kit: Kit, slot: Slot = Slot.A) -> int:
    found = state(kit, slot)["supervisor"]
    assert isinstance(found, list) and isinstance(found[0], int)
    return found[0]


def child_of(kit: Kit, slot: Slot = Slot.A) -> int:
    found = state(kit, slot)["child"]
    assert isinstance(found, list) and isinstance(found[0], int)
    return found[0]


def ticks_of(pid: int) -> int:
    found = ticks(pid)
    assert found is not None
    return found


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def test_placeholders_are_filled_within_words_and_what_is_none_stays(kit: Kit) -> None:
    kit.put("v1")
    await kit.driver.start(Slot.A, "v1", "run-1")
    who = await kit.ask(Slot.A)
    directory, port = f"{kit.folder}/releases/v1", str(kit.slots[Slot.A].port)
    assert who["directory"] == directory
    assert who["arguments"] == ["127.0.0.1", port, "--revision=v1", directory, "{json}"]


async def test_it_gets_what_is_configured_for_it_and_none_of_our_secrets(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit.put("v1")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv("SHOP_DB_PASSWORD", "hunter2")
    given = replace(process_releases(kit.folder, kit.slots), secrets={"DB_PASSWORD": SecretStr("{port}")})
    await ProcessDriver(given).start(Slot.A, "v1", "run-1")
    environment = (await kit.ask(Slot.A))["environment"]
    assert isinstance(environment, dict)
    port = str(kit.slots[Slot.A].port)
    assert environment["GREETING"] == f"slot a at {port}"
    assert (environment["HOST"], environment["PORT"]) == ("127.0.0.1", port)
    assert environment["DB_PASSWORD"] == "{port}"  # as it is: a secret is no template
    assert "SLACK_BOT_TOKEN" not in environment and "SHOP_DB_PASSWORD" not in environment
    assert "{port}" not in (kit.folder / "state" / "a.json").read_text()
    assert "SLACK_BOT_TOKEN" not in psutil.Process(supervisor_of(kit)).environ()


async def test_a_port_that_a_stranger_has_is_named(kit: Kit) -> None:
    kit.put("v1")
    with socket.create_server(("127.0.0.1", kit.slots[Slot.A].port)):
        with pytest.raises(ReleaseFailed) as failed:
            await kit.driver.start(Slot.A, "v1", "run-1")
    assert failed.value.reason == "release_start"
    assert f"{kit.slots[Slot.A]}: taken by process {os.getpid()}" in failed.value.detail
    assert await kit.driver.find(Slot.A) is None
    await kit.driver.start(Slot.A, "v1", "run-1")
    assert (await kit.ask(Slot.A))["revision"] == "v1"


async def test_a_program_that_is_not_there_is_named_and_nothing_is_left(kit: Kit) -> None:
    kit.put("v1")
    given = replace(process_releases(kit.folder, kit.slots), command=("no-such-shop", "{port}"))
    with pytest.raises(ReleaseFailed) as failed:
        await ProcessDriver(given).start(Slot.A, "v1", "run-1")
    assert failed.value.reason == "release_start"
    assert failed.value.detail == "no-such-shop: No such file or directory"
    assert await kit.driver.find(Slot.A) is None
    await eventually(lambda: ours(kit.folder) == [])


async def test_one_that_does_not_end_when_asked_is_made_to(kit: Kit) -> None:
    kit.put("v1", bad="deaf")
    driver = ProcessDriver(process_releases(kit.folder, kit.slots, stop_within=0.3))
    await driver.start(Slot.A, "v1", "run-1")
    await kit.ask(Slot.A)
    child = child_of(kit)
    assert await driver.stop(Slot.A) is True
    assert gone(child)
    assert "listening" in (kit.folder / "logs" / "a.log").read_text()


async def test_workers_in_sessions_of_their_own_end_with_it(kit: Kit) -> None:
    kit.put("v1", bad="workers")
    await kit.driver.start(Slot.A, "v1", "run-1")
    await kit.ask(Slot.A)
    workers = [each.pid for each in psutil.Process(child_of(kit)).children()]
    assert len(workers) == 2
    os.kill(child_of(kit), signal.SIGKILL)
    await eventually(lambda: all(gone(worker) for worker in workers))
    await kit.ask(Slot.A)
    workers = [each.pid for each in psutil.Process(child_of(kit)).children()]
    await kit.driver.stop(Slot.A)
    assert all(gone(worker) for worker in workers)


async def test_when_its_supervisor_is_killed_it_dies_and_a_start_brings_it_back(kit: Kit) -> None:
    kit.put("v1")
    await kit.driver.start(Slot.A, "v1", "run-1")
    await kit.ask(Slot.A)
    child = child_of(kit)
    os.kill(supervisor_of(kit), signal.SIGKILL)
    await eventually(lambda: gone(child))
    assert await kit.driver.find(Slot.A) is None
    again = await kit.driver.start(Slot.A, "v1", "run-1")
    assert again.alive and (await kit.ask(Slot.A))["pid"] != child


async def test_what_a_killed_supervisor_leaves_is_found_and_taken_over(kit: Kit) -> None:
    kit.put("v1", bad="workers")
    await kit.driver.start(Slot.A, "v1", "run-1")
    await kit.ask(Slot.A)
    workers = [each.pid for each in psutil.Process(child_of(kit)).children()]
    os.kill(supervisor_of(kit), signal.SIGKILL)  # which the workers, children of its child, are not told
    await eventually(lambda: gone(child_of(kit)))
    assert not any(gone(worker) for worker in workers)
    await kit.driver.start(Slot.A, "v1", "run-2")
    assert all(gone(worker) for worker in workers)


async def test_a_supervisor_that_is_stuck_is_ended_all_the_same(kit: Kit) -> None:
    kit.put("v1")
    driver = ProcessDriver(process_releases(kit.folder, kit.slots, stop_within=0.1))
    await driver.start(Slot.A, "v1", "run-1")
    await kit.ask(Slot.A)
    child, supervisor = child_of(kit), supervisor_of(kit)
    os.kill(supervisor, signal.SIGSTOP)
    assert await driver.stop(Slot.A) is True
    await eventually(lambda: gone(child) and gone(supervisor))


async def test_a_supervisor_whose_state_file_is_lost_is_found_by_its_command_line(kit: Kit) -> None:
    kit.put("v1")
    await kit.driver.start(Slot.A, "v1", "run-1")
    supervisor = supervisor_of(kit)
    (kit.folder / "state" / "a.json").unlink()
    await kit.driver.start(Slot.A, "v1", "run-2")
    assert gone(supervisor)
    assert (await kit.ask(Slot.A))["marker"] == "run-2"


@pytest.mark.parametrize("role", ["supervisor", "child"])
async def test_a_process_that_only_has_the_number_is_none_of_ours(kit: Kit, role: str) -> None:
    """What a reused pid looks like: the state file names it, and it is somebody else."""
    stranger = await asyncio.create_subprocess_exec(sys.executable, "-c", "import time; time.sleep(600)")
    try:
        kit.put("v1")
        await kit.driver.start(Slot.A, "v1", "run-1")
        kept = state(kit)
        await kit.driver.stop(Slot.A)
        for began in (0, ticks_of(stranger.pid)):  # even one that started at the very moment
            file = kit.folder / "state" / "a.json"
            file.write_text(json.dumps({**kept, role: [stranger.pid, began]}))
            assert await kit.driver.find(Slot.A) is None
            assert await kit.driver.stop(Slot.A) is False
            assert stranger.returncode is None and not gone(stranger.pid)
            file.write_text(json.dumps({**kept, role: [stranger.pid, began]}))
            await kit.driver.start(Slot.A, "v1", "run-1")
            assert not gone(stranger.pid)
            await kit.driver.stop(Slot.A)
    finally:
        stranger.kill()
        await stranger.wait()


async def test_a_state_file_of_another_boot_or_full_of_nonsense_says_nothing(kit: Kit) -> None:
    kit.put("v1")
    await kit.driver.start(Slot.A, "v1", "run-1")
    kept = state(kit)
    file = kit.folder / "state" / "a.json"
    for text in (json.dumps({**kept, "boot": "another"}), "{", ""):
        file.write_text(text)
        assert await kit.driver.find(Slot.A) is None
    await kit.driver.start(Slot.A, "v1", "run-1")
    assert (await kit.ask(Slot.A))["revision"] == "v1"


async def test_a_crash_loop_is_slowed_down_counted_and_can_be_stopped(kit: Kit) -> None:
    kit.put("v1", bad="crash")
    await kit.driver.start(Slot.A, "v1", "run-1")
    async with asyncio.timeout(CEILING):
        while (found := await kit.driver.find(Slot.A)) is None or found.restarts < 3:  # noqa: ASYNC110 - no bell
            await asyncio.sleep(0.02)
    said = (kit.folder / "logs" / "a.log").read_text()
    pauses = [line.rpartition(" in ")[2] for line in said.splitlines() if "it has ended" in line]
    assert pauses[:3] == ["0.05 s", "0.1 s", "0.2 s"]
    assert await kit.driver.stop(Slot.A) is True
    assert await kit.driver.find(Slot.A) is None


async def test_what_it_says_fills_no_disk(kit: Kit) -> None:
    kit.put("v1", bad="flood", flood=8_000_000)
    given = replace(process_releases(kit.folder, kit.slots), log_bytes=200_000)
    await ProcessDriver(given).start(Slot.A, "v1", "run-1")
    await kit.ask(Slot.A)
    logs = kit.folder / "logs"
    assert sorted(file.name for file in logs.iterdir()) == ["a.log", "a.log.1"]
    assert sum(file.stat().st_size for file in logs.iterdir()) <= 400_000
    await eventually(lambda: (logs / "a.log").read_text().endswith("listening\n"))


@pytest.mark.soak
async def test_a_gigabyte_of_output_fills_no_disk(kit: Kit) -> None:
    kit.put("v1", bad="flood", flood=1_000_000_000)
    await kit.driver.start(Slot.A, "v1", "run-1")
    await kit.ask(Slot.A)
    assert sum(file.stat().st_size for file in (kit.folder / "logs").iterdir()) <= 2 * 10 * 1024 * 1024
    assert psutil.Process(supervisor_of(kit)).memory_info().rss < 20 * 1024 * 1024


async def test_a_disk_that_takes_no_log_stops_no_release(kit: Kit) -> None:
    kit.put("v1")
    given = replace(process_releases(kit.folder, kit.slots), logs=Path("/proc/no-logs-here"))
    await ProcessDriver(given).start(Slot.A, "v1", "run-1")
    assert (await kit.ask(Slot.A))["revision"] == "v1"


async def test_what_a_release_abandons_is_reaped(kit: Kit) -> None:
    """A child of a child whose parent ends comes to the supervisor, which leaves no zombie of it."""
    kit.put("v1")
    script = (
        "import os, sys\n"
        "if os.fork() == 0:\n"
        "    if os.fork() == 0:\n"
        "        open('orphan', 'w').write(str(os.getpid()))\n"
        "    os._exit(0)\n"
        "os.wait()\n"
        "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])\n"
    )
    given = process_releases(kit.folder, kit.slots)
    command = (sys.executable, "-c", script, *given.command[1:])
    await ProcessDriver(replace(given, command=command)).start(Slot.A, "v1", "run-1")
    await kit.ask(Slot.A)
    orphan = kit.folder / "releases" / "v1" / "orphan"
    pid = int(await eventually(lambda: orphan.exists() and orphan.read_text()))
    await eventually(lambda: not psutil.pid_exists(pid))


async def test_it_goes_on_when_whoever_started_it_is_ended_with_its_whole_session(kit: Kit) -> None:
    kit.put("v1")
    code = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from bot.domain.deploy.addresses import Address\n"
        "from bot.domain.deploy.slots import Slot\n"
        "from bot.tools.releases.process import ProcessDriver\n"
        "from tests.tools.releases.kits import process_releases\n"
        "slots = {Slot.A: Address('127.0.0.1', int(sys.argv[2]))}\n"
        "driver = ProcessDriver(process_releases(Path(sys.argv[1]), slots))\n"
        "asyncio.run(driver.start(Slot.A, 'v1', 'run-1'))\n"
        "print('up', flush=True)\n"
        "sys.stdin.read()\n"
    )
    guardian = subprocess.Popen(  # noqa: ASYNC220 - nothing else runs meanwhile
        [sys.executable, "-c", code, str(kit.folder), str(kit.slots[Slot.A].port)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3], start_new_session=True,
    )  # fmt: skip
    with guardian:
        assert guardian.stdout is not None and guardian.stdout.readline() == b"up\n"
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(guardian.pid, number)
    found = await kit.driver.find(Slot.A)
    assert found is not None and (found.marker, found.alive) == ("run-1", True)
    assert (await kit.ask(Slot.A))["revision"] == "v1"


async def test_a_directory_template_is_not_left(kit: Kit) -> None:
    given = replace(process_releases(kit.folder, kit.slots), directory=f"{kit.folder}/{{revision}}/../../x")
    (kit.folder.parent / "x").mkdir(exist_ok=True)
    assert await ProcessDriver(given).known("v1") is False
