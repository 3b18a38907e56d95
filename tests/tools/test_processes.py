"""Programs of ours: started, waited for, ended, and never left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from bot.tools.processes import Child, ChildFailed
from tests.waiting import eventually


async def child(folder: Path, code: str) -> Child:
    """A Python program of these lines."""
    return await Child.start([sys.executable, "-c", code], os.environ, folder / "log" / "child.log")


async def test_the_first_line_says_that_it_is_ready(tmp_path: Path) -> None:
    program = await child(tmp_path, "print('ready'); import sys; sys.stdout.flush(); sys.stdin.read()")
    assert await program.first_line(30) == "ready"
    await program.stop()
    await program.stop()


async def test_one_that_ends_before_it_is_ready_says_why(tmp_path: Path) -> None:
    program = await child(tmp_path, "import sys; sys.exit('the port is taken')")
    with pytest.raises(ChildFailed) as failed:
        await program.first_line(30)
    assert failed.value.status == 1
    assert failed.value.said == "the port is taken"


async def test_one_that_says_nothing_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    program = await child(tmp_path, "import sys; sys.stdin.read()")
    with pytest.raises(ChildFailed, match="said nothing"):
        await program.first_line(0.05)
    await program.stop()


async def test_one_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    code = f"{deaf}; print('ready', flush=True); time.sleep(600)"
    program = await child(tmp_path, code)
    await program.first_line(30)
    async with asyncio.timeout(30):
        await program.stop(seconds=0.1)


async def test_a_program_that_does_not_exist_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await Child.start([str(tmp_path / "nothing")], os.environ, tmp_path / "log")


async def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    """The pipe closes with the parent, however that ends: a child that reads it knows."""
    grandchild = "import sys; print('ready', flush=True); sys.stdin.read()"
    code = f"""
import asyncio, os, sys
from pathlib import Path
from bot.tools.processes import Child

async def main():
    arguments = [sys.executable, "-c", {grandchild!r}]
    child = await Child.start(arguments, os.environ, Path({str(tmp_path / "log")!r}))
    await child.first_line(30)
    print(child.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    assert psutil.pid_exists(pid)
    parent.send_signal(signal.SIGKILL)
    await parent.wait()
    await eventually(lambda: not psutil.pid_exists(pid))
