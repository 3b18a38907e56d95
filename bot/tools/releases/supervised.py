"""The supervisor of one slot, seen from outside: started, looked at, ended. All of this blocks.

A process is ours if it started at the very tick that its supervisor wrote down, in this boot, and shows it:
a supervisor by its command line, a release by its parent or its environment. It is signalled through a pidfd
that was opened before that was looked at, so that nobody else with its number can be meant.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from bot.domain.deploy.slots import Slot
from bot.tools.commands import passed_on
from bot.tools.releases import supervisor
from bot.tools.releases.supervisor import MARKER, Order, State

_LOOKS = 0.02
"""seconds between two looks at what is waited for"""
_GRACE = 5.0
"""seconds that a supervisor gets beyond the patience for its release"""
_AT_LAST = 5.0
"""seconds that the kernel gets to take away what was killed"""
_FIND_PATIENCE = 2.0
_PROGRAM = os.path.basename(os.fsencode(supervisor.__file__))


class SupervisorFailed(Exception):
    """It could not be started or ended; the text says why."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is there in a slot."""

    state: State
    supervised: bool
    """whether its supervisor lives"""
    alive: bool
    """whether the release itself does"""

    @property
    def child(self) -> int | None:
        """The pid of the release, if it lives."""
        return self.state["child"][0] if self.alive and self.state["child"] else None


class Place:
    """A slot's place in a folder of supervisors."""

    def __init__(self, folder: Path, slot: Slot) -> None:
        self._folder = os.path.abspath(folder)
        self._slot = slot.value

    @contextmanager
    def held(self, seconds: float) -> Iterator[int]:
        """Be the only one who starts or stops here; the number of the file whose lock that is. Whoever did so
        before and was killed may have left a supervisor that is just starting: that one holds it as well,
        until it can be found. Raises SupervisorFailed after so many seconds."""
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        with self._lock(fcntl.LOCK_EX, seconds) as (number, ours):
            if not ours:
                raise SupervisorFailed(f"{self._folder}: somebody else is at slot {self._slot}")
            yield number

    @contextmanager
    def _lock(self, kind: int, seconds: float) -> Iterator[tuple[int, bool]]:
        latest = time.monotonic() + seconds
        with open(os.path.join(self._folder, self._slot + ".hold"), "ab") as file:
            ours = False
            while not ours:
                with suppress(BlockingIOError):
                    fcntl.flock(file, kind | fcntl.LOCK_NB)
                    ours = True
                if not ours and time.monotonic() > latest:
                    break
                if not ours:
                    time.sleep(_LOOKS)
            yield file.fileno(), ours

    def settled(self) -> Found | None:
        """What is there once nobody is starting or stopping anything; after two seconds anyway."""
        if not os.path.isdir(self._folder):
            return None
        with self._lock(fcntl.LOCK_SH, _FIND_PATIENCE):
            return self.look()

    def look(self) -> Found | None:
        """What is there; None when nothing of it lives."""
        state = self._state()
        if state is None:
            return None
        pid, started = state["supervisor"]
        supervised = supervisor.ticks(pid) == started and self._is_supervisor(pid)
        alive = False
        if state["child"] is not None:
            child, began = state["child"]
            ours = (supervised and supervisor.parent(child) == pid) or self._is_release(child)
            alive = ours and supervisor.ticks(child) == began
        return Found(state, supervised, alive) if supervised or alive else None

    def launch(self, hold: int, marker: str, order: Order, seconds: float) -> None:
        """Let a supervisor start. Whoever calls holds the place. Raises SupervisorFailed."""
        command = [sys.executable, "-I", "-S", supervisor.__file__, self._folder, self._slot, marker]
        try:
            process = subprocess.Popen(  # noqa: S603 - our own program, by a list of arguments
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=passed_on(),
                pass_fds=(hold,),
                cwd="/",
            )
        except OSError as error:
            raise SupervisorFailed(error.strerror or str(error)) from None
        with process:  # it ends at once, and leaves the supervisor behind
            assert process.stdin is not None and process.stdout is not None  # noqa: S101 - pipes were asked for
            with suppress(BrokenPipeError):
                process.stdin.write(json.dumps({**order, "hold": hold}).encode())
                process.stdin.close()
            readable, _, _ = select.select([process.stdout], [], [], seconds)
            line = process.stdout.readline() if readable else b""
            with suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
            process.kill()  # it has been waited for: that is nothing, or what hangs before it has forked
        if not line:
            raise SupervisorFailed("its supervisor said nothing")
        problem = json.loads(line).get("failed")
        if problem:
            raise SupervisorFailed(str(problem))

    def end(self, patience: float) -> bool:
        """End the release and its supervisor, and all that they left. Whoever calls holds the place. Whether
        there was anything. Raises SupervisorFailed when something is left."""
        supervisors = _finish(self._is_supervisor, patience + _GRACE)
        # What a supervisor that was killed left behind, and what its death did not take along.
        releases = _finish(self._is_release, 0.0 if supervisors else patience)
        with suppress(FileNotFoundError):
            os.unlink(self._file)
        return supervisors or releases

    @property
    def _file(self) -> str:
        return os.path.join(self._folder, self._slot + ".json")

    def _state(self) -> State | None:
        try:
            with open(self._file, encoding="utf-8") as file:
                found = json.load(file)
        except (OSError, ValueError):
            return None
        # The folder is ours alone and the file is written whole; another boot's processes are no more.
        return cast(State, found) if found.get("boot") == supervisor.boot() else None

    def _is_supervisor(self, pid: int) -> bool:
        """Whether that process is a supervisor of this slot, by its command line."""
        words = _read(pid, "cmdline").split(b"\0")
        if len(words) != 8 or words[1:3] != [b"-I", b"-S"] or os.path.basename(words[3]) != _PROGRAM:
            return False  # (the Guardian may have been installed elsewhere when it started it)
        return words[4:6] == [os.fsencode(self._folder), os.fsencode(self._slot)]

    def _is_release(self, pid: int) -> bool:
        """Whether that process was started by a supervisor of this slot, by its environment. (Where that
        can't be read, it is another user's.)"""
        mine = os.fsencode(f"{MARKER}={self._folder}:{self._slot}:")
        return any(word.startswith(mine) for word in _read(pid, "environ").split(b"\0"))


