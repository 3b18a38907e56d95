"""Making a backup and copying it off-site."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

import structlog

from bot.domain.backup.repositories import Place
from bot.domain.backup.snapshots import Taken
from bot.domain.backup.sources import Source, SourceKind
from bot.domain.operations.plan import JsonObject
from bot.engine.operations.backup.vault import Vault, step, watching
from bot.engine.operations.contract import OperationRefused, StepFailed, Work
from bot.tools.backup_files import write_canary
from bot.tools.git import git_facts
from bot.tools.restic.errors import ResticError
from bot.tools.restic.repository import Repository
from bot.tools.restic.restic import Saved

log = structlog.get_logger(__name__)


async def init(vault: Vault, place: Place) -> None:
    """Make the repository at that place, unless it is there: one that is made second cuts files as the other
    does, so that copies share their data."""
    if await step(vault.there(place), place):
        return
    other = next(each for each in Place if each is not place)
    like = vault.repositories[other] if await _is_there(vault, other) else None
    await step(vault.restic.init(vault.repositories[place], like), place)
    await step(vault.there(place), place)


async def _is_there(vault: Vault, place: Place) -> bool:
    try:
        return await vault.there(place)
    except (ResticError, OperationRefused) as error:
        log.warning("repository_made_unlike_the_other", other=place.value, reason=error.reason)
        return False


async def take(vault: Vault, source: Source, work: Work) -> Taken:
    """Back that source up. Done already in this run: what was made then."""
    before = await vault.store.newest(source.name, work.run_id)
    if before is not None:
        return before
    began = time.monotonic()
    try:
        taken = await step(_save(vault, source, work), Place.LOCAL)
    except StepFailed as failed:
        await vault.store.attempted(source.name, vault.clock(), failed.reason)
        raise
    return await vault.store.add(replace(taken, seconds=time.monotonic() - began))


async def copy(vault: Vault, source: Source, work: Work) -> JsonObject:
    """Copy this run's backup of that source off-site, and those before it that are not there; what it is
    called there, and how many others there were."""
    taken = await vault.store.newest(source.name, work.run_id)
    if taken is None:
        raise StepFailed("nothing_taken", source=source.name)
    try:
        name = await step(_copy(vault, taken, work), Place.OFFSITE)
        await vault.store.save_copy(taken.id, name)
        before = [each for each in await vault.store.kept(source.name) if each.copied is None]
        older = await step(_catch_up(vault, before, work), Place.OFFSITE) if before else 0
    except StepFailed as failed:
        await vault.store.attempted(source.name, vault.clock(), failed.reason)
        raise
    return {"copied": name, "older": older}


async def _save(vault: Vault, source: Source, work: Work) -> Taken:
    tags = (f"source:{source.name}", f"run:{work.run_id}")
    dump = source.dump
    if dump is not None:

        async def stream(repository: Repository) -> Saved:
            return await vault.restic.backup_dump(repository, dump, vault.environment, tags, watching(work))

        saved = await vault.on(Place.LOCAL, stream)
        # The whole dump is its own canary: it is restored and compared byte for byte.
        canary_path, sha256 = f"/{dump.filename}", saved.sha256 or ""
    else:
        canary = await asyncio.to_thread(write_canary, vault.rules.folder / "canaries", source.name)
        canary_path, sha256 = canary.path, canary.sha256

        async def save(repository: Repository) -> Saved:
            paths = (*source.paths, canary.path)
            return await vault.restic.backup(repository, paths, source.exclude, tags, watching(work))

        saved = await vault.on(Place.LOCAL, save)
    return Taken(
        id=0,
        source=source.name,
        snapshot=saved.snapshot.id,
        tree=saved.snapshot.tree,
        taken_at=saved.snapshot.at,
        size=saved.summary.size,
        files=saved.summary.files,
        seconds=0.0,
        run_id=work.run_id,
        canary_path=canary_path,
        canary_sha256=sha256,
        paths=source.paths,
        exclude=source.exclude,
        heads=await _heads(vault, source),
    )


async def _heads(vault: Vault, source: Source) -> dict[str, str]:
    if source.kind is not SourceKind.CODE:
        return {}
    facts = [await git_facts(path, vault.environment) for path in source.paths]
    return {each.path: each.head for each in facts if each.head is not None}


async def _copy(vault: Vault, taken: Taken, work: Work) -> str:
    names = await _copies(vault, [taken], work)
    if taken.id not in names:
        raise NotCopied
    return names[taken.id]


async def _catch_up(vault: Vault, before: Sequence[Taken], work: Work) -> int:
    names = await _copies(vault, before, work)
    for number, name in names.items():
        await vault.store.save_copy(number, name)
    if len(names) < len(before):
        log.warning("older_backups_not_copied", missing=len(before) - len(names))
    return len(names)


async def _copies(vault: Vault, wanted: Sequence[Taken], work: Work) -> dict[int, str]:
    """Copy them; what those are called there that are there then, by their numbers."""
    local = vault.repositories[Place.LOCAL]

    async def act(repository: Repository) -> None:
        await vault.restic.copy(local, repository, [each.snapshot for each in wanted], watching(work))

    await vault.on(Place.OFFSITE, act, beside=Place.LOCAL)
    there = await vault.restic.snapshots(vault.repositories[Place.OFFSITE])
    names = {(each.original, each.tree): each.id for each in there}
    found = {each.id: names.get((each.snapshot, each.tree)) for each in wanted}
    return {number: name for number, name in found.items() if name is not None}


class NotCopied(ResticError):
    """restic says that it has copied a snapshot, and the off-site repository does not have it."""

    reason = "not_copied"
