"""The processes of a release that runs."""

from __future__ import annotations

import json
from typing import cast

from bot.domain.deploy.slots import Slot
from tests.engine.deploy.ground import Ground


def supervisor_of(ground: Ground, slot: Slot) -> int:
    """The pid of its supervisor."""
    return _state(ground, slot)["supervisor"][0]


def child_of(ground: Ground, slot: Slot) -> int:
    """The pid of the release itself."""
    return _state(ground, slot)["child"][0]


def _state(ground: Ground, slot: Slot) -> dict[str, list[int]]:
    text = (ground.folder / "state" / f"{slot.value}.json").read_text()
    return cast(dict[str, list[int]], json.loads(text))
