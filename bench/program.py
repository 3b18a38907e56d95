"""The programs that are measured, each a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import JsonValue

from tests.ports import free_port

_GUARDIAN = "import sys; from bot.cli import main; sys.exit(main())"
"""What the installed command `guardian` does."""
_COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}
"""As it is installed somewhere: compiled once, and not at each start."""
_STOP_SECONDS = 10.0
_QUIET = ("cpu_usage", "memory_usage", "disk_usage", "response_time")
_QUIET_TOO = ("inode_usage", "swap_usage", "load_average", "zombie_count", "network_errors", "network_drops")


class ProgramEnded(Exception):
    """A program ended before it was told to; the text is the last it said."""


@dataclass(frozen=True, slots=True)
class Program:
    """A running program. `began` is the monotonic moment at which its process was started."""

    process: asyncio.subprocess.Process
    began: float
    log: Path

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def check(self) -> None:
        """Raises ProgramEnded if it failed; one that was killed did not."""
        if self.process.returncode not in (None, 0, -signal.SIGKILL):
            said = self.log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise ProgramEnded(f"status {self.process.returncode}: {said}")

    def kill(self) -> None:
        """End it as a power failure does."""
        self.process.kill()


@asynccontextmanager
async def running(
    arguments: Sequence[str], environment: Mapping[str, str], executable: str = sys.executable
) -> AsyncIterator[Program]:
    """Run `python ARGUMENTS`, or another program, until the block ends. Raises ProgramEnded if it fails."""
    with tempfile.TemporaryDirectory(prefix="guardian-bench-") as folder:
        log = Path(folder) / "log"
        with log.open("wb") as out:
            began = time.monotonic()
            process = await asyncio.create_subprocess_exec(
                executable,
                *arguments,
                env={**os.environ, **_COMPILED, **environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=asyncio.subprocess.STDOUT,
            )
            program = Program(process, began, log)
            try:
                yield program
                program.check()
            except TimeoutError as error:
                program.check()
                raise TimeoutError(log.read_text(encoding="utf-8", errors="replace")[-2000:]) from error
            finally:
                await _stop(process)


async def told_by(arguments: Sequence[str], seconds: float = 300.0) -> dict[str, list[float]]:
    """Run `python ARGUMENTS` to its end; what it says in its last line, as JSON: measured values by name.

    Raises ProgramEnded if it fails and TimeoutError if it takes longer than `seconds`.
    """
    async with running(arguments, {}) as program:
        async with asyncio.timeout(seconds):
            await program.process.wait()
        program.check()
        said: dict[str, list[float]] = json.loads(program.log.read_text(encoding="utf-8").splitlines()[-1])
        return said


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


@asynccontextmanager
async def guardian(
    api_url: str,
    state: Path,
    settings: Mapping[str, JsonValue] | None = None,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[Program]:
    """Run the Guardian against the Slack at `api_url`, its state in the folder `state`, which is there."""
    file = state / "guardian.yaml"
    whole: dict[str, JsonValue] = {
        "name": "bench",
        "environment": "bench",
        "state_directory": str(state),
        "health": {"port": free_port()},
        **(settings or {}),
    }
    file.write_text(yaml.safe_dump(whole, allow_unicode=True), encoding="utf-8")
    tokens = {
        "SLACK_BOT_TOKEN": "xoxb-bench",
        "SLACK_APP_TOKEN": "xapp-bench",
        "SLACK_API_URL": api_url,
    }
    started = ["-c", _GUARDIAN, "run", "--config", str(file)]
    async with running(started, {**tokens, **(environment or {})}) as program:
        yield program


def quiet_machine() -> dict[str, JsonValue]:
    """Settings by which no reading of the machine raises an alert: a bench loads the machine, and the cards
    about that would be measured along."""
    return {"infrastructure_kpis": dict.fromkeys(_QUIET), "kpis": dict.fromkeys(_QUIET_TOO)}
