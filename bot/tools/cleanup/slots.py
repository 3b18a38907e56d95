"""The slots of a quarantine: where the file of each number lies."""

from __future__ import annotations

import os
from contextlib import suppress

from bot.tools.cleanup.journal import NAMES, Record
from bot.tools.cleanup.places import OPEN_DIRECTORY

_IN_ONE = 1000
"""slots of one directory"""


class Slots:
    """The slots below the directory of a run, `00012/12345`. One such directory is open at a time."""

    def __init__(self, directory: int) -> None:
        self._directory = directory
        self._open: tuple[bytes, int] | None = None

    def place(self, number: int) -> tuple[int, bytes]:
        """The directory and the name for that number; the directory is made. Raises OSError."""
        name = _bucket(number)
        if self._enter(name) is None:
            os.mkdir(name, 0o700, dir_fd=self._directory)
        directory = self._enter(name)
        if directory is None:
            raise FileNotFoundError(name)
        return directory, b"%d" % number

    def find(self, number: int) -> tuple[int, bytes, os.stat_result] | None:
        """The directory, the name and the status of the file of that number; None when there is none."""
        directory = self._enter(_bucket(number))
        if directory is None:
            return None
        slot = b"%d" % number
        try:
            return directory, slot, os.stat(slot, dir_fd=directory, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def holds(self, number: int, inode: int) -> bool:
        """Whether the file of that number is here."""
        found = self.find(number)
        return found is not None and found[2].st_ino == inode

    def mend(self, directory: int, slot: bytes, status: os.stat_result, record: Record) -> None:
        """Give a file the mode, owner and times of its record, where somebody changed them meanwhile: a
        backup that reads it, or a person. What must not be changed stays as it is."""
        file = record.file
        with suppress(PermissionError):
            if (status.st_uid, status.st_gid) != (record.owner, record.group):
                os.chown(slot, record.owner, record.group, dir_fd=directory, follow_symlinks=False)
            # A change of owner takes away bits of the mode.
            if (status.st_mode, status.st_uid, status.st_gid) != (record.mode, record.owner, record.group):
                _chmod(directory, slot, record.mode)
            if (status.st_atime_ns, status.st_mtime_ns) != (record.atime_ns, file.mtime_ns):
                if status.st_size == file.size:
                    times = (record.atime_ns, file.mtime_ns)
                    os.utime(slot, ns=times, dir_fd=directory, follow_symlinks=False)

    def total(self) -> tuple[int, int]:
        """How many files there are, and their bytes."""
        count = size = 0
        for bucket in self._buckets():
            directory = self._enter(bucket)
            if directory is None:
                continue
            with os.scandir(directory) as entries:
                for entry in entries:
                    count += 1
                    size += entry.stat(follow_symlinks=False).st_size
        return count, size

    def remove_empty(self) -> bool:
        """Remove the directories without files; whether none is left."""
        self.close()
        left = False
        for bucket in self._buckets():
            try:
                os.rmdir(bucket, dir_fd=self._directory)
            except OSError:
                left = True
        return not left

    def close(self) -> None:
        """Close what is open."""
        if self._open is not None:
            os.close(self._open[1])
            self._open = None

    def _buckets(self) -> list[bytes]:
        return [name for name in map(os.fsencode, os.listdir(self._directory)) if name not in NAMES]

    def _enter(self, name: bytes) -> int | None:
        if self._open is not None and self._open[0] == name:
            return self._open[1]
        self.close()
        try:
            self._open = (name, os.open(name, OPEN_DIRECTORY, dir_fd=self._directory))
        except FileNotFoundError:
            return None
        return self._open[1]


def _bucket(number: int) -> bytes:
    return b"%05d" % (number // _IN_ONE)


def _chmod(directory: int, slot: bytes, mode: int) -> None:
    """As `chmod` by descriptor; Linux has none that takes no link, so the file is opened."""
    descriptor = os.open(slot, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=directory)
    try:
        os.fchmod(descriptor, mode & 0o7777)
    finally:
        os.close(descriptor)
