"""The Guardian as people start it: a process of its own, which can be killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
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
    """One run of `guardian run`."""

    folder: Path
    settings: Mapping[str, JsonValue]
    environment: Mapping[str, str]
    arguments: tuple[str, ...] = ("run",)
    process: asyncio.subprocess.Process | None = field(default=None, init=False)

    @property
    def log(self) -> Path:
        """What it and those before it said."""
        return self.folder / "guardian.log"

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.process is not None
        return self.process.pid

    def said(self) -> str:
        """All of it."""
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    async def start(self) -> None:
        """Start it."""
        file = self.folder / "guardian.yaml"
        file.write_text(yaml.safe_dump(dict(self.settings), allow_unicode=True), encoding="utf-8")
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                str(_PROGRAM),
                *self.arguments,
                "--config",
                str(file),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(self.environment),
                cwd=self.folder,
            )

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
        """Wait for its end; the exit status."""
        assert self.process is not None
        return await self.process.wait()
