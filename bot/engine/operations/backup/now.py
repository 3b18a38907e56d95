"""`/guardian backup now`, and what the schedule starts: back up, copy, prove, let go of what is too old."""

from __future__ import annotations

from datetime import datetime

from pydantic import JsonValue

from bot.domain.backup.plans import NOW, backup_plan
from bot.domain.backup.repositories import Place
from bot.domain.backup.snapshots import Taken
from bot.domain.backup.sources import Source
from bot.domain.operations.plan import JsonObject, Plan, Step
from bot.engine.operations.backup import proving, retaining, taking
from bot.engine.operations.backup.vault import Vault, refused
from bot.engine.operations.contract import OperationRefused, StepFailed, Work
from bot.tools.restic.errors import ResticError, StorageUnavailable


class BackupNow:
    """An `Operation`. The request may have `sources`, a list of names; all without it."""

    name = NOW

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def plan(self, request: JsonObject, at: datetime) -> Plan:
        """Raises OperationRefused: no such source, none at all, a source around a repository, a wrong
        password, a medium that is away, another repository in the place of ours. A storage that does not
        answer is none of these: the backup is made where it can be, and the other steps say so."""
        vault = self._vault
        sources = chosen(await vault.sources(), request.get("sources"))
        for source in sources:
            for path in source.paths:
                if await vault.encloses_a_repository(path):
                    raise OperationRefused("repository_in_source", source=source.name, path=path)
        new = []
        for place in Place:
            try:
                if not await vault.there(place):
                    new.append(place)
            except StorageUnavailable:
                continue
            except ResticError as error:
                raise refused(error, place) from error
        return vault.planned(backup_plan(sources, new, at, vault.day(at), may_forget=True))

    async def do(self, plan: Plan, step: Step, work: Work) -> JsonObject:
        """Raises StepFailed, Stopped."""
        match step.name:
            case "backup_init":
                await taking.init(self._vault, Place(str(step.params["place"])))
                return {}
            case "backup_take":
                return _figures(await taking.take(self._vault, await self._source(step), work))
            case "backup_copy":
                return await taking.copy(self._vault, await self._source(step), work)
            case "backup_check":
                place, share = place_and_share(step)
                await proving.check(self._vault, place, share, await self._taken(plan, work), work)
                return {"share": share}
            case "backup_prove":
                source = await self._source(step)
                taken = await self._vault.store.newest(source.name, work.run_id)
                if taken is None:
                    raise StepFailed("nothing_taken", source=source.name)
                judged = await proving.prove(self._vault, source, taken, work)
                if not judged.verified:
                    raise proving.not_verified(source.name, judged)
                return {"verified": True, **_figures(taken)}
            case "backup_retention":
                return await self._retention(plan, work)
        raise LookupError(step.name)

    async def undo(self, plan: Plan, step: Step, work: Work) -> JsonObject:
        """Nothing needs undoing: a backup that failed leaves none that counts."""
        return {}

    async def _source(self, step: Step) -> Source:
        return (await self._vault.sources())[str(step.params["source"])]

    async def _taken(self, plan: Plan, work: Work) -> list[Taken]:
        names = [str(each.params["source"]) for each in plan.steps if each.name == "backup_take"]
        found = [await self._vault.store.newest(name, work.run_id) for name in names]
        return [each for each in found if each is not None]

    async def _retention(self, plan: Plan, work: Work) -> JsonObject:
        """Only behind backups that are verified: until then the old ones may be the last good ones."""
        vault = self._vault
        verified = await vault.store.proofs.verified()
        mine = await self._taken(plan, work)
        wanted = sum(each.name == "backup_take" for each in plan.steps)
        if len(mine) < wanted or any(each.snapshot not in verified for each in mine):
            raise StepFailed("retention_waits")
        return await retaining.let_go(vault, {each.source for each in mine}, work)


def chosen(sources: dict[str, Source], wanted: JsonValue) -> list[Source]:
    """The sources of that list of names, all without one. Raises OperationRefused."""
    if not sources:
        raise OperationRefused("no_sources")
    if wanted is None:
        return list(sources.values())
    names = [str(each) for each in wanted] if isinstance(wanted, list) else [str(wanted)]
    for name in names:
        if name not in sources:
            raise OperationRefused("unknown_source", source=name, known=", ".join(sources))
    return [sources[name] for name in dict.fromkeys(names)]


def place_and_share(step: Step) -> tuple[Place, int]:
    """What a step of checking is about."""
    share = str(step.params["share"]).partition("/")[0]
    return Place(str(step.params["place"])), int(share)


def _figures(taken: Taken) -> dict[str, JsonValue]:
    return {
        "snapshot": taken.snapshot[:8],
        "size": taken.size,
        "files": taken.files,
        "seconds": taken.seconds,
    }
