"""Who answers for the backups: how they stand, what may be touched, what is due."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from bot.domain.backup.code import GitFacts
from bot.domain.backup.gate import DEFAULT_WITHIN, Covered, Uncovered, coverage, with_standing
from bot.domain.backup.plans import NOW, VERIFY
from bot.domain.backup.repositories import Place, media_fault
from bot.domain.backup.sources import SourceKind
from bot.domain.backup.status import SourceState, SourceStatus, source_status
from bot.domain.backup.verification import standing_damage
from bot.domain.operations.plan import JsonObject
from bot.engine.operations.backup.vault import Vault
from bot.engine.operations.contract import OperationRefused
from bot.store.backup_drills import Drill
from bot.store.errors import StoreError
from bot.tools.backup_files import real_path
from bot.tools.git import git_facts
from bot.tools.restic.errors import ResticError, TimedOut
from messages.backup_facts import BackupRepositoryFacts, BackupSourceFacts, BackupStatusFacts

log = structlog.get_logger(__name__)

_DRILLS_SHOWN = timedelta(days=90)
_LOOK_SECONDS = 10.0
"""so long whoever asks how the backups stand waits for a repository"""
PROVEN = frozenset({SourceState.GOOD, SourceState.FEW_POINTS, SourceState.NOT_SYNCHRONISED})
"""The newest backup is verified and young enough; points and pushed commits are another matter."""


@dataclass(frozen=True, slots=True)
class Scheduled:
    """Something that a schedule starts. `when` is a crontab line of five words, or an interval."""

    name: str
    when: str | timedelta
    operation: str
    request: JsonObject = field(default_factory=dict)


class BackupDesk:
    """Answers for the backups. Changes nothing."""

    def __init__(
        self, vault: Vault, scheduled: Sequence[Scheduled] = (), within: timedelta = DEFAULT_WITHIN
    ) -> None:
        """`within`: how old the backup may be of what other operations touch."""
        self._vault = vault
        self.scheduled = tuple(scheduled)
        """what APScheduler should start, by the names of the operations"""
        self._within = within

    async def covered(self, touched: Sequence[str], at: datetime | None = None) -> Covered | Uncovered:
        """Whether work on that may begin: all of it has a verified backup that is young enough. What is
        touched is an absolute path or the name of a source. `at`: as for `coverage`. Never raises for a store
        that is away: what nobody can look up is not covered."""
        real = {
            each: await asyncio.to_thread(real_path, each) if each.startswith("/") else each
            for each in touched
        }
        try:
            sources = await self._vault.sources()
            damage = standing_damage(await self._vault.store.proofs.reads())
            proofs = with_standing(
                await self._vault.store.proofs.all(), sources, [each.at for each in damage]
            )
        except StoreError as error:
            log.warning("backups_not_looked_up", detail=str(error))
            return Uncovered("unknown", touched[0] if touched else "")
        now, wanted = self._vault.clock(), list(real.values())
        found = coverage(wanted, list(sources.values()), proofs, now, self._within, at)
        if isinstance(found, Uncovered):
            return found
        return Covered({each: found.saved_at[path] for each, path in real.items()})

    async def statuses(self) -> list[SourceStatus]:
        """How each source stands, in the order of the configuration. Raises StoreUnavailable."""
        vault = self._vault
        now, attempts, proofs = vault.clock(), await vault.store.attempts(), await vault.store.proofs.all()
        taken = await vault.store.kept()
        found: list[SourceStatus] = []
        for name, source in (await vault.sources()).items():
            repositories: list[GitFacts] = []
            if source.kind is SourceKind.CODE:
                repositories = [await git_facts(path, vault.environment) for path in source.paths]
            mine = [each for each in proofs if each.source == name]
            kept = [each for each in taken if each.source == name]
            found.append(source_status(source, kept, mine, attempts.get(name), repositories, now))
        return found

    async def facts(self, command: str) -> BackupStatusFacts:
        """The answer to `backup status`. The repositories are asked whether they are there. Raises
        StoreUnavailable."""
        vault = self._vault
        statuses = await self.statuses()
        known, seen = await vault.known(), await vault.store.repositories.seen()
        troubles = dict(zip(known, await asyncio.gather(*map(self._trouble, known)), strict=True))
        media = [await asyncio.to_thread(vault.machine.medium, vault.repositories[place]) for place in Place]
        fault = media_fault(*media)
        drills = await vault.store.drills.since(vault.clock() - _DRILLS_SHOWN)
        recovery = slowest(drills)
        last = drills[-1] if drills else None
        return BackupStatusFacts(
            command=command,
            verified=bool(statuses) and all(each.state in PROVEN for each in statuses),
            sources=tuple(_source_facts(each, recovery.get(each.source.name)) for each in statuses),
            repositories=tuple(
                BackupRepositoryFacts(
                    place.value,
                    facts.encryption,
                    facts.keys,
                    _written(seen.get(place, vault.clock())),
                    troubles[place],
                )
                for place, facts in sorted(known.items(), key=lambda each: each[0].value)
            ),
            missing=tuple(place.value for place in Place if place not in known),
            media=None if fault is None else fault.value,
            keep_seconds=vault.rules.keep.total_seconds(),
            drill_at=None if last is None else _written(last.at),
            drill_seconds=None if last is None else last.seconds,
            drill_source=None if last is None else last.source,
            drill_failed=None if last is None else last.reason,
        )

    async def _trouble(self, place: Place) -> str | None:
        """Why a repository that is known cannot be used just now; None when it can."""
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                await self._vault.there(place)
        except TimeoutError:
            return TimedOut.reason
        except (ResticError, OperationRefused) as error:
            return error.reason
        return None


def slowest(drills: Iterable[Drill]) -> dict[str, float]:
    """The slowest restore of each source that went well: the recovery time that one must reckon with."""
    found: dict[str, float] = {}
    for drill in drills:
        if drill.reason is None:
            found[drill.source] = max(drill.seconds, found.get(drill.source, 0.0))
    return found


def planned(
    backups: Mapping[str | timedelta, Sequence[str]], verification: str | timedelta | None
) -> tuple[Scheduled, ...]:  # fmt: skip
    """What a schedule starts: a backup of the sources that have the same times, in one run, and the
    verification of all."""
    found = [
        Scheduled(f"backup:{number}", when, NOW, {"sources": list(names)})
        for number, (when, names) in enumerate(backups.items(), start=1)
    ]
    if verification is not None:
        found.append(Scheduled("backup:verify", verification, VERIFY))
    return tuple(found)


def _source_facts(status: SourceStatus, recovery_seconds: float | None) -> BackupSourceFacts:
    newest = status.newest
    return BackupSourceFacts(
        name=status.source.name,
        kind=status.source.kind.value,
        stands=status.state.value,
        newest_at=None if newest is None else _written(newest.taken_at),
        size=None if newest is None else newest.size,
        proven_at=None if status.proven_at is None else _written(status.proven_at),
        failed=status.failed,
        figure=status.figure,
        wanted=status.wanted,
        recovery_seconds=recovery_seconds,
        damaged_in=tuple(place.value for place in status.damaged_in),
    )


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
