"""The programs that are measured, each a process of its own."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import JsonValue

_GUARDIAN = "import sys; from bot.cli import main; sys.exit(main())"
"""What the installed command `guardian` does."""
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
        """Raises ProgramEnded if it failed."""
        if self.process.returncode:
            said = self.log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise ProgramEnded(f"status {self.process.returncode}: {said}")


@asynccontextmanager
async def running(arguments: Sequence[str], environment: Mapping[str, str]) -> AsyncIterator[Program]:
    """Run `python ARGUMENTS` until the block ends. Raises ProgramEnded if it fails."""
    with tempfile.TemporaryDirectory(prefix="guardian-bench-") as folder:
        log = Path(folder) / "log"
        with log.open("wb") as out:
            began = time.monotonic()
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *arguments,
                env={**os.environ, **environment},
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
    api_url: str, state: Path, settings: Mapping[str, JsonValue] | None = None
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
    environment = {
        "SLACK_BOT_TOKEN": "xoxb-bench",
        "SLACK_APP_TOKEN": "xapp-bench",
        "SLACK_API_URL": api_url,
    }
    async with running(["-c", _GUARDIAN, "run", "--config", str(file)], environment) as program:
        yield program


def quiet_machine() -> dict[str, JsonValue]:
    """Settings by which no reading of the machine raises an alert: a bench loads the machine, and the cards
    about that would be measured along."""
    return {"infrastructure_kpis": dict.fromkeys(_QUIET), "kpis": dict.fromkeys(_QUIET_TOO)}


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
