"""Releases that fail as a test wants it, and the processes of one that runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

from bot.domain.deploy.measures import Usage
from bot.domain.deploy.slots import Slot
from bot.tools.releases.contract import Instance, ReleaseFailed
from bot.tools.releases.contract import Releases as ReleasesContract


class Releases:
    """Real ones, with what fails of them."""

    def __init__(self, real: ReleasesContract) -> None:
        self._real = real
        self.fails: set[tuple[str, Slot]] = set()
        """what cannot be done, and where"""
        self.started: list[tuple[Slot, str, str]] = []

    async def start(self, slot: Slot, revision: str, marker: str) -> Instance:
        self._may("start", slot)
        self.started.append((slot, revision, marker))
        return await self._real.start(slot, revision, marker)

    async def find(self, slot: Slot) -> Instance | None:
        self._may("find", slot)
        return await self._real.find(slot)

    async def stop(self, slot: Slot) -> bool:
        self._may("stop", slot)
        return await self._real.stop(slot)

    async def usage(self, slot: Slot) -> Usage | None:
        self._may("usage", slot)
        return await self._real.usage(slot)

    async def known(self, revision: str) -> bool:
        return await self._real.known(revision)

    def _may(self, what: str, slot: Slot) -> None:
        if (what, slot) in self.fails:
            raise ReleaseFailed("release_tool", f"{what}: no such luck")


def supervisor_of(folder: Path, slot: Slot) -> int:
    """The pid of its supervisor."""
    return _state(folder, slot)["supervisor"][0]


def child_of(folder: Path, slot: Slot) -> int:
    """The pid of the release itself."""
    return _state(folder, slot)["child"][0]


def _state(folder: Path, slot: Slot) -> dict[str, list[int]]:
    text = (folder / "state" / f"{slot.value}.json").read_text()
    return cast(dict[str, list[int]], json.loads(text))
