"""One commit of a repository, laid out in a folder of its own as a checkout has it.

The folder is a small repository that borrows the objects of the other (gitrepository-layout(5), alternates).
So nothing is written to the other one, and none of its settings is read: no hook runs, and no filter, which
would fetch what Git LFS keeps elsewhere. Programs that ask Git find that commit there, and its history.
`git archive` leaves out what `export-ignore` names, tests above all; a worktree is noted in the repository
that it belongs to, and runs its filters.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bot.domain.operations.plan import JsonObject
from bot.tools.commands import Cause, Ran, never
from bot.tools.git import GitFailed, ask, first_words
from bot.tools.git_history import full_hash

LONGEST = 300.0
"""seconds that laying out may take, unless said otherwise"""
_LONG_HASH = 64


class CheckoutFailed(Exception):
    """A commit could not be laid out: the phrase `deploy.check.nothing.REASON` with `values`."""

    def __init__(self, reason: str, values: JsonObject) -> None:
        super().__init__(f"{reason} {values}")
        self.reason = reason
        """checkout (detail) or checkout_slow (seconds)"""
        self.values = values


async def lay_out(
    repository: str,
    commit: str,
    folder: Path,
    *,
    seconds: float = LONGEST,
    stopping: Callable[[], bool] = never,
) -> None:
    """Lay out the commit of that full hash in the empty `folder`, within so many seconds: what Git has of it,
    without submodules, and of what Git LFS keeps the pointers. Raises CheckoutFailed, and ValueError for
    what is no hash."""
    kind = ["--object-format=sha256"] if len(full_hash(commit)) == _LONG_HASH else []
    place = str(folder)
    try:
        found = _good(await ask(repository, ["rev-parse", "--git-path", "objects"])).removesuffix("\n")
        _good(await ask(place, ["init", "--quiet", "--template=", *kind], alone=True))
        _borrow(folder, os.path.join(repository, found))
        words = ["checkout", "--quiet", "--detach", commit, "--"]
        _good(await ask(place, words, alone=True, timeout=seconds, stopping=stopping))
    except GitFailed as failed:
        if failed.cause is Cause.TIMED_OUT:
            raise CheckoutFailed("checkout_slow", {"seconds": seconds}) from None
        raise CheckoutFailed("checkout", {"detail": str(failed)}) from None
    except OSError as error:
        raise CheckoutFailed("checkout", {"detail": error.strerror or str(error)}) from None


def _good(ran: Ran) -> str:
    if ran.status != 0:
        raise GitFailed(first_words(ran))
    return ran.out


def _borrow(folder: Path, objects: str) -> None:
    if "\n" in objects:  # each line is a path
        raise GitFailed(f"no path: {objects!r}")
    information = folder / ".git" / "objects" / "info"
    information.mkdir(exist_ok=True)
    (information / "alternates").write_bytes(os.fsencode(objects) + b"\n")


class Place:
    """A folder for one commit. It is ours for as long as we hold its lock, which falls with our process: what
    nobody holds is a left-over, and goes with the next `sweep`."""

    def __init__(self, path: Path, number: int) -> None:
        self.path = path
        self._number = number

    @classmethod
    def take(cls, parent: Path) -> Place:
        """A new, empty one in `parent`. Raises OSError."""
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            path = Path(tempfile.mkdtemp(dir=parent))
            try:
                number = _held(path)
            except OSError:
                _remove(path)
                raise
            if number is not None:
                return cls(path, number)  # else somebody swept before it was held

    def give_back(self) -> None:
        """Remove it with all that is in it. Raises OSError where it cannot be: then it is a left-over."""
        try:
            _remove(self.path)
        finally:
            os.close(self._number)


def sweep(parent: Path) -> list[str]:
    """Remove what killed processes have left in `parent`; why some of it could not be. Never raises."""
    problems: list[str] = []
    try:
        paths = list(parent.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        return [str(error)]
    for path in paths:
        try:
            number = _held(path)
            if number is not None:
                Place(path, number).give_back()
        except OSError as error:
            problems.append(str(error))
    return problems


def _held(path: Path) -> int | None:
    """The number of the open folder, its lock taken; None when somebody else has it or it is gone. Raises
    OSError."""
    with suppress(FileNotFoundError):
        number = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        ours = False
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            ours = os.stat(path).st_ino == os.fstat(number).st_ino  # it may have been removed meanwhile
        except BlockingIOError:
            return None
        finally:
            if not ours:
                os.close(number)
        return number if ours else None
    return None


def _remove(folder: Path) -> None:
    """Also what a program has protected against writing, such as a module cache. Raises OSError."""
    try:
        shutil.rmtree(folder)
    except OSError:
        os.chmod(folder, 0o700)
        for place, names, _ in os.walk(folder):
            for path in (os.path.join(place, name) for name in names):
                if not os.path.islink(path):
                    os.chmod(path, 0o700)
        shutil.rmtree(folder)
