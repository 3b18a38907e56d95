"""Programs of the tests' own that are killed in the middle of what they do."""

from __future__ import annotations

import asyncio
import sys

import pytest


async def until_killed(
    program: str, *arguments: str, seconds: float | None, ceiling: float = 120
) -> str | None:
    """Start a program (a module) that says `ready` when it has begun, and in a second line how it ended; kill
    it so long after it is ready, or let it come to its end. What it said in the end; None if it was killed.
    `ceiling`: seconds after which a program that hangs fails the test."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", program, *arguments, stdout=pipe, stderr=pipe
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(ceiling):
            if not await process.stdout.readline():
                pytest.fail((await process.stderr.read()).decode())
            if seconds is None:
                said = (await process.stdout.readline()).decode().strip()
                complaints = (await process.stderr.read()).decode()
                assert (await process.wait(), complaints) == (0, "")
                return said
            try:
                async with asyncio.timeout(seconds):
                    return (await process.stdout.readline()).decode().strip() or None
            except TimeoutError:
                return None
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
