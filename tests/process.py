"""The Guardian as people start it: a process of its own, which can be killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from pydantic import JsonValue

from bot.workspace.server import Running
from tests.people import ALERTS, OPS

_PROGRAM = Path(sys.executable).with_name("guardian")


def environment(slack: Running, **more: str) -> dict[str, str]:
    """What a Guardian of that workspace finds in its environment."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "SLACK_API_URL": slack.api_url,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        **more,
    }


def configuration(folder: Path, health_port: int, url: str | None = None) -> dict[str, JsonValue]:
    """A guardian.yaml that watches one web address every second, or this machine's load alone."""
    off: JsonValue = {"enabled": False}
    probes: dict[str, JsonValue] = dict.fromkeys(("cpu", "memory", "disk", "network", "processes"), off)
    if url is None:
        probes["load"] = {"interval": "1s"}
    else:
        target: JsonValue = {"name": "shop", "url": url, "interval": "1s", "timeout": "500ms"}
        probes |= {"load": off, "http": {"targets": [target]}}
    return {
        "name": "web-1",
        "slack": {"alerts_channel": ALERTS, "ops_channel": OPS},
        "state_directory": str(folder / "state"),
        "health": {"port": health_port},
        # How fast the test's own server answers is nobody's business here.
        "kpis": {"response_time": None, "load_average": None},
        "rules": {"default": {"confirm": 1, "confirm_critical": 1, "clear": 1, "missed": 2}},
        "probes": probes,
        "log": {"format": "json"},
    }


@dataclass
class Process:
    """A Guardian that can be started, ended and started again."""

    folder: Path
    settings: Mapping[str, JsonValue]
    environment: Mapping[str, str]
    arguments: tuple[str, ...] = ("run",)
    process: asyncio.subprocess.Process | None = field(default=None, init=False)
    _said: bytearray = field(default_factory=bytearray, init=False)
    _listener: asyncio.Task[None] | None = field(default=None, init=False)

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.process is not None
        return self.process.pid

    @property
    def door(self) -> str:
        """Where it tells of its health."""
        section = self.settings["health"]
        assert isinstance(section, dict)
        return f"http://127.0.0.1:{section['port']}"

    def said(self) -> str:
        """Everything that it said in all its runs, on both streams."""
        return self._said.decode(errors="replace")

    def complaints(self) -> list[str]:
        """The lines of what it said that tell of a bug."""
        return [line for line in self.said().splitlines() if "Traceback" in line]

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """What its database has, read beside it."""
        file = self.folder / "state" / "guardian.db"
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)) as connection:
            return connection.execute(query).fetchall()

    def count(self, query: str) -> int:
        """The number that a query gives."""
        found = self.rows(query)[0][0]
        assert isinstance(found, int)
        return found

    async def start(self) -> None:
        """Start it."""
        file = self.folder / "guardian.yaml"
        file.write_text(yaml.safe_dump(dict(self.settings), allow_unicode=True), encoding="utf-8")
        self.process = await asyncio.create_subprocess_exec(
            str(_PROGRAM),
            *self.arguments,
            "--config",
            str(file),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=dict(self.environment),
            cwd=self.folder,
        )
        assert self.process.stdout is not None
        self._listener = asyncio.create_task(self._listen(self.process.stdout))

    async def _listen(self, stream: asyncio.StreamReader) -> None:
        while chunk := await stream.read(65536):
            self._said += chunk

    async def kill(self) -> None:
        """`kill -9`."""
        await self._end(signal.SIGKILL)

    async def terminate(self) -> int:
        """SIGTERM; the exit status."""
        return await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> int:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await self.wait()

    async def wait(self) -> int:
        """Wait for its end, and for the end of what it says; the exit status."""
        assert self.process is not None and self._listener is not None
        status = await self.process.wait()
        await self._listener
        return status
