"""Proving backups: checking the repositories, restoring canaries, judging."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from pydantic import JsonValue

from bot.domain.backup.repositories import MediaFault, Place, media_fault
from bot.domain.backup.snapshots import Taken
from bot.domain.backup.sources import Source
from bot.domain.backup.verification import (
    DAMAGE,
    Finding,
    Part,
    Verdict,
    standing_damage,
    verdict,
)
from bot.engine.operations.backup.vault import Vault, watching
from bot.engine.operations.contract import OperationRefused, Reasoned, StepFailed, Stopped, Work
from bot.tools.restic.answers import Snapshot
from bot.tools.restic.errors import Cancelled, ResticError
from bot.tools.restic.repository import Repository

Look = Callable[[], Awaitable[None]]


async def check(vault: Vault, place: Place, share: int, taken: Sequence[Taken], work: Work) -> None:
    """Check that repository, read that share of it, and see whether it has these backups. What comes of it is
    written down for each of them. Raises StepFailed when something is not well."""
    there: dict[str, Snapshot] = {}

    async def read(repository: Repository) -> None:
        await vault.restic.check(repository, share, watching(work))

    async def list_all(repository: Repository) -> None:
        there.update((each.id, each) for each in await vault.restic.snapshots(repository))

    began = time.monotonic()
    reason, values = await _found(partial(vault.on, place, read))
    middle = time.monotonic()
    listing_failed, why = reason, values
    if reason is None or reason in DAMAGE:  # else nobody answers, and need not be asked again
        listing_failed, why = await _found(partial(vault.on, place, list_all))
    end, now = time.monotonic(), vault.clock()
    part = Part.SNAPSHOT if place is Place.LOCAL else Part.COPY
    for each in taken:
        gone = listing_failed or _difference(place, each, there)
        # One run of restic checks and reads, and says of neither by itself how long it took.
        found = [
            Finding(Part.CHECK, place, now, middle - began, reason, values),
            Finding(Part.READ, place, now, middle - began, reason, {**values, "share": share}),
            Finding(part, place, now, end - middle, gone, why),
        ]
        await vault.store.proofs.add_findings(each.id, found)
    if reason is not None:
        raise StepFailed(reason, **values, place=place.value)


async def prove(vault: Vault, source: Source, taken: Taken, work: Work) -> Verdict:
    """Restore that backup's canary from both repositories, and judge by all that was found out about it. The
    judgement is written down, whatever it is."""
    looks: list[tuple[Part, Place | None, Look]] = [
        (Part.CANARY, Place.LOCAL, partial(_canary, vault, Place.LOCAL, taken, work)),
        (Part.CANARY, Place.OFFSITE, partial(_canary, vault, Place.OFFSITE, taken, work)),
        (Part.MEDIA, None, partial(_media, vault)),
    ]
    found = [await _finding(vault, part, place, look) for part, place, look in looks]
    await vault.store.proofs.add_findings(taken.id, found)
    judged = verdict(
        taken.taken_at,
        await vault.store.proofs.findings(taken.id),
        vault.clock(),
        source.max_age,
        standing_damage(await vault.store.proofs.reads()),
    )
    await vault.store.proofs.judged(taken.id, judged)
    return judged


def not_verified(source: str, judged: Verdict) -> StepFailed:
    """A judgement that a backup is not verified, as a step's failure: the first shortcoming in words, and how
    many more there are."""
    first = judged.shortcomings[0]
    place = None if first.place is None else first.place.value
    return StepFailed(
        "not_verified",
        source=source,
        part=first.part.value,
        place=place,
        why=first.reason,
        more=len(judged.shortcomings) - 1,
    )


class _Wrong(Reasoned):
    """Something was looked at, and it is not as it should be."""


async def _finding(
    vault: Vault, part: Part, place: Place | None, look: Callable[[], Awaitable[None]]
) -> Finding:
    began = time.monotonic()
    reason, values = await _found(look)
    return Finding(part, place, vault.clock(), time.monotonic() - began, reason, values)


async def _found(look: Callable[[], Awaitable[None]]) -> tuple[str | None, dict[str, JsonValue]]:
    try:
        await look()
    except Cancelled:
        raise Stopped from None
    except (_Wrong, ResticError, OperationRefused) as error:
        return error.reason, dict(error.values)
    return None, {}


def _difference(place: Place, taken: Taken, there: Mapping[str, Snapshot]) -> str | None:
    """Why that backup is not in the repository as it was made; None if it is."""
    name = taken.snapshot if place is Place.LOCAL else taken.copied
    if name is None:
        return "not_copied"
    if name not in there:
        return "snapshot_gone"
    return None if there[name].tree == taken.tree else "copy_differs"


async def _canary(vault: Vault, place: Place, taken: Taken, work: Work) -> None:
    name = taken.snapshot if place is Place.LOCAL else taken.copied
    if name is None:
        raise _Wrong("not_copied")
    repository = vault.repositories[place]
    restored = await vault.restic.file_sha256(repository, name, taken.canary_path, lambda: work.stopping)
    if restored != taken.canary_sha256:
        raise _Wrong("canary_differs")


async def _media(vault: Vault) -> None:
    found = [
        await asyncio.to_thread(vault.machine.medium, vault.repositories[place])
        for place in (Place.LOCAL, Place.OFFSITE)
    ]
    fault = media_fault(*found)
    if fault is MediaFault.SAME and vault.rules.same_medium:
        return
    if fault is not None:
        kinds = [each.kind.value for each in found]
        raise _Wrong(fault.value, local=kinds[0], offsite=kinds[1])
