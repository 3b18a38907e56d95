"""Running restic: a clean environment, its output as it comes, an end that leaves neither a lock behind nor a
restic without us (`bot.tools.restic.keeper`)."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from bot.tools.restic import keeper
from bot.tools.restic.errors import (
    RETRYING,
    Cancelled,
    ResticError,
    ResticMissing,
    StorageUnavailable,
    TimedOut,
    error_of,
    last_words,
)
from bot.tools.restic.started import Records

_CHUNK = 256 * 1024
_LINES_KEPT = 200
_LOOKS = 0.2
"""seconds between two looks whether somebody wants it to stop"""
_GOING = keeper.GOING_SECONDS + 5.0
"""seconds for restic to go, and its keeper after it"""
_KEEPER = (sys.executable, "-I", "-S", keeper.__file__)


def never() -> bool:
    """Nobody wants it to stop."""
    return False


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a command may take, and how long a storage may refuse before it is given up. restic itself
    would go on trying for a quarter of an hour, for each file."""

    whole: timedelta = timedelta(hours=6)
    refusals: timedelta = timedelta(minutes=2)
    orphans: timedelta = timedelta(seconds=30)
    """for a restic that a killed Guardian left behind to be gone"""


class Lifeline:
    """Holds a keeper and its restic alive until it is cut, or we are gone."""

    def __init__(self) -> None:
        self.reading, ours = os.pipe()
        """the end for the keeper, which becomes the call's to close"""
        self._ours: int | None = ours

    def cut(self) -> None:
        """End them, if they are still there."""
        if self._ours is not None:
            os.close(self._ours)
            self._ours = None


@dataclass(slots=True)
class Call:
    """One call of restic. `sink` gets standard output as it comes; `stdin` is the end of a pipe to read
    from, which becomes the call's to close. `records`: where it is written down that it runs."""

    arguments: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    patience: Patience
    records: Records
    sink: Callable[[bytes], None]
    stopping: Callable[[], bool] = never
    stdin: int = DEVNULL
    said: deque[str] = field(default_factory=lambda: deque(maxlen=_LINES_KEPT))
    process: Process | None = None
    _lifeline: Lifeline = field(init=False)
    _refused_at: float | None = None

    async def run(self) -> None:
        """Run it to its end. Raises a ResticError; the process is gone, however that ends."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        self._lifeline = Lifeline()
        try:
            await self._run(await self._start(), loop, began)
        finally:
            self._lifeline.cut()

    async def _start(self) -> Process:
        """Start it behind its keeper; it is gone if we are cancelled meanwhile."""
        starting = asyncio.ensure_future(self._keeper(self._lifeline.reading))
        try:
            self.process = await asyncio.shield(starting)
        except asyncio.CancelledError:
            await end(await starting, self._lifeline)
            raise
        return self.process

    async def _keeper(self, lifeline: int) -> Process:
        try:
            record = await asyncio.to_thread(self.records.fresh)
            return await asyncio.create_subprocess_exec(
                *_KEEPER,
                str(lifeline),
                str(record),
                *self.arguments,
                stdin=self.stdin,
                stdout=PIPE,
                stderr=PIPE,
                pass_fds=(lifeline,),
                env=dict(self.environment),
                start_new_session=True,  # Ctrl+C on our terminal is for us
            )
        finally:
            os.close(lifeline)
            if self.stdin >= 0:
                os.close(self.stdin)

    async def _run(self, process: Process, loop: asyncio.AbstractEventLoop, began: float) -> None:
        reading = asyncio.gather(self._read_output(process), self._read_errors(process), process.wait())
        try:
            while not (await asyncio.wait([reading], timeout=_LOOKS))[0]:
                self._look(loop.time(), began)
            await reading
        except BaseException:
            await end(process, self._lifeline)
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading
            raise
        if process.returncode == keeper.NOT_STARTED:
            raise ResticMissing(last_words(list(self.said)), program=self.arguments[0])
        if process.returncode != 0:
            raise error_of(process.returncode or 0, list(self.said))

    def _look(self, now: float, began: float) -> None:
        if self.stopping():
            raise Cancelled
        if now - began > self.patience.whole.total_seconds():
            raise TimedOut(seconds=self.patience.whole.total_seconds())
        refused = self._refused_at
        if refused is not None and now - refused > self.patience.refusals.total_seconds():
            found = error_of(1, list(self.said))
            raise StorageUnavailable(found.said) if type(found) is ResticError else found

    async def _read_output(self, process: Process) -> None:
        assert process.stdout is not None  # noqa: S101 - it was started with a pipe
        while chunk := await process.stdout.read(_CHUNK):
            self.sink(chunk)

    async def _read_errors(self, process: Process) -> None:
        assert process.stderr is not None  # noqa: S101 - it was started with a pipe
        lines = Lines(self._hear)
        while chunk := await process.stderr.read(_CHUNK):
            lines(chunk)
        lines.end()

    def _hear(self, line: str) -> None:
        if line.strip():
            self.said.append(line)
        if self._refused_at is None and RETRYING.search(line):
            self._refused_at = asyncio.get_running_loop().time()

    def moved(self) -> None:
        """It has got on: what the storage refused meanwhile it has taken now."""
        self._refused_at = None


class Lines:
    """Chunks in, lines out. A carriage return ends a line too: restic draws its progress over itself."""

    def __init__(self, take: Callable[[str], None]) -> None:
        self._take = take
        self._rest = b""

    def __call__(self, chunk: bytes) -> None:
        *whole, self._rest = (self._rest + chunk).replace(b"\r", b"\n").split(b"\n")
        for line in whole:
            self._take(line.decode(errors="replace"))

    def end(self) -> None:
        """What came last without a line's end is a line too."""
        rest, self._rest = self._rest, b""
        if rest:
            self._take(rest.decode(errors="replace"))


async def end(process: Process, lifeline: Lifeline) -> None:
    """End a keeper and its restic, which takes its lock along if it can."""
    lifeline.cut()
    try:
        async with asyncio.timeout(_GOING):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # both: restic would outlive its keeper
        await process.wait()
