"""The restics that we have started: a record of each, written by its keeper, and whether it lives."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.tools.restic.answers import Lock
from bot.tools.restic.keeper import BEAT_SECONDS

KEPT = timedelta(days=14)
"""A lock that an older one has left is taken for somebody else's."""
_SLACK = timedelta(seconds=2)
"""between a process's start and its lock"""
_UNSEEN = timedelta(seconds=3 * BEAT_SECONDS)
"""so long it may have lived on after its keeper last said so"""


@dataclass(frozen=True, slots=True)
class Started:
    """One restic that was started on this machine. `seen_at`: when it was last known to live."""

    record: Path
    pid: int
    host: str
    at: datetime
    seen_at: datetime
    words: tuple[str, ...]

    def wrote(self, lock: Lock) -> bool:
        """Whether that lock is its own: by machine and process, and made while it lived. Machines that share
        a name may share a process's number too, but not for the same time."""
        lived = self.at - _SLACK <= lock.at <= self.seen_at + _UNSEEN
        return (lock.host, lock.pid) == (self.host, self.pid) and lived

    def restores_to(self, folder: Path) -> bool:
        """Whether it writes into that folder."""
        return "restore" in self.words and str(folder) in self.words

    def lives(self) -> bool:
        """Whether it, or its keeper, still runs. What nobody can tell counts as living."""
        try:
            descriptor = os.open(self.record, os.O_RDWR)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        return False


class Records:
    """The records, in a folder of ours. All of it blocks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fresh(self) -> Path:
        """Where the keeper of a new restic writes its record; old ones go. Where that cannot be, the keeper
        says why."""
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            over = datetime.now(UTC) - KEPT
            for each in self.all():
                if each.seen_at < over and not each.lives():
                    each.record.unlink(missing_ok=True)
        return self._folder / f"{time.time_ns()}-{secrets.token_hex(4)}.json"

    def all(self) -> list[Started]:
        """Every restic of which there is a record that can be read."""
        found: list[Started] = []
        for path in sorted(self._folder.glob("*.json")):
            # Half of one is being written, or was when the machine died.
            with suppress(OSError, ValueError, KeyError, TypeError):
                found.append(_started(path))
        return found

    def of(self, lock: Lock) -> Started | None:
        """Which of them wrote that lock; None for somebody else's."""
        return next((each for each in self.all() if each.wrote(lock)), None)

    def restoring_to(self, folder: Path) -> list[int]:
        """The processes that still write into that folder."""
        return [each.pid for each in self.all() if each.restores_to(folder) and each.lives()]


def _started(path: Path) -> Started:
    told = json.loads(path.read_bytes())
    return Started(
        path,
        int(told["pid"]),
        str(told["host"]),
        datetime.fromtimestamp(float(told["at"]), UTC),
        datetime.fromtimestamp(path.stat().st_mtime, UTC),
        tuple(map(str, told["words"])),
    )
