"""Running a command that somebody configured: a list of arguments, an end in time, bounded memory, no shell,
nothing of our secrets.

The child leads a session and a process group of its own. It is not reaped before that group is done with, so
that the group's number can't have become another's when it is signalled. What starts a session of its own
(a daemon) is beyond the group, and lives on.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

KEPT = 64 * 1024
"""bytes that are kept of each of a command's outputs, unless said otherwise"""
FLOOD = 100 * 1024 * 1024
"""bytes of output after which a command is ended, unless said otherwise"""
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "USER", "LOGNAME")
"""of our environment; tokens are no business of other programs"""

_CHUNK = 64 * 1024
_FIRST_LOOK, _LOOKS = 0.001, 0.05
"""seconds between two looks whether it has ended or is to stop: often at first, then less"""
_GOING = 2.0
"""seconds to end by itself when it was asked to"""
_AT_LAST = 0.5
"""seconds for the kernel to take away what was killed; nothing else happens meanwhile"""
_LINGERS = 1.0
"""seconds that are waited for what it left behind to close its output, after its own end"""
_NOTHING: Mapping[str, str] = MappingProxyType({})


def passed_on(names: Iterable[str] = PASSED_ON) -> dict[str, str]:
    """What a command gets of our environment."""
    return {name: os.environ[name] for name in names if name in os.environ}


class Cause(StrEnum):
    """Why a command came to no end of its own, or could not be started."""

    ABSENT = "absent"
    """there is no such program, or no such directory to start it in"""
    NOT_ALLOWED = "not_allowed"
    """there is, and it can't be started: no rights, no program"""
    TIMED_OUT = "timed_out"
    STOPPED = "stopped"
    FLOODED = "flooded"
    """it said more than anybody will read"""


class CommandFailed(Exception):
    """It could not be run to its end. `detail` is a number of seconds or bytes, or what the system said;
    `ran` is what it had said until then."""

    def __init__(self, command: Sequence[str], kind: Cause, detail: str, ran: Ran | None = None) -> None:
        super().__init__(f"{command[0] if command else ''}: {kind}: {detail}")
        self.command = tuple(command)
        self.kind = kind
        self.detail = detail
        self.ran = ran


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that ran to its end, however that was."""

    status: int
    """its exit status; negative: the number of the signal that ended it"""
    out: str
    """its standard output: head and tail of it when `truncated`"""
    errors: str
    """its standard error, likewise; empty when it was merged into `out`"""
    truncated: bool
    """whether something of either was left out"""
    seconds: float

    @property
    def last_words(self) -> str:
        """The last line of standard error, else of standard output."""
        lines = (self.errors.strip() or self.out.strip()).splitlines()
        return lines[-1].strip()[:500] if lines else ""


def never() -> bool:
    """Nobody wants it to stop."""
    return False


async def run(
    command: Sequence[str],
    *,
    timeout: float,  # noqa: ASYNC109 - more happens at its end than a cancellation
    limit: int = KEPT,
    flood: int = FLOOD,
    cwd: Path | None = None,
    environment: Mapping[str, str] = _NOTHING,
    stopping: Callable[[], bool] = never,
    merged: bool = False,
) -> Ran:
    """Run it and wait for its end, at most `timeout` seconds. A status other than 0 is no error here.

    `limit` bytes are kept of each output; both are one, in the order they came, when `merged`. Standard input
    is empty; `environment` comes on top of `passed_on()`. When it takes too long, floods, is to stop
    (`stopping`) or this task is cancelled, its whole group is asked to end, then made to. What it leaves
    running behind after an end of its own is left alone, and not waited for. Raises CommandFailed."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    call = _Call(command, limit, merged)
    call.start(cwd, {**passed_on(), **environment})
    cause: tuple[Cause, str] | None = None
    try:
        look = _FIRST_LOOK
        while cause is None and not call.ended():
            if call.heard > flood:
                cause = (Cause.FLOODED, str(flood))
            elif loop.time() - began >= timeout:
                cause = (Cause.TIMED_OUT, f"{timeout:g}")
            elif stopping():
                cause = (Cause.STOPPED, "")
            else:
                await asyncio.sleep(min(look, max(0.0, began + timeout - loop.time())))
                look = min(look * 2, _LOOKS)
        if cause is None:
            await call.closed(_LINGERS, flood)
            if call.heard > flood:
                cause = (Cause.FLOODED, str(flood))
        if cause is not None:
            await call.end(_GOING)
    except asyncio.CancelledError:
        await call.end(_GOING)
        raise
    finally:
        call.finish()
    ran = call.ran(loop.time() - began)
    if cause is not None:
        raise CommandFailed(command, *cause, ran)
    return ran


