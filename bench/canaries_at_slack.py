"""Deployments through Slack: asked for, approved, and taken back from 50 % by a press of 롤백."""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from bench.approvals import STOP, offered, over, planned, sign
from bench.door import open_door
from bench.front import HEALTH, Front, fronted
from bench.program import guardian, quiet_machine, told_by
from bench.shares import watched
from bot.domain.deploy.checks import Check, Trial
from bot.domain.deploy.slots import Slot

_REST = 1.2
"""seconds between clicks: notes in threads must not use up a channel's one post a second"""
_REACHED = 60.0
_LOOK = 0.01
_LEFT_OUT: dict[str, JsonValue] = {"left_out": "a bench"}


@dataclass(slots=True)
class Clicked:
    """What was measured of each."""

    signs: list[float] = field(default_factory=list)
    """milliseconds from the press of 승인 to the first sign of life"""
    pressed_at: list[float] = field(default_factory=list)
    back: list[float] = field(default_factory=list)
    """seconds from the press of 롤백 until slot a carries everything"""
    floor_back: list[float] = field(default_factory=list)
    """the same by hand"""


async def clicked(canaries: int) -> Clicked:
    """So many, one after the other, by a real Guardian with nothing else to do."""
    found = Clicked()
    with tempfile.TemporaryDirectory(prefix="guardian-", ignore_cleanup_errors=True) as name:
        state = Path(name)
        async with open_door() as door, fronted(state) as front:
            with watched(front.configuration) as shares:
                by_hand = await told_by(front.by_hand(canaries))
                async with guardian(door.api_url, state, _settings(front)):
                    await door.until_connected()
                    await door.until_reported()
                    for _ in range(canaries):
                        card, value = await planned(door, "deploy shop v2")
                        await asyncio.sleep(_REST)
                        found.signs.append(await sign(door, card, value))
                        async with asyncio.timeout(_REACHED):
                            while shares.now != 50:  # noqa: ASYNC110 - a thread sees it
                                await asyncio.sleep(_LOOK)
                        value = await offered(door, card, STOP)
                        await asyncio.sleep(_REST)
                        found.pressed_at.append(time.monotonic())
                        await door.press(card, STOP, value)
                        await over(door, card)
                        await asyncio.sleep(_REST)
            found.floor_back = shares.seconds(by_hand["began_at"])
            found.back = shares.seconds(found.pressed_at)
    return found


def _settings(front: Front) -> dict[str, JsonValue]:
    its = front.configuration
    environment: dict[str, JsonValue] = {
        "slots": {slot.value: address for slot, address in front.addresses.items()},
        "releases": {"driver": "process", "directory": front.directory, "command": list(front.command)},
        "traffic": {
            "driver": "haproxy",
            "socket": its.socket,
            "map": its.map_file,
            "key": its.key,
            "backends": {slot.value: its.backends[slot] for slot in Slot},
            "server": its.server,
            "log": its.log,
        },
        "health": {"path": HEALTH.path, "contains": HEALTH.contains, "in_a_row": HEALTH.in_a_row},
        "stages": [50, 100],
        "dwell": "1h",
        "lock_after_rollback": "0s",
        "second_person": False,
        "no_data": "a bench",
    }
    service: dict[str, JsonValue] = {
        "preflight": {each.value: _LEFT_OUT for each in Check},
        "verification": {each.value: _LEFT_OUT for each in Trial},
        "environments": {"production": environment},
    }
    return {**quiet_machine(), "deploy": {"services": {"shop": service}}}
