"""One Guardian for one database: two would page everybody twice."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from sqlalchemy.engine import make_url


class AlreadyRunning(Exception):
    """Another Guardian holds this database. `path` is the lock file, `pid` its process if it says so."""

    def __init__(self, path: Path, pid: int | None) -> None:
        super().__init__(f"{path}: held by {pid or 'another process'}")
        self.path = path
        self.pid = pid


class FileLock:
    """A lock file beside the SQLite file. The system lets go of it when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @classmethod
    def beside(cls, store_url: str) -> FileLock | None:
        """The lock for that database; None when it is no SQLite file."""
        url = make_url(store_url)
        if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
            return None
        return cls(Path(f"{url.database}.lock"))

    def acquire(self) -> None:
        """Take the lock, or raise AlreadyRunning. OSError if the file cannot be made."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = _written_in(descriptor)
            os.close(descriptor)
            raise AlreadyRunning(self._path, pid) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._descriptor = descriptor

    def holder(self) -> int | None:
        """The process that holds the lock; None when nobody does, or it can't be told who. Takes nothing."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            pid = _written_in(descriptor)
            # A lock is only tried when whoever held it last is seen to live: else we would, for a moment,
            # keep out one that is just starting.
            if pid is None or not _lives(pid):
                return None
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return pid
        finally:
            os.close(descriptor)
        return None

    def release(self) -> None:
        """Let go of the lock; the file stays, because removing it would let two in."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _written_in(descriptor: int) -> int | None:
    """The process id in a lock file."""
    text = os.read(descriptor, 32).decode(errors="replace").strip()
    return int(text) if text.isdecimal() else None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)  # asks only
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
