"""Letting go of backups that are too old, in both repositories."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pydantic import JsonValue

from bot.domain.backup.repositories import Place
from bot.domain.backup.retention import Kept, to_forget
from bot.domain.backup.snapshots import Taken
from bot.domain.operations.plan import JsonObject
from bot.engine.operations.backup.vault import Vault, step, watching
from bot.engine.operations.contract import Work
from bot.tools.restic.errors import NotPermitted
from bot.tools.restic.repository import Repository


async def let_go(vault: Vault, sources: Collection[str], work: Work) -> JsonObject:
    """Forget what is too old of these sources; how much went, and how much was left off-site because we may
    only add there. What could not be forgotten is tried again the next time. Raises StepFailed, Stopped."""
    verified = await vault.store.proofs.verified()
    known = [each for each in await vault.store.anywhere() if each.source in sources]
    gone = _too_old(vault, known, verified, Place.LOCAL)
    if gone:
        await step(_forget(vault, Place.LOCAL, gone, work), Place.LOCAL)
        await vault.store.forgotten(gone, vault.clock())
    figures: dict[str, JsonValue] = {"forgotten": len(gone)}
    if not vault.repositories[Place.OFFSITE].may_delete:
        # As it should be: there the storage's own rules end what is old.
        left = sum(each.snapshot in gone and each.copied is not None for each in known)
        return {**figures, "left_offsite": left} if left else figures
    copies = _too_old(vault, known, verified, Place.OFFSITE)
    if not copies:
        return figures
    try:
        await step(_forget_present(vault, copies, work), Place.OFFSITE)
    except _Refused:
        return {**figures, "left_offsite": len(copies)}
    await vault.store.copies_forgotten(copies)
    return {**figures, "forgotten_offsite": len(copies)}


class _Refused(Exception):
    """The storage lets nobody delete there, whatever the configuration says."""


def _too_old(vault: Vault, known: Sequence[Taken], verified: Collection[str], place: Place) -> Sequence[str]:
    """By their names in that repository."""
    kept = [
        Kept(name, each.source, each.taken_at, each.snapshot in verified)
        for each in known
        if (name := each.name_in(place)) is not None
    ]
    return to_forget(kept, vault.clock(), vault.rules.keep)


async def _forget_present(vault: Vault, names: Sequence[str], work: Work) -> None:
    """Forget those of them that are there: a run that was killed may have done it."""
    there = {each.id for each in await vault.restic.snapshots(vault.repositories[Place.OFFSITE])}
    present = [name for name in names if name in there]
    try:
        if present:
            await _forget(vault, Place.OFFSITE, present, work)
    except NotPermitted:
        raise _Refused from None


async def _forget(vault: Vault, place: Place, names: Sequence[str], work: Work) -> None:
    async def act(repository: Repository) -> None:
        await vault.restic.forget(repository, names, watching(work))

    await vault.on(place, act)
