"""Commands that somebody configured: real programs, and what becomes of them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import psutil
import pytest

from bot.tools.commands import Cause, CommandFailed, Ran, run
from tests.waiting import eventually


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", code]


def family(place: Path, *, stubborn: bool = False, waits: bool = True) -> list[str]:
    """A program that starts another one, in its group and with its output, and writes down both their ids."""
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" if stubborn else ""
    child = f"{deaf}import os, time\nos.write(1, b'up')\ntime.sleep(600)"
    return python(
        f"{deaf}import os, subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-S', '-c', {child!r}])\n"
        f"open({str(place) + '.new'!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        f"os.rename({str(place) + '.new'!r}, {str(place)!r})\n"
        f"{'child.wait()' if waits else ''}"
    )


def started(place: Path) -> bool:
    return place.exists()


def members(place: Path) -> list[int]:
    return [int(word) for word in place.read_text().split()]


def alive(pid: int) -> bool:
    """Whether it is more than a zombie: what it left behind is for init to reap."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Path]:
    """Where a family writes down who it is; whoever is left of it is ended."""
    place = tmp_path / "pids"
    yield place
    for pid in members(place) if place.exists() else ():
        if alive(pid):
            os.kill(pid, signal.SIGKILL)


async def failed(command: Sequence[str], seconds: float = 60, flood: int = 10_000_000) -> CommandFailed:
    with pytest.raises(CommandFailed) as caught:
        await run(command, timeout=seconds, flood=flood)
    return caught.value


async def test_what_it_said_and_how_it_ended() -> None:
    ran = await run(
        python("import sys; print('한글'); print('no', file=sys.stderr); sys.exit(3)"), timeout=60
    )
    assert (ran.status, ran.out, ran.errors, ran.truncated) == (3, "한글\n", "no\n", False)
    assert ran.last_words == "no"


async def test_both_outputs_in_the_order_they_came() -> None:
    code = "import os\nos.write(1, b'a')\nos.write(2, b'b')\nos.write(1, b'c')"
    ran = await run(python(code), timeout=60, merged=True)
    assert (ran.out, ran.errors) == ("abc", "")


async def test_nothing_comes_in_and_no_shell_reads_it() -> None:
    ran = await run(
        [*python("import sys; print(repr(sys.stdin.read()), sys.argv[1])"), "$HOME; *"], timeout=60
    )
    assert ran.out == "'' $HOME; *\n"


async def test_our_secrets_are_none_of_its_business(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "not for others")
    code = "import os; print(os.environ.get('SLACK_BOT_TOKEN'), os.environ['GIVEN'], os.listdir())"
    (tmp_path / "here").touch()
    ran = await run(python(code), timeout=60, cwd=tmp_path, environment={"GIVEN": "1"})
    assert ran.out == "None 1 ['here']\n"


async def test_the_signal_that_ended_it() -> None:
    assert (await run(python("import os; os.kill(os.getpid(), 9)"), timeout=60)).status == -9


async def test_what_cannot_be_started_is_told_apart(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("no program")
    assert (await failed(["no-such-program-of-ours"])).kind is Cause.ABSENT
    assert (await failed([str(plain)])).kind is Cause.NOT_ALLOWED
    assert (await failed(["a\0b"])).kind is Cause.NOT_ALLOWED
    with pytest.raises(CommandFailed) as caught:
        await run(python(""), timeout=60, cwd=tmp_path / "none")
    assert (caught.value.kind, caught.value.detail) == (Cause.ABSENT, str(tmp_path / "none"))


@pytest.mark.parametrize("stubborn", [False, True])
async def test_one_that_takes_too_long_is_ended_with_all_that_it_started(place: Path, stubborn: bool) -> None:
    seconds = 0.5
    while not started(place):
        seconds *= 2  # on a slow machine it may not even have started in that time
        error = await failed(family(place, stubborn=stubborn), seconds)
        assert error.kind is Cause.TIMED_OUT
    await eventually(lambda: not any(alive(pid) for pid in members(place)))
    assert not psutil.pid_exists(members(place)[0])  # reaped, too


async def test_one_that_is_to_stop_is_ended_with_all_that_it_started(place: Path) -> None:
    with pytest.raises(CommandFailed) as caught:
        await run(family(place), timeout=600, stopping=place.exists)
    assert caught.value.kind is Cause.STOPPED
    await eventually(lambda: not any(alive(pid) for pid in members(place)))


async def test_one_that_is_cancelled_is_ended_with_all_that_it_started(place: Path) -> None:
    task = asyncio.create_task(run(family(place, stubborn=True), timeout=600))
    await eventually(place.exists)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await eventually(lambda: not any(alive(pid) for pid in members(place)))


async def test_cancelling_twice_leaves_nothing_behind_either(place: Path) -> None:
    task = asyncio.create_task(run(family(place, stubborn=True), timeout=600))
    await eventually(place.exists)
    task.cancel()
    await asyncio.sleep(0)  # it asks to end now
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await eventually(lambda: not any(alive(pid) for pid in members(place)))


async def test_a_grandchild_that_keeps_the_output_open_is_not_waited_for(place: Path) -> None:
    ran = await run(family(place, waits=False), timeout=600)
    assert ran.status == 0
    child = members(place)[1]
    assert alive(child)  # it may be a service that was started


async def test_a_flood_is_kept_to_its_head_and_tail() -> None:
    flood = "for _ in range(640): os.write(1, b'x' * 65536)"
    code = f"import os\nos.write(1, b'first')\n{flood}\nos.write(1, b'last')"
    tracemalloc.start()
    try:
        ran = await run(python(code), timeout=600, limit=10_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert ran.status == 0
    assert ran.truncated
    assert ran.out.startswith("first")
    assert ran.out.endswith("last")
    assert len(ran.out) < 11_000
    assert peak < 2_000_000  # of 40 MB


async def test_a_flood_without_an_end_is_ended() -> None:
    error = await failed(python("while True: print('x' * 10_000)"), 600, flood=1_000_000)
    assert error.kind is Cause.FLOODED
    assert isinstance(error.ran, Ran)
    assert error.ran.out.startswith("xxx")


async def test_what_it_said_before_its_time_was_over_is_kept(tmp_path: Path) -> None:
    done = tmp_path / "done"
    code = f"import time\nprint('half', flush=True)\nopen({str(done)!r}, 'w').close()\ntime.sleep(600)"
    with pytest.raises(CommandFailed) as caught:
        await run(python(code), timeout=600, stopping=done.exists)
    assert caught.value.ran is not None
    assert caught.value.ran.out == "half\n"


async def test_many_at_a_time_leave_no_open_files() -> None:
    async def once(number: int) -> str:
        return (await run(python(f"print({number})"), timeout=600)).out

    await once(0)  # what the loop opens for itself
    before = len(os.listdir("/proc/self/fd"))
    assert await asyncio.gather(*(once(n) for n in range(8))) == [f"{n}\n" for n in range(8)]
    assert len(os.listdir("/proc/self/fd")) == before
