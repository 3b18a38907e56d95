"""Restoring a snapshot, from the second repository when the first can't give it."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.domain.backup.repositories import Place
from bot.domain.backup.snapshots import Taken
from bot.engine.operations.backup.vault import Vault, step, watching
from bot.engine.operations.contract import StepFailed, Stopped, Work
from bot.store.backup_drills import Drill
from bot.tools.backup_files import remove_tree
from bot.tools.restic.errors import Cancelled, DiskFull, ResticError


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored, from where, and why not from the first repository (None: it was)."""

    place: Place
    seconds: float
    first_failed: str | None = None


async def clear(vault: Vault, folder: Path) -> None:
    """See that nothing is at `folder`, which is ours: what a run that was killed has left there goes, once no
    restic of its writes to it any more. Raises StepFailed."""

    async def act() -> None:
        await vault.restic.nobody_restores_to(folder)
        await asyncio.to_thread(remove_tree, folder)

    await step(act())


async def restore(
    vault: Vault,
    taken: Taken,
    target: Path,
    include: str | None,
    work: Work,
    places: Sequence[Place] = tuple(Place),
) -> Restored:
    """Restore into `target`, which must not be there, from the first of these repositories that can give it,
    and compare all that was written with the snapshot's hashes. All of it is timed and written down as a
    drill; one path is not, which says nothing of how long all takes. Raises StepFailed, Stopped; what was
    written stays."""
    began = time.monotonic()
    first_failed: ResticError | None = None
    there = [(place, name) for place in places if (name := taken.name_in(place)) is not None]
    for number, (place, name) in enumerate(there, start=1):
        try:
            await vault.restic.restore(vault.repositories[place], name, target, include, watching(work))
            await asyncio.to_thread(_compare, taken, target, include)
        except Cancelled:
            raise Stopped from None
        except DiskFull as error:
            raise StepFailed(error.reason, **error.values, place=None) from error
        except ResticError as error:
            if include is None:
                await vault.store.drills.add(_drill(vault, taken, place, began, error.reason))
            if number == len(there):
                raise StepFailed(error.reason, **error.values, place=place.value) from error
            first_failed = error
            await asyncio.to_thread(remove_tree, target)
        except OSError as error:
            raise StepFailed("file_error", said=error.strerror or str(error)) from error
        else:
            seconds = time.monotonic() - began
            if include is None:
                await vault.store.drills.add(_drill(vault, taken, place, began, None))
            return Restored(place, seconds, None if first_failed is None else first_failed.reason)
    raise StepFailed("nothing_taken", source=taken.source)


class Different(ResticError):
    """What was restored is not what was saved."""

    reason = "canary_differs"


def _compare(taken: Taken, target: Path, include: str | None) -> None:
    """By our own record too, and not only by what the repository says of itself."""
    if include is not None:
        return
    canary = target / taken.canary_path.lstrip("/")
    try:
        with canary.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
    except FileNotFoundError:
        raise Different from None
    if found != taken.canary_sha256:
        raise Different


def _drill(vault: Vault, taken: Taken, place: Place, began: float, reason: str | None) -> Drill:
    seconds = time.monotonic() - began
    return Drill(taken.source, taken.snapshot, place, vault.clock(), seconds, taken.size, taken.files, reason)
