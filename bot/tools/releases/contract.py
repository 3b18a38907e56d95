"""What a driver of releases promises. tests/tools/releases/ has the suite that every driver passes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.deploy.measures import Usage
from bot.domain.deploy.slots import Slot


class ReleaseFailed(Exception):
    """Something could not be done with a release. `reason` names a phrase (`deploy.failed.REASON`):
    release_start, release_stop, release_unknown, release_tool; `detail` is what the tool said, cut to a few
    lines."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Instance:
    """A release that runs in a slot."""

    slot: Slot
    revision: str
    """as it was started with; empty where the driver cannot tell"""
    marker: str
    """of the run that started it (`run-12`); empty for one that was there before the Guardian"""
    started_at: datetime | None
    restarts: int = 0
    """how often its supervisor has started it again since"""
    alive: bool = True
    """whether it runs at this moment"""


class Releases(Protocol):
    """The releases of one service in one environment. Every method looks before it acts: done again after a
    crash, it finds what it did. All raise ReleaseFailed; none outlives the time-outs it was made with."""

    async def start(self, slot: Slot, revision: str, marker: str) -> Instance:
        """Let that revision run in that slot, as started by `marker`. If it does already, nothing happens;
        whatever else runs in the slot is stopped first. It goes on when the Guardian ends,
        however that ends. It need not be healthy yet when this returns."""
        ...

    async def find(self, slot: Slot) -> Instance | None:
        """What really runs in that slot; None when nothing does."""
        ...

    async def stop(self, slot: Slot) -> bool:
        """Stop what runs in that slot: asked to end first, made to when it does not. Whether there was
        anything."""
        ...

    async def usage(self, slot: Slot) -> Usage | None:
        """What it takes, since the last look; None when that is not known."""
        ...

    async def known(self, revision: str) -> bool:
        """Whether that revision can be started here. Changes nothing."""
        ...