def order(
    revision: str,
    command: tuple[str, ...],
    directory: Path,
    environment: Mapping[str, str],
    patience: float,
    backoff: tuple[float, float, float],
    log: Path,
    log_bytes: int,
) -> Order:
    """What a supervisor is told."""
    return {
        "revision": revision,
        "command": list(command),
        "directory": str(directory),
        "environment": dict(environment),
        "patience": patience,
        "backoff": list(backoff),
        "log": os.path.abspath(log),
        "log_bytes": log_bytes,
        "hold": -1,
    }


def _read(pid: int, name: str) -> bytes:
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read()
    except OSError:
        return b""


def _running(which: Callable[[int], bool]) -> dict[int, int]:
    """The processes that are meant, and when each started."""
    found: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdecimal() and which(int(name)):
            started = supervisor.ticks(int(name))
            if started is not None:
                found[int(name)] = started
    return found


def _finish(which: Callable[[int], bool], patience: float) -> bool:
    """Ask those processes to end, and make them; whether there were any. Raises SupervisorFailed when some
    are left."""
    anything = False
    for number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, _AT_LAST)):
        left = _running(which)
        if not left:
            return anything
        for pid, started in left.items():
            anything = _signalled(pid, started, number, which) or anything
        _gone(lambda: not _running(which), seconds)
    if left := _running(which):
        raise SupervisorFailed(f"still there: {', '.join(map(str, left))}")
    return anything


def _signalled(pid: int, started: int, number: signal.Signals, which: Callable[[int], bool]) -> bool:
    """Signal a process if it is the one meant, which is looked at once its number is held."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if not which(pid) or supervisor.ticks(pid) != started:
            return False
        signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        raise SupervisorFailed(f"{pid} is another user's") from None
    finally:
        os.close(handle)
    return True


def _gone(check: Callable[[], bool], seconds: float) -> bool:
    latest = time.monotonic() + seconds
    while not check():
        if time.monotonic() > latest:
            return False
        time.sleep(_LOOKS)
    return True
