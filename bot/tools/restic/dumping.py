"""A program's output streamed into restic, so that a dump that fails leaves no snapshot behind.

restic takes the end of its input for the end of the file, whatever became of the program that wrote it. So
the input is ours: it ends only after the program has ended well; otherwise restic is ended first.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import tempfile
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping
from contextlib import suppress
from typing import IO

from bot.domain.backup.sources import Dump
from bot.tools.restic.errors import DumpEmpty, DumpFailed, ResticError, last_words
from bot.tools.restic.running import Call

_CHUNK = 1 << 20
_SAID = 16 * 1024


async def stream(dump: Dump, environment: Mapping[str, str], call: Call) -> str:
    """Run the program and restic (`call`, whose input this sets) together; SHA-256 of what went through.

    Raises DumpFailed, DumpEmpty, or what `Call.run` raises; then restic has made no snapshot.
    """
    # Not a pipe: what the program has started may hold it open for ever.
    with tempfile.TemporaryFile() as complaints:
        return await _stream(dump, environment, call, complaints)


async def _stream(dump: Dump, environment: Mapping[str, str], call: Call, complaints: IO[bytes]) -> str:
    output, program_end = os.pipe()
    call.stdin, inlet = os.pipe()
    try:
        program = await _start(dump, environment, program_end, complaints)
    except BaseException:
        for end in (output, call.stdin, inlet):
            os.close(end)
        raise
    finally:
        os.close(program_end)
    saving = asyncio.create_task(call.run())
    pumping = asyncio.create_task(asyncio.to_thread(_pump, output, inlet))
    judging = asyncio.create_task(_judge(dump, program, complaints))
    open_ends = [output, inlet]
    try:
        await asyncio.wait([saving, judging], return_when=asyncio.FIRST_COMPLETED)
        if not saving.done():
            judging.result()
            digest, size = await _through(pumping, saving)
            if size == 0:
                raise DumpEmpty(program=dump.command[0])
            os.close(open_ends.pop())  # now restic's input has ended
            await saving
            return digest
        await saving
        raise ResticError("restic ended before its input did")
    finally:
        # In this order: restic is gone before its input ends, and then nobody keeps the thread waiting.
        saving.cancel()
        await asyncio.gather(saving, return_exceptions=True)
        if program.returncode is None or not pumping.done():
            # The program, or what it has started and left behind with its output.
            with suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
        await asyncio.gather(judging, pumping, return_exceptions=True)
        for end in open_ends:
            os.close(end)


async def _through(
    pumping: asyncio.Task[tuple[str, int]], saving: asyncio.Task[None]
) -> tuple[str, int]:  # fmt: skip
    try:
        return await pumping
    except BrokenPipeError:
        await saving  # why restic ended before its input did
        raise


async def _start(dump: Dump, environment: Mapping[str, str], output: int, complaints: IO[bytes]) -> Process:
    try:
        return await asyncio.create_subprocess_exec(
            *dump.command,
            stdin=DEVNULL,
            stdout=output,
            stderr=complaints,
            env=dict(environment),
            start_new_session=True,  # what it starts is ended with it
        )
    except OSError as error:
        raise DumpFailed(error.strerror or "", program=dump.command[0], status=None) from None


async def _judge(dump: Dump, program: Process, complaints: IO[bytes]) -> None:
    """Wait for the program's end. Raises DumpFailed if it is none of a program that has done its work."""
    status = await program.wait()
    if status != 0:
        complaints.seek(max(0, complaints.seek(0, os.SEEK_END) - _SAID))
        said = complaints.read()
        words = last_words(said.decode(errors="replace").splitlines())
        raise DumpFailed(words, program=dump.command[0], status=status)


def _pump(output: int, inlet: int) -> tuple[str, int]:
    """Everything from one end to the other: its SHA-256, and how many bytes."""
    digest, size = hashlib.sha256(), 0
    while chunk := os.read(output, _CHUNK):
        digest.update(chunk)
        size += len(chunk)
        rest = memoryview(chunk)
        while rest:
            rest = rest[os.write(inlet, rest) :]
    return digest.hexdigest(), size