@dataclass(slots=True)
class _Heard:
    """The head and the tail of an output. Never holds more than about twice its limit."""

    limit: int
    head: bytearray = field(default_factory=bytearray)
    tail: bytearray = field(default_factory=bytearray)
    dropped: int = 0

    def take(self, chunk: bytes) -> None:
        fits = max(0, self.limit // 4 - len(self.head))
        self.head += chunk[:fits]
        self.tail += chunk[fits:]
        if len(self.tail) > 2 * self.limit:
            self._cut()

    def _cut(self) -> None:
        more = len(self.tail) - (self.limit - self.limit // 4)
        if more > 0:
            del self.tail[:more]
            self.dropped += more

    def text(self) -> str:
        """What is kept of it, with a line about what is not."""
        self._cut()
        head, tail = bytes(self.head).decode(errors="replace"), bytes(self.tail).decode(errors="replace")
        if self.dropped:
            return f"{head}\n… {self.dropped} bytes …\n{tail}"
        return bytes(self.head + self.tail).decode(errors="replace")


class _Call:
    """One call. Its pipes are read as they fill."""

    def __init__(self, command: Sequence[str], limit: int, merged: bool) -> None:
        self._command = list(command)
        self._merged = merged
        self._out, self._errors = _Heard(limit), _Heard(limit)
        self._open: dict[int, _Heard] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._status = -signal.SIGKILL
        self.heard = 0

    def start(self, cwd: Path | None, environment: Mapping[str, str]) -> None:
        try:
            process = subprocess.Popen(  # noqa: S603 - a list of arguments, from the configuration
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT if self._merged else subprocess.PIPE,
                cwd=cwd,
                env=dict(environment),
                start_new_session=True,
                bufsize=0,
            )
        except (FileNotFoundError, NotADirectoryError) as error:
            raise CommandFailed(self._command, Cause.ABSENT, str(error.filename or "")) from None
        except (OSError, ValueError, IndexError) as error:  # no rights, no program, a null byte, no words
            said = error.strerror if isinstance(error, OSError) else None
            raise CommandFailed(self._command, Cause.NOT_ALLOWED, said or str(error)) from None
        self._process = process
        loop = asyncio.get_running_loop()
        for pipe, heard in ((process.stdout, self._out), (process.stderr, self._errors)):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
                self._open[pipe.fileno()] = heard
                loop.add_reader(pipe.fileno(), self._read, pipe.fileno())

    def _read(self, number: int) -> None:
        try:
            chunk = os.read(number, _CHUNK)
        except BlockingIOError:
            return
        self.heard += len(chunk)
        if chunk:
            self._open[number].take(chunk)
        else:
            asyncio.get_running_loop().remove_reader(number)
            del self._open[number]

    def ended(self) -> bool:
        """Whether the child has; it stays a zombie until `finish`."""
        assert self._process is not None  # noqa: S101 - it was started
        return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None

    async def closed(self, seconds: float, flood: int) -> None:
        """Wait until nobody can write to its output any more: so many seconds at most, and not for a
        flood."""
        await _within(seconds, lambda: not self._open or self.heard > flood)

    async def end(self, patience: float) -> None:
        """Ask the group to end, wait until it has, so many seconds at most, and make it."""
        self._signal(signal.SIGTERM)
        await _within(patience, lambda: not self._open and self.ended())
        self._signal(signal.SIGKILL)
        await _within(patience, self.ended)

    def _signal(self, number: int) -> None:
        assert self._process is not None  # noqa: S101 - it was started
        with suppress(ProcessLookupError, PermissionError):  # what sudo started is not ours to kill
            os.killpg(self._process.pid, number)

    def finish(self) -> None:
        """Reap it and close all. It is alive yet only if somebody cancelled while it was being ended, or if
        it can't be ended."""
        process = self._process
        assert process is not None  # noqa: S101 - it was started
        loop = asyncio.get_running_loop()
        if not self.ended():
            self._signal(signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self._status = process.wait(_AT_LAST)
        for number in list(self._open):
            loop.remove_reader(number)
        self._open.clear()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()

    def ran(self, seconds: float) -> Ran:
        """How it went, when it was reaped."""
        out, errors = self._out.text(), self._errors.text()
        return Ran(self._status, out, errors, bool(self._out.dropped or self._errors.dropped), seconds)


async def _within(seconds: float, check: Callable[[], bool]) -> None:
    """Wait until `check` is true, so many seconds at most."""
    latest, look = asyncio.get_running_loop().time() + seconds, _FIRST_LOOK
    while not check() and asyncio.get_running_loop().time() < latest:
        await asyncio.sleep(look)
        look = min(look * 2, _LOOKS)
