"""`/guardian backup restore`: into a fresh folder, and only there."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime
from pathlib import Path

from pydantic import JsonValue

from bot.domain.backup.plans import RESTORE, restore_plan
from bot.domain.backup.repositories import Place
from bot.domain.backup.snapshots import Taken
from bot.domain.operations.plan import JsonObject, Plan, Step
from bot.engine.operations.backup import restoring
from bot.engine.operations.backup.vault import Vault
from bot.engine.operations.contract import OperationRefused, StepFailed, Work
from bot.tools import backup_files as files

_ROOM = 1.05
"""Folders and names take room beside the files."""
_SHORTEST = 6
"""Characters of a snapshot's name that are enough to name it."""


_LONGEST_PATH, _LONGEST_NAME = 4000, 200


def fits(target: str) -> bool:
    """Whether that is a path that file systems take, with room for what a run puts beside it, on one line and
    without `.` or `..`."""
    names = target.split("/")
    return (
        os.path.normpath(target) == target.rstrip("/")
        and len(os.fsencode(target)) <= _LONGEST_PATH
        and all(len(os.fsencode(name)) <= _LONGEST_NAME for name in names)
        and target.isprintable()
    )


def place_of(value: JsonValue) -> Place | None:
    """The repository of that name; None if none is named. Raises OperationRefused."""
    if value is None:
        return None
    try:
        return Place(str(value))
    except ValueError:
        raise OperationRefused("unknown_place", place=str(value)[:80]) from None


class RestoreBackup:
    """An `Operation`. The request has `source` and `target`; `snapshot` (its name's first characters; the
    newest before the plan without it), `place` (the repository; without it the local one, and the other one
    if that can't give it) and `include` (one path of it) as one likes."""

    name = RESTORE

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def plan(self, request: JsonObject, at: datetime) -> Plan:
        """Raises OperationRefused."""
        target, include = request.get("target"), request.get("include")
        if not isinstance(target, str) or not target.startswith("/") or "\0" in target:
            raise OperationRefused("target_not_absolute", target=str(target)[:200])
        if not fits(target):
            raise OperationRefused("target_unusable", target=target[:200])
        if include is not None and (not isinstance(include, str) or not include.startswith("/")):
            raise OperationRefused("include_not_absolute", include=str(include))
        place = place_of(request.get("place"))
        taken = await self._taken(request, place, at)
        path = Path(target)
        real = await asyncio.to_thread(files.real_path, str(path.parent))
        if await self._vault.encloses_a_repository(f"{real}/{path.name}"):
            raise OperationRefused("target_in_repository", target=target)
        if not await asyncio.to_thread(files.is_fresh, path):
            raise OperationRefused("target_not_fresh", target=target)
        free = await asyncio.to_thread(files.free_bytes, path.parent)
        if include is None and taken.size * _ROOM > free:
            raise OperationRefused("no_room", target=target, needed=taken.size, free=free)
        return self._vault.planned(restore_plan(taken, target, include, place, at))

    async def do(self, plan: Plan, step: Step, work: Work) -> JsonObject:
        """Raises StepFailed, Stopped."""
        target = Path(str(step.params["target"]))
        if step.name == "backup_place":
            whole = files.unfinished(target, work.run_id)
            try:
                placed = await asyncio.to_thread(files.place, whole, target)
            except OSError as error:
                raise StepFailed("file_error", said=error.strerror or str(error)) from error
            if not placed:
                raise StepFailed("target_not_fresh", target=str(target))
            return {"target": str(target)}
        taken = await self._of(str(step.params["snapshot"]))
        include, place = step.params["include"], place_of(step.params.get("place"))
        # A run that was killed in the middle begins anew: what it left has its number, and perhaps a restic
        # that still writes there.
        beside = files.unfinished(target, work.run_id)
        await restoring.clear(self._vault, beside)
        restored = await restoring.restore(
            self._vault,
            taken,
            beside,
            None if include is None else str(include),
            work,
            tuple(Place) if place is None else (place,),
        )
        return {
            "place": restored.place.value,
            "seconds": restored.seconds,
            "first_failed": restored.first_failed,
            "size": taken.size,
        }

    async def undo(self, plan: Plan, step: Step, work: Work) -> JsonObject:
        """Remove what this run has restored, if it is not in its place yet. Raises StepFailed."""
        if step.name != "backup_restore":
            return {}
        target = Path(str(step.params["target"]))
        try:
            return {"removed": await asyncio.to_thread(files.remove_unfinished, target, work.run_id)}
        except OSError as error:
            raise StepFailed("file_error", said=error.strerror or str(error)) from error

    async def _taken(self, request: JsonObject, place: Place | None, at: datetime) -> Taken:
        source, wanted = str(request.get("source")), request.get("snapshot")
        known = await self._vault.sources()
        kept = [
            each
            for each in await self._vault.store.anywhere(source)
            if each.made_at <= at and (place is None or each.name_in(place) is not None)
        ]
        if not kept:
            # One that is no longer configured can still be restored.
            reason = "no_snapshot" if source in known else "unknown_source"
            raise OperationRefused(reason, source=source, known=", ".join(known))
        if wanted is None:
            return kept[-1]
        prefix = str(wanted)
        found = [each for each in kept if each.is_called(prefix)]
        if len(prefix) < _SHORTEST or len(found) != 1:
            names = ", ".join((each.name_in(place or Place.LOCAL) or each.snapshot)[:8] for each in kept[-5:])
            raise OperationRefused("unknown_snapshot", snapshot=prefix, known=names)
        return found[0]

    async def _of(self, snapshot: str) -> Taken:
        for each in await self._vault.store.anywhere():
            if each.snapshot == snapshot:
                return each
        raise StepFailed("snapshot_gone", said="", place=None)
