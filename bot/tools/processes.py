"""Starting a program that belongs to us, and ending it."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from pathlib import Path


class ChildFailed(Exception):
    """A program of ours ended before it was ready. `status` is its exit status, `said` its last words."""

    def __init__(self, status: int | None, said: str) -> None:
        super().__init__(said or f"exit status {status}")
        self.status = status
        self.said = said


class Child:
    """A program that lives no longer than we do: it holds the other end of a pipe, and ends when we are gone,
    however we end."""

    def __init__(self, process: Process, log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @classmethod
    async def start(cls, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Child:
        """Start it; what it says on standard error goes to the file `log`."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                *arguments,
                stdin=PIPE,
                stdout=PIPE,
                stderr=errors,
                env=dict(environment),
                # Ctrl+C on the terminal is for us; we end it when we no longer need it.
                start_new_session=True,
            )
        return cls(process, log)

    async def first_line(self, seconds: float) -> str:
        """The first line that it prints: it is ready. Raises ChildFailed if it ends or says nothing."""
        assert self._process.stdout is not None  # noqa: S101 - it was started with a pipe
        line = b""
        try:
            async with asyncio.timeout(seconds):
                line = await self._process.stdout.readline()
        except TimeoutError:
            raise ChildFailed(None, f"said nothing for {seconds:g} s") from None
        if not line:
            raise ChildFailed(await self._process.wait(), self._last_words())
        return line.decode(errors="replace").strip()

    async def ask(self, line: bytes) -> bytes:
        """Write a line to it and read its answer: four bytes that say how long it is (big-endian), and that
        many. Raises ChildFailed if it ends before it has answered."""
        assert self._process.stdin is not None  # noqa: S101 - it was started with pipes
        assert self._process.stdout is not None  # noqa: S101 - it was
        try:
            self._process.stdin.write(line + b"\n")
            await self._process.stdin.drain()
            size = int.from_bytes(await self._process.stdout.readexactly(4))
            return await self._process.stdout.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError):
            raise ChildFailed(await self._process.wait(), self._last_words()) from None

    async def wait(self) -> int:
        """Wait for its end; the exit status, negative when a signal ended it."""
        return await self._process.wait()

    async def stop(self, seconds: float = 2.0) -> None:
        """Ask it to end, and make it end when it doesn't."""
        if self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(seconds):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    def _last_words(self) -> str:
        try:
            lines = self._log.read_text(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1] if lines else ""
