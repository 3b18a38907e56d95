"""Programs that take alerts and tell them to Slack: the Guardian, its floor, and Alertmanager."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import yaml
from pydantic import JsonValue

from bench.door import Door
from bench.program import Program, guardian, quiet_machine, running
from bench.told import name_of
from tests.ports import free_port

ALERTMANAGER = Path("/usr/bin/prometheus-alertmanager")
"""where Debian's package `prometheus-alertmanager` puts it"""
_SECRET = "a secret of the benches"
_NAMES = 20
"""kinds of alerts, and services"""
_READY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Teller:
    """A program that is ready to be told of alerts by a POST of `body(count)` to `url`."""

    program: Program
    url: str
    headers: dict[str, str]
    body: Callable[[int], bytes]

    async def post(self, session: aiohttp.ClientSession, body: bytes) -> None:
        """Post alerts and wait for the answer. Raises aiohttp.ClientResponseError for any but a good one."""
        async with session.post(self.url, data=body, headers=self.headers) as answer:
            await answer.read()
            answer.raise_for_status()


Starting = Callable[[Door, Path], AbstractAsyncContextManager[Teller]]
"""Runs a program against the Slack at a door, its state in a folder."""


@asynccontextmanager
async def guardian_teller(door: Door, state: Path) -> AsyncIterator[Teller]:
    """The Guardian as it comes, without pages: its ladders would speak of the alerts again after a minute."""
    port = free_port()
    nobody: JsonValue = {level: {"steps": []} for level in ("error", "critical", "emergency")}
    settings: dict[str, JsonValue] = {
        **quiet_machine(),
        "webhooks": {"port": port},
        "policies": {"default": {"ladders": nobody}},
    }
    environment = {"GUARDIAN_WEBHOOK_SECRET": _SECRET}
    async with guardian(door.api_url, state, settings, environment) as program:
        await door.until(lambda: door.connected_at is not None and door.connected_at > program.began)
        await door.until_reported()
        await _listening(port)
        headers = {"Authorization": f"Bearer {_SECRET}", "Content-Type": "application/json"}
        yield Teller(program, f"http://127.0.0.1:{port}/webhook/alertmanager", headers, notification)


@asynccontextmanager
async def digest_teller(door: Door, state: Path) -> AsyncIterator[Teller]:
    """The floor."""
    port = free_port()
    arguments = ["-m", "bench.floors.digests", str(port), str(state / "book.db"), door.api_url]
    async with running(arguments, {}) as program:
        await _listening(port)
        headers = {"Content-Type": "application/json"}
        yield Teller(program, f"http://127.0.0.1:{port}/webhook/alertmanager", headers, notification)


@asynccontextmanager
async def alertmanager_teller(door: Door, state: Path) -> AsyncIterator[Teller]:
    """Alertmanager: a message for each of the 20 kinds, with the name of each alert in it."""
    port = free_port()
    names = "{{ range .Alerts }}{{ .Labels.instance }} {{ end }}"
    slack: JsonValue = {"api_url": f"{door.url}/hook", "channel": "alerts", "title": "", "text": names}
    waits = {"group_wait": "1s", "group_interval": "10s", "repeat_interval": "4h"}
    route: JsonValue = {"receiver": "slack", "group_by": ["alertname"], **waits}
    configuration: JsonValue = {"route": route, "receivers": [{"name": "slack", "slack_configs": [slack]}]}
    file = state / "alertmanager.yml"
    file.write_text(yaml.safe_dump(configuration), encoding="utf-8")
    arguments = [
        f"--config.file={file}",
        f"--storage.path={state / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        "--log.level=error",
    ]
    async with running(arguments, {}, str(ALERTMANAGER)) as program:
        await _listening(port)
        headers = {"Content-Type": "application/json"}
        yield Teller(program, f"http://127.0.0.1:{port}/api/v2/alerts", headers, _alerts)


def has_alertmanager() -> bool:
    """Whether Alertmanager is on this machine."""
    return os.access(ALERTMANAGER, os.X_OK)


def notification(count: int) -> bytes:
    """The notification in which Alertmanager tells of `count` critical alerts, as it writes one."""
    document = {
        "version": "4",
        "groupKey": "{}:{}",
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "guardian",
        "groupLabels": {},
        "commonLabels": {"severity": "critical"},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example:9093",
        "alerts": [
            {"status": "firing", **_alert(number), "endsAt": "0001-01-01T00:00:00Z",
             "fingerprint": f"{number:016x}"}
            for number in range(count)
        ],
    }  # fmt: skip
    return json.dumps(document).encode()


def _alerts(count: int) -> bytes:
    return json.dumps([_alert(number) for number in range(count)]).encode()


def _alert(number: int) -> dict[str, object]:
    kind = number % _NAMES
    began = datetime.now(UTC).replace(microsecond=0)
    return {
        "labels": {
            "alertname": f"Trouble{kind:02}",
            "instance": name_of(number),
            "service": f"service-{kind:02}",
            "severity": "critical",
        },
        "annotations": {
            "summary": f"Trouble {kind:02} at a host",
            "description": "It has not answered for five minutes.",
        },
        "startsAt": began.isoformat().replace("+00:00", "Z"),
        "generatorURL": f"http://prometheus.example:9090/graph?g0.expr=trouble{kind:02}&g0.tab=1",
    }


async def _listening(port: int) -> None:
    async with asyncio.timeout(_READY_SECONDS):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
