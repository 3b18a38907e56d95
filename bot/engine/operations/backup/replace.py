"""`/guardian backup replace`: a repository that is lost for good is given up, and made anew."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from bot.domain.backup.plans import REPLACE, Lost, replace_plan
from bot.domain.backup.repositories import Medium, Place
from bot.domain.operations.plan import JsonObject, Plan, Step
from bot.engine.operations.backup import taking
from bot.engine.operations.backup.restore import place_of
from bot.engine.operations.backup.vault import Vault, refused
from bot.engine.operations.backup.vault import step as as_step
from bot.engine.operations.contract import OperationRefused, Work
from bot.tools.media import Machine
from bot.tools.restic.errors import NoRepository, ResticError
from bot.tools.restic.repository import Repository

_NEVER_EMPTY = frozenset({"lost+found"})
"""that a file system has at its top from the beginning"""


class ReplaceRepository:
    """An `Operation`. The request has `place`. Only what is not there is replaced: nothing is deleted."""

    name = REPLACE

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def plan(self, request: JsonObject, at: datetime) -> Plan:
        """Raises OperationRefused: none was ever there, it is there, another one is, something else is, or
        nobody can tell because the storage does not answer."""
        vault, place = self._vault, place_of(request.get("place"))
        if place is None:
            raise OperationRefused("unknown_place", place="")
        known = (await vault.known()).get(place)
        if known is None:
            raise OperationRefused("never_made", place=place.value)
        await self._is_lost(place)
        repository = vault.repositories[place]
        there = [] if repository.path is None else await asyncio.to_thread(_entries, repository.path)
        if there:
            raise OperationRefused("place_not_empty", location=repository.location, name=there[0])
        had = [each for each in await vault.store.anywhere() if each.name_in(place) is not None]
        left = [each for each in had if all(each.name_in(other) is not None for other in Place)]
        medium = await asyncio.to_thread(_medium, vault.machine, repository)
        lost = Lost(place, known.id, repository.location, len(had), len(left), medium)
        return vault.planned(replace_plan(lost, at))

    async def do(self, plan: Plan, step: Step, work: Work) -> JsonObject:
        """Raises StepFailed."""
        vault, place = self._vault, Place(str(step.params["place"]))
        if step.name == "backup_init":
            await taking.init(vault, place)
            return {}
        await as_step(self._is_lost(place), place)
        # Another one that is known there by now is not given up: the step was done before a crash.
        await vault.store.repositories.give_up(place, str(step.params["id"]), vault.clock())
        return {}

    async def undo(self, plan: Plan, step: Step, work: Work) -> JsonObject:
        """Nothing needs undoing: what is given up was not there."""
        return {}

    async def _is_lost(self, place: Place) -> None:
        """Raises OperationRefused when it is not."""
        try:
            id = await self._vault.restic.repository_id(self._vault.repositories[place])
        except NoRepository:
            return
        except ResticError as error:
            raise refused(error, place) from error
        known = (await self._vault.known()).get(place)
        if known is not None and known.id != id:
            raise OperationRefused("other_repository", place=place.value, id=id[:10])
        raise OperationRefused("not_lost", place=place.value)


def _medium(machine: Machine, repository: Repository) -> Medium:
    """What a new one would lie on."""
    if repository.path is None:
        return machine.medium(repository)
    path = Path(repository.path)
    return machine.medium_of(next(each for each in (path, *path.parents) if each.exists()))


def _entries(path: str) -> list[str]:
    with suppress(OSError):
        return sorted(set(os.listdir(path)) - _NEVER_EMPTY)
    return []
