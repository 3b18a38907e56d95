"""What all backup operations work with: restic, two repositories, the sources, and what is known of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import structlog

from bot.domain.backup.plans import SUBJECT
from bot.domain.backup.repositories import Place, RepositoryFacts
from bot.domain.backup.retention import KEEP
from bot.domain.backup.sources import Source, is_within
from bot.domain.operations.plan import Plan
from bot.engine.clock import Clock
from bot.engine.operations.contract import OperationRefused, StepFailed, Stopped, Work
from bot.store.backups import BackupStore
from bot.tools.backup_files import real_path
from bot.tools.media import Machine
from bot.tools.restic.answers import Progress
from bot.tools.restic.errors import (
    Cancelled,
    MediumMissing,
    NoRepository,
    RepositoryLocked,
    ResticError,
)
from bot.tools.restic.outcome import Watch
from bot.tools.restic.repository import Repository
from bot.tools.restic.restic import Restic

log = structlog.get_logger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class VaultRules:
    """How backups are handled. `folder` is ours: for canaries and for drills."""

    folder: Path
    zone: ZoneInfo
    keep: timedelta = KEEP
    drill: bool = True
    """the verification restores each newest backup whole, and times it"""
    same_medium: bool = False
    """both repositories may be on one disk, for trying it out"""
    subject: str = SUBJECT
    """what a run locks; the machine's own, so that nothing is cleaned up under a backup"""


class Vault:
    """The hands of the backup operations."""

    def __init__(
        self,
        restic: Restic,
        repositories: Iterable[Repository],
        sources: Iterable[Source],
        store: BackupStore,
        environment: Mapping[str, str],
        rules: VaultRules,
        clock: Clock,
        machine: Machine | None = None,
    ) -> None:
        """One repository for each `Place`. `environment`: where dumps find the variables they are given."""
        self.restic = restic
        self.repositories = {each.place: each for each in repositories}
        self.store = store
        self.environment = environment
        self.rules = rules
        self.clock = clock
        self.machine = machine or Machine()
        self._sources = {each.name: each for each in sources}

    async def sources(self) -> dict[str, Source]:
        """The sources by name, their paths without symbolic links: restic would save a link as a link."""
        return {name: await asyncio.to_thread(_real, each) for name, each in self._sources.items()}

    def planned(self, plan: Plan) -> Plan:
        """That plan, for what a run of ours locks."""
        return replace(plan, subject=self.rules.subject)

    def day(self, at: datetime) -> datetime:
        """That moment where the users live."""
        return at.astimezone(self.rules.zone)

    async def there(self, place: Place) -> bool:
        """Whether the repository is there, and ours; False if none was ever made.

        Raises MediumMissing when it was there before, ResticError for all else, and OperationRefused when
        another one is in its place.
        """
        known = (await self.store.repositories.known()).get(place)
        try:
            id = await self.restic.repository_id(self.repositories[place])
        except NoRepository as error:
            if known is None:
                return False
            raise MediumMissing(error.said) from None
        if known is None:
            await self.look(place)
        elif known.id != id:
            raise OperationRefused("other_repository", place=place.value, id=id[:10])
        return True

    async def look(self, place: Place) -> None:
        """Ask a repository what it says of itself, and write it down. Raises ResticError."""
        facts = await self.restic.facts(self.repositories[place])
        await self.store.repositories.save(place, facts, self.clock())

    async def known(self) -> dict[Place, RepositoryFacts]:
        """What the repositories said of themselves when they were last asked."""
        return await self.store.repositories.known()

    async def on(
        self, place: Place, act: Callable[[Repository], Awaitable[T]], beside: Place | None = None
    ) -> T:
        """Act on that repository, and on the one `beside` it; locks that a killed restic of ours has left
        are removed, and it is tried once more. Raises what `act` raises."""
        repository = self.repositories[place]
        try:
            return await act(repository)
        except NoRepository as error:
            if place not in await self.store.repositories.known():
                raise
            raise MediumMissing(error.said) from None
        except RepositoryLocked:
            for each in (place, *(() if beside is None else (beside,))):
                released = await self.restic.release_own_locks(self.repositories[each])
                if released:
                    log.warning("own_locks_released", place=each.value, pids=[lock.pid for lock in released])
            return await act(repository)

    async def encloses_a_repository(self, path: str) -> bool:
        """Whether that path is in one of the repositories, or one of them in it."""
        # In a thread: what lies on a share that hangs, hangs.
        return await asyncio.to_thread(self._encloses_a_repository, path)

    def _encloses_a_repository(self, path: str) -> bool:
        own = [each.path for each in self.repositories.values() if each.path is not None]
        return any(is_within(path, each) or is_within(each, path) for each in map(real_path, own))


def watching(work: Work) -> Watch:
    """What restic tells, onto the card; what the card is told, to restic."""

    def tell(progress: Progress) -> None:
        work.progress(progress.done, progress.total, progress.unit)

    return Watch(tell, lambda: work.stopping)


def refused(error: ResticError, place: Place | None = None) -> OperationRefused:
    """restic's error as a reason for making no plan."""
    return OperationRefused(error.reason, **error.values, place=None if place is None else place.value)


async def step(act: Awaitable[T], place: Place | None = None) -> T:
    """What `act` gives; its errors as those of a step."""
    try:
        return await act
    except Cancelled:
        raise Stopped from None
    except OperationRefused as error:
        raise StepFailed(error.reason, **error.values) from error
    except ResticError as error:
        raise StepFailed(
            error.reason, **error.values, place=None if place is None else place.value
        ) from error
    except OSError as error:
        raise StepFailed("file_error", said=error.strerror or str(error)) from error


def _real(source: Source) -> Source:
    return replace(
        source,
        paths=tuple(map(real_path, source.paths)),
        exclude=tuple(map(real_path, source.exclude)),
    )
