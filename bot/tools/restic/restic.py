"""restic's commands as methods, each with what it answers and the errors it may raise.

Every method may raise ResticError (`bot.tools.restic.errors`); a restic that was cancelled is asked to go as
by Ctrl+C, so that it takes its lock along.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.domain.backup.repositories import RepositoryFacts
from bot.domain.backup.sources import Dump
from bot.domain.backup.subset import SHARES
from bot.tools.restic import arguments, dumping
from bot.tools.restic import locks as found_locks
from bot.tools.restic.answers import AnswerUnreadable, Lock, Snapshot, Summary, facts_of, id_of, snapshots_of
from bot.tools.restic.caller import PASSED_ON, Caller
from bot.tools.restic.errors import NotPermitted, SourceMissing, StillWriting
from bot.tools.restic.outcome import Outcome, Watch
from bot.tools.restic.repository import Repository
from bot.tools.restic.running import Patience, never


@dataclass(frozen=True, slots=True)
class Saved:
    """A backup that was made."""

    snapshot: Snapshot
    summary: Summary
    sha256: str | None = None
    """of what a dump wrote"""


class Restic:
    """restic on this machine."""

    def __init__(
        self, program: str, folder: Path, environment: Mapping[str, str], patience: Patience | None = None
    ) -> None:
        """`folder`: ours, for restic's cache and the records of what we have started."""
        self._caller = Caller(program, folder, environment, patience)

    async def version(self) -> str:
        """`0.14.0`."""
        words = (await self._caller.answer(["version"])).decode(errors="replace").split()
        return words[1] if len(words) > 1 else ""

    async def repository_id(self, repository: Repository) -> str:
        """Which repository that is; that it can be opened is known then."""
        return id_of(await self._caller.ask(repository, arguments.cat(repository.location, "config")))

    async def facts(self, repository: Repository) -> RepositoryFacts:
        """What the repository says of itself."""
        config = await self._caller.ask(repository, arguments.cat(repository.location, "config"))
        return facts_of(config, await self._caller.ask(repository, arguments.key_list(repository.location)))

    async def init(self, repository: Repository, like: Repository | None = None) -> None:
        """Make the repository; `like`: cut files as that one does."""
        secrets = {} if like is None else like.as_source()
        words = arguments.init(repository.location, None if like is None else like.location)
        await self._caller.ask(repository, words, secrets)

    async def backup(
        self,
        repository: Repository,
        paths: Sequence[str],
        exclude: Sequence[str],
        tags: Sequence[str],
        watch: Watch,
    ) -> Saved:
        """Save those paths. Raises SourceMissing before anything is done when one of them is not there."""
        missing = await asyncio.to_thread(_missing, paths)
        if missing is not None:
            raise SourceMissing(path=missing)
        made = Outcome(watch)
        words = arguments.backup(repository.location, paths, exclude, tags)
        await self._caller.run(repository, self._caller.long_call(repository, words, made))
        return await self._saved(repository, made, None)

    async def backup_dump(
        self,
        repository: Repository,
        dump: Dump,
        environment: Mapping[str, str],
        tags: Sequence[str],
        watch: Watch,
    ) -> Saved:
        """Save what that program writes. When it fails, so does the backup, and no snapshot is made."""
        made = Outcome(watch)
        words = arguments.backup_stdin(repository.location, dump.filename, tags)
        call = self._caller.long_call(repository, words, made)
        given = {name: environment[name] for name in (*PASSED_ON, *dump.variables) if name in environment}
        digest = await dumping.stream(dump, given, call)
        return await self._saved(repository, made, digest)

    async def copy(
        self, source: Repository, target: Repository, snapshots: Sequence[str], watch: Watch
    ) -> None:
        """Copy those snapshots; what is there already is passed over."""
        words = arguments.copy(source.location, target.location, snapshots)
        call = self._caller.long_call(target, words, Outcome(watch), source.as_source())
        await self._caller.run(target, call)

    async def check(self, repository: Repository, share: int | None, watch: Watch) -> None:
        """Look over the structure and read that seventh of the data. Raises Damaged."""
        # Without the right to delete a lock could not be removed again.
        words = arguments.check(repository.location, share, SHARES, lock=repository.may_delete)
        await self._caller.run(repository, self._caller.long_call(repository, words, Outcome(watch)))

    async def snapshots(self, repository: Repository, names: Sequence[str] = ()) -> list[Snapshot]:
        """The snapshots that there are, read from the repository itself."""
        return snapshots_of(
            await self._caller.ask(repository, arguments.snapshots(repository.location, names, lock=False))
        )

    async def file_sha256(
        self, repository: Repository, snapshot: str, path: str, stopping: Callable[[], bool] = never
    ) -> str:
        """SHA-256 of one file, restored from the repository and not from the cache."""
        digest = hashlib.sha256()
        words = arguments.dump(repository.location, snapshot, path)
        call = self._caller.call(repository, words, digest.update, stopping)
        await self._caller.run(repository, call)
        return digest.hexdigest()

    async def restore(
        self, repository: Repository, snapshot: str, target: Path, include: str | None, watch: Watch
    ) -> None:
        """Restore into `target`, which this makes and which must not be there yet (FileExistsError)."""
        await asyncio.to_thread(target.mkdir, mode=0o700)
        words = arguments.restore(repository.location, snapshot, str(target), include)
        await self._caller.run(repository, self._caller.long_call(repository, words, Outcome(watch)))

    async def forget(self, repository: Repository, snapshots: Sequence[str], watch: Watch) -> None:
        """Forget those snapshots and free their space. Raises NotPermitted where we may only add."""
        if not repository.may_delete:
            raise NotPermitted("this repository is only added to")
        words = arguments.forget(repository.location, snapshots)
        await self._caller.run(repository, self._caller.long_call(repository, words, Outcome(watch)))

    async def locks(self, repository: Repository) -> list[Lock]:
        """The locks in the repository."""
        return await found_locks.locks(self._caller, repository)

    async def release_own_locks(self, repository: Repository) -> list[Lock]:
        """Remove the locks that killed restics of ours have left; what was removed. Raises RepositoryLocked
        when there is any other."""
        return await found_locks.release_own(self._caller, repository)

    async def nobody_restores_to(self, folder: Path) -> None:
        """Wait until no restic of ours writes into that folder. Raises StillWriting."""
        pids: list[int] = []

        def writing() -> list[int]:
            pids[:] = self._caller.records.restoring_to(folder)
            return pids

        if not await self._caller.goes(writing):
            raise StillWriting(pid=pids[0], folder=str(folder))

    async def _saved(self, repository: Repository, made: Outcome, digest: str | None) -> Saved:
        if made.summary is None:
            raise AnswerUnreadable("no summary of the backup")
        found = await self.snapshots(repository, [made.summary.snapshot])
        if len(found) != 1:
            raise AnswerUnreadable(f"{len(found)} snapshots {made.summary.snapshot}")
        return Saved(found[0], made.summary, digest)


def _missing(paths: Sequence[str]) -> str | None:
    return next((path for path in paths if not os.path.lexists(path)), None)
