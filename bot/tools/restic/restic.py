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
from bot.tools.restic.answers import (
    AnswerUnreadable,
    Lock,
    Progress,
    Snapshot,
    Summary,
    facts_of,
    id_of,
    lock_of,
    progress_of,
    snapshots_of,
)
from bot.tools.restic.errors import (
    Damaged,
    NoRepository,
    NotPermitted,
    RepositoryLocked,
    ResticError,
    SourceMissing,
)
from bot.tools.restic.locks import is_dead
from bot.tools.restic.repository import Repository
from bot.tools.restic.running import Call, Lines, Patience, never

_PASSED_ON = ("PATH", "HOME", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""of our environment; restic needs no more, and gets the secrets of its repositories beside"""


_S3_OPTIONS = ("-o", "s3.retries=4")
"""The library below restic tries so often by itself; restic goes on after that, which `Patience` ends."""


def _silent(_progress: Progress) -> None:
    """Nobody wants to know how far it is."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What a long command tells, and asks, while it runs."""

    progress: Callable[[Progress], None] = _silent
    stopping: Callable[[], bool] = never


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
        self, program: str, cache: Path, environment: Mapping[str, str], patience: Patience | None = None
    ) -> None:
        """`cache`: a folder for what restic keeps of repositories to be quicker."""
        self._program = program
        self._base = {
            **{name: environment[name] for name in _PASSED_ON if name in environment},
            "RESTIC_CACHE_DIR": str(cache),
            "RESTIC_PROGRESS_FPS": "2",
            "LC_ALL": "C",
        }
        self._patience = patience or Patience()

    async def version(self) -> str:
        """`0.14.0`."""
        words = (await self._answer(["version"], {})).decode(errors="replace").split()
        return words[1] if len(words) > 1 else ""

    async def repository_id(self, repository: Repository) -> str:
        """Which repository that is; that it can be opened is known then."""
        return id_of(await self._ask(repository, arguments.cat(repository.location, "config")))

    async def facts(self, repository: Repository) -> RepositoryFacts:
        """What the repository says of itself."""
        config = await self._ask(repository, arguments.cat(repository.location, "config"))
        return facts_of(config, await self._ask(repository, arguments.key_list(repository.location)))

    async def init(self, repository: Repository, like: Repository | None = None) -> None:
        """Make the repository; `like`: cut files as that one does."""
        secrets = {} if like is None else like.as_source()
        words = arguments.init(repository.location, None if like is None else like.location)
        await self._ask(repository, words, secrets)

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
        made = _Outcome(watch)
        call = self._call(repository, arguments.backup(repository.location, paths, exclude, tags), made)
        await self._run(repository, call)
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
        made = _Outcome(watch)
        words = arguments.backup_stdin(repository.location, dump.filename, tags)
        call = self._call(repository, words, made)
        given = {name: environment[name] for name in (*_PASSED_ON, *dump.variables) if name in environment}
        digest = await dumping.stream(dump, given, call)
        return await self._saved(repository, made, digest)

    async def copy(
        self, source: Repository, target: Repository, snapshots: Sequence[str], watch: Watch
    ) -> None:
        """Copy those snapshots; what is there already is passed over."""
        words = arguments.copy(source.location, target.location, snapshots)
        call = self._call(target, words, _Outcome(watch), source.as_source())
        await self._run(target, call)

    async def check(self, repository: Repository, share: int | None, watch: Watch) -> None:
        """Look over the structure and read that seventh of the data. Raises Damaged."""
        # Without the right to delete a lock could not be removed again.
        words = arguments.check(repository.location, share, SHARES, lock=repository.may_delete)
        await self._run(repository, self._call(repository, words, _Outcome(watch)))

    async def snapshots(self, repository: Repository, names: Sequence[str] = ()) -> list[Snapshot]:
        """The snapshots that there are, read from the repository itself."""
        return snapshots_of(
            await self._ask(repository, arguments.snapshots(repository.location, names, lock=False))
        )

    async def file_sha256(
        self, repository: Repository, snapshot: str, path: str, stopping: Callable[[], bool] = never
    ) -> str:
        """SHA-256 of one file, restored from the repository and not from the cache."""
        digest = hashlib.sha256()
        words = arguments.dump(repository.location, snapshot, path)
        call = Call(
            self._command(repository, words),
            self._environment(repository),
            self._patience,
            digest.update,
            stopping,
        )
        await self._run(repository, call)
        return digest.hexdigest()

    async def restore(
        self, repository: Repository, snapshot: str, target: Path, include: str | None, watch: Watch
    ) -> None:
        """Restore into `target`, which this makes and which must not be there yet (FileExistsError)."""
        await asyncio.to_thread(target.mkdir, mode=0o700)
        words = arguments.restore(repository.location, snapshot, str(target), include)
        await self._run(repository, self._call(repository, words, _Outcome(watch)))

    async def forget(self, repository: Repository, snapshots: Sequence[str], watch: Watch) -> None:
        """Forget those snapshots and free their space. Raises NotPermitted where we may only add."""
        if not repository.may_delete:
            raise NotPermitted("this repository is only added to")
        words = arguments.forget(repository.location, snapshots)
        await self._run(repository, self._call(repository, words, _Outcome(watch)))

    async def locks(self, repository: Repository) -> list[Lock]:
        """The locks in the repository."""
        names = (await self._ask(repository, arguments.list_of(repository.location, "locks"))).split()
        found: list[Lock] = []
        for name in (each.decode() for each in names):
            try:
                words = arguments.cat(repository.location, "lock", name)
                found.append(lock_of(name, await self._ask(repository, words)))
            except (AnswerUnreadable, NoRepository, NotPermitted, RepositoryLocked):
                raise
            except ResticError:
                continue  # released between the two questions
        return found

    async def release_dead_locks(self, repository: Repository) -> list[Lock]:
        """Remove the locks whose processes are known dead, if there are no others; what was removed.

        With others nothing is: restic's `unlock` would take along another machine's lock that is half an
        hour old.
        """
        before = await self.locks(repository)
        if not before or not all(map(is_dead, before)):
            return []
        await self._ask(repository, arguments.unlock(repository.location))
        left = {each.id for each in await self.locks(repository)}
        return [each for each in before if each.id not in left]

    async def _saved(self, repository: Repository, made: _Outcome, digest: str | None) -> Saved:
        if made.summary is None:
            raise AnswerUnreadable("no summary of the backup")
        found = await self.snapshots(repository, [made.summary.snapshot])
        if len(found) != 1:
            raise AnswerUnreadable(f"{len(found)} snapshots {made.summary.snapshot}")
        return Saved(found[0], made.summary, digest)

    def _environment(
        self, repository: Repository, beside: Mapping[str, str] | None = None
    ) -> dict[str, str]:  # fmt: skip
        return {**self._base, **(beside or {}), **repository.secrets}

    def _command(self, repository: Repository, words: Sequence[str]) -> list[str]:
        return [self._program, *(() if repository.server is None else _S3_OPTIONS), *words]

    def _call(
        self,
        repository: Repository,
        words: Sequence[str],
        made: _Outcome,
        beside: Mapping[str, str] | None = None,
    ) -> Call:
        environment = self._environment(repository, beside)
        call = Call(self._command(repository, words), environment, self._patience, made, made.watch.stopping)
        made.moved = call.moved
        return call

    async def _ask(
        self, repository: Repository, words: Sequence[str], beside: Mapping[str, str] | None = None
    ) -> bytes:
        answer = bytearray()
        environment = self._environment(repository, beside)
        call = Call(self._command(repository, words), environment, self._patience, answer.extend)
        await self._run(repository, call)
        return bytes(answer)

    async def _answer(self, words: Sequence[str], environment: Mapping[str, str]) -> bytes:
        answer = bytearray()
        await Call(
            [self._program, *words], {**self._base, **environment}, self._patience, answer.extend
        ).run()
        return bytes(answer)

    @staticmethod
    async def _run(repository: Repository, call: Call) -> None:
        try:
            await call.run()
        except Damaged as error:
            # A medium that goes away in the middle looks like data that is gone.
            if repository.path is None or await asyncio.to_thread((Path(repository.path) / "config").exists):
                raise
            raise NoRepository(error.said) from None


def _missing(paths: Sequence[str]) -> str | None:
    return next((path for path in paths if not os.path.lexists(path)), None)


class _Outcome:
    """Standard output of a command that says how far it is."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.summary: Summary | None = None
        self.moved: Callable[[], None] = lambda: None
        self._lines = Lines(self._hear)
        self._done = 0

    def __call__(self, chunk: bytes) -> None:
        self._lines(chunk)

    def _hear(self, line: str) -> None:
        told = progress_of(line)
        if isinstance(told, Summary):
            self.summary = told
        elif told is not None:
            if told.done != self._done:  # restic goes on saying how far it is while it waits, too
                self._done = told.done
                self.moved()
            self.watch.progress(told)
