"""Making a backup and copying it off-site."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from bot.domain.backup.repositories import Place
from bot.domain.backup.snapshots import Taken
from bot.domain.backup.sources import Source, SourceKind
from bot.engine.operations.backup.vault import Vault, step, watching
from bot.engine.operations.contract import StepFailed, Work
from bot.tools.backup_files import write_canary
from bot.tools.git import git_facts
from bot.tools.restic.errors import ResticError
from bot.tools.restic.repository import Repository
from bot.tools.restic.restic import Saved


async def init(vault: Vault, place: Place) -> None:
    """Make the repository at that place, unless it is there: the second one cuts files as the first does."""
    if await step(vault.there(place), place):
        return
    like = None if place is Place.LOCAL else vault.repositories[Place.LOCAL]
    await step(vault.restic.init(vault.repositories[place], like), place)
    await step(vault.there(place), place)


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


async def copy(vault: Vault, source: Source, work: Work) -> str:
    """Copy this run's backup of that source off-site; what it is called there."""
    taken = await vault.store.newest(source.name, work.run_id)
    if taken is None:
        raise StepFailed("nothing_taken", source=source.name)
    try:
        name = await step(_copy(vault, taken, work), Place.OFFSITE)
    except StepFailed as failed:
        await vault.store.attempted(source.name, vault.clock(), failed.reason)
        raise
    await vault.store.save_copy(taken.id, name)
    return name


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
    local = vault.repositories[Place.LOCAL]

    async def act(repository: Repository) -> None:
        await vault.restic.copy(local, repository, [taken.snapshot], watching(work))

    await vault.on(Place.OFFSITE, act, beside=Place.LOCAL)
    there = await vault.restic.snapshots(vault.repositories[Place.OFFSITE])
    for each in there:
        if each.original == taken.snapshot and each.tree == taken.tree:
            return each.id
    raise NotCopied


class NotCopied(ResticError):
    """restic says that it has copied a snapshot, and the off-site repository does not have it."""

    reason = "not_copied"
