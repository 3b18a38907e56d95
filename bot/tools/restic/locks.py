"""Locks in a repository. Those that a killed restic of ours has left may go; the others are not ours."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.tools.restic import arguments
from bot.tools.restic.answers import AnswerUnreadable, Lock, lock_of
from bot.tools.restic.caller import Caller
from bot.tools.restic.errors import NoRepository, NotPermitted, RepositoryLocked, ResticError
from bot.tools.restic.repository import Repository


async def locks(caller: Caller, repository: Repository) -> list[Lock]:
    """The locks in the repository."""
    names = (await caller.ask(repository, arguments.list_of(repository.location, "locks"))).split()
    found: list[Lock] = []
    for name in (each.decode() for each in names):
        try:
            words = arguments.cat(repository.location, "lock", name)
            found.append(lock_of(name, await caller.ask(repository, words)))
        except (AnswerUnreadable, NoRepository, NotPermitted, RepositoryLocked):
            raise
        except ResticError:
            continue  # released between the two questions
    return found


async def release_own(caller: Caller, repository: Repository) -> list[Lock]:
    """Remove the locks that restics of ours have left which are gone; what was removed. Raises
    RepositoryLocked for one that is not ours, or whose process stays, and then nothing is removed: another
    machine or container may have our name, and a process of our number.
    """
    before = await locks(caller, repository)
    for each in before:
        started = await asyncio.to_thread(caller.records.of, each)
        if started is None or not await caller.goes(started.lives):
            raise _held(repository, each, ours=started is not None)
    if repository.path is not None:
        folder = Path(repository.path, "locks")
        for each in before:
            await asyncio.to_thread((folder / each.id).unlink, missing_ok=True)
        return before
    # There are no hands for a storage but restic's own. It removes the locks of this host's dead processes:
    # only ours were there a moment ago.
    if before:
        await caller.ask(repository, arguments.unlock(repository.location))
    left = await locks(caller, repository)
    for each in left:
        raise _held(repository, each, ours=False)
    return before


def _held(repository: Repository, lock: Lock, *, ours: bool) -> RepositoryLocked:
    return RepositoryLocked(
        "",
        pid=lock.pid,
        host=lock.host,
        user=lock.user,
        since=lock.at.isoformat(timespec="seconds"),
        location=repository.location,
        ours=ours,
    )
