"""An Alertmanager: it posts alerts in its own format, again and again until they are taken."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO

import aiohttp
from pydantic import JsonValue

from tests.doors import SECRET, Answered
from tests.waiting import CEILING


@dataclass(frozen=True)
class Trouble:
    """One alert over there: its labels make it what it is."""

    target: str
    severity: str = "critical"
    service: str = "shop"
    name: str = "Slow"
    environment: str = ""

    def payload(self, status: str) -> dict[str, JsonValue]:
        """It, in a notification."""
        return {
            "status": status,
            "labels": {
                "alertname": self.name,
                "instance": self.target,
                "severity": self.severity,
                "service": self.service,
                **({"environment": self.environment} if self.environment else {}),
            },
            "annotations": {"summary": f"{self.name} answers"},
            "startsAt": "2026-03-01T08:55:00.739266876Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.example.com/graph?g0.expr=up",
        }


def notification(troubles: Iterable[Trouble], status: str = "firing") -> bytes:
    """What Alertmanager posts for them."""
    return json.dumps(
        {
            "version": "4",
            "groupKey": "{}:{}",
            "status": status,
            "receiver": "guardian",
            "externalURL": "http://alertmanager.example.com",
            "groupLabels": {},
            "commonLabels": {},
            "commonAnnotations": {},
            "truncatedAlerts": 0,
            "alerts": [trouble.payload(status) for trouble in troubles],
        }
    ).encode()


@dataclass(frozen=True)
class Alertmanager:
    """Whoever knocks at the door on that port."""

    port: int

    async def posts(self, body: bytes, secret: str = SECRET) -> Answered:
        """One request; the answer. Raises aiohttp.ClientError when nobody answers."""
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                f"http://127.0.0.1:{self.port}/webhook/alertmanager",
                data=BytesIO(body),
                headers={"Authorization": f"Bearer {secret}", "Content-Type": "application/json"},
            ) as answer,
        ):
            return Answered(answer.status, await answer.json(), dict(answer.headers))

    async def tells(self, *troubles: Trouble, status: str = "firing", ceiling: float = CEILING) -> None:
        """Tell of them, again while the Guardian is busy or away, for so many seconds."""
        body = notification(troubles, status)
        async with asyncio.timeout(ceiling):
            while True:
                try:
                    answer = await self.posts(body)
                    if answer.status != 503:
                        assert answer.status == 200, answer
                        return
                except aiohttp.ClientError:
                    pass  # killed, or not there yet
                await asyncio.sleep(0.02)

    async def tells_in_groups(self, troubles: Sequence[Trouble], size: int, status: str = "firing") -> None:
        """Tell of many, group by group."""
        for first in range(0, len(troubles), size):
            await self.tells(*troubles[first : first + size], status=status)
