"""`kill -9` at random moments of a storm of 300 alerts that an Alertmanager tells of: none is lost."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import JsonValue

from bot.slack.manifest import manifest
from bot.workspace.server import Running, serve
from bot.workspace.settings import UNLIMITED
from tests.alertmanager import Alertmanager, Trouble
from tests.doors import SECRET
from tests.people import ALERTS, OPS
from tests.ports import free_port
from tests.process import Process, configuration, environment
from tests.told import Told
from tests.waiting import eventually

log = logging.getLogger(__name__)

_ALERTS = 300
_STEPS = 2
_CEILING = 180.0
"""seconds; a storm goes out at one message a second"""


@dataclass(frozen=True)
class _Figures:
    kills: int
    alerts: int
    pages: int
    doubles: int


async def test_kills_in_a_storm_lose_nothing(tmp_path: Path) -> None:
    await _storm(tmp_path, kills=4, groups=1, chance=random.Random(4))  # noqa: S311 - moments, not secrets


@pytest.mark.soak
async def test_a_hundred_kills_in_storms_lose_nothing(tmp_path: Path) -> None:
    chance = random.Random(100)  # noqa: S311 - moments, not secrets
    figures = []
    for number in range(10):
        folder = tmp_path / str(number)
        folder.mkdir()
        figures.append(await _storm(folder, kills=10, groups=2, chance=chance))
        log.warning("storm %d: %s", number, figures[-1])
    assert sum(each.kills for each in figures) == 100


async def _storm(folder: Path, kills: int, groups: int, chance: random.Random) -> _Figures:
    """A storm and its end with half of the kills in each; the Alertmanager tells each life so many groups.

    Raises AssertionError if anything is amiss."""
    channels = [ALERTS, OPS]
    async with serve(
        folder / "slack", manifest=manifest(), channels=channels, rate_limits=UNLIMITED
    ) as slack:
        door = free_port()
        guardian = Process(
            folder, _settings(folder, door), environment(slack, GUARDIAN_WEBHOOK_SECRET=SECRET)
        )
        try:
            return await _weathered(slack, guardian, Alertmanager(door), kills, groups, chance)
        finally:
            if guardian.process is not None:
                await guardian.kill()


async def _weathered(
    slack: Running,
    guardian: Process,
    alertmanager: Alertmanager,
    kills: int,
    groups: int,
    chance: random.Random,
) -> _Figures:
    troubles = [Trouble(f"node-{n:03}", service=f"shop-{n % 2}") for n in range(_ALERTS)]
    half = kills // 2
    await _told_between_kills(guardian, alertmanager, troubles, "firing", half, groups, chance)
    # Every page of every alert, none left out by a kill: only then does anybody say that it is over.
    await eventually(lambda: guardian.count("SELECT count(*) FROM pages") == _STEPS * _ALERTS, _CEILING)
    await _sent(guardian)
    folded = guardian.count("SELECT sum(folded) FROM storms")
    if groups > 1:  # it costs the ten seconds that lie between two drawings
        still = _headline(folded, f"열린 알림 {folded}건")
        await eventually(lambda: Told.of(slack).storms == [still], _CEILING)

    await _told_between_kills(guardian, alertmanager, troubles, "resolved", kills - half, groups, chance)
    await _sent(guardian)
    await eventually(lambda: Told.of(slack).storms == [_headline(folded, "모두 해결")], _CEILING)
    assert await guardian.terminate() == 0

    told = Told.of(slack)
    everyone = {trouble.target for trouble in troubles}
    assert set(told.fired) | set(told.fired_alone) == everyone, "every alert is named as fired"
    assert set(told.resolved) | set(told.resolved_alone) == everyone, "every alert is named as resolved"
    assert told.twice == set(), "and in one place"
    assert guardian.count("SELECT count(*) FROM alerts") == _ALERTS
    assert told.pages == guardian.count("SELECT count(*) FROM pages") == _STEPS * _ALERTS
    assert guardian.count("SELECT count(*) FROM letters WHERE state = 'dead'") == 0
    assert told.doubles <= kills, "at most one double for each kill"
    assert guardian.complaints() == []
    return _Figures(kills, _ALERTS, told.pages, told.doubles)


async def _told_between_kills(
    guardian: Process,
    alertmanager: Alertmanager,
    troubles: Sequence[Trouble],
    status: str,
    kills: int,
    groups: int,
    chance: random.Random,
) -> None:
    """Tell of them in as many parts as it has lives, each while it may be killed; it lives at the end."""
    size = -(-len(troubles) // (kills + 1))
    telling: list[asyncio.Task[None]] = []
    for life in range(kills + 1):
        if guardian.process is None or guardian.process.returncode is not None:
            await guardian.start()
        part = troubles[life * size : (life + 1) * size]
        telling.append(asyncio.create_task(alertmanager.tells_in_groups(part, size // groups, status)))
        if life < kills:
            if chance.random() < 0.75:
                await asyncio.wait(telling[-1:])
            # The interesting moments are the first seconds in which it has something to tell.
            await asyncio.sleep(chance.uniform(0, 1.5))
            await guardian.kill()
    await asyncio.gather(*telling)


async def _sent(guardian: Process) -> None:
    await eventually(
        lambda: guardian.count("SELECT count(*) FROM letters WHERE state = 'queued'") == 0, _CEILING
    )


def _headline(folded: int, rest: str) -> str:
    return f"⛈️ 알림 폭주: 모은 알림 {folded}건, {rest}"


def _settings(folder: Path, door: int) -> dict[str, JsonValue]:
    steps: JsonValue = [{"after": "0s", "tiers": [1]}, {"after": "2s", "tiers": [1]}]
    return {
        **configuration(folder, free_port()),
        "webhooks": {"port": door},
        "policies": {"default": {"ladders": {"critical": {"steps": steps, "rounds": 1, "every": None}}}},
    }
