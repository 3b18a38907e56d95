"""The journal of one move into quarantine: which file went, or was about to go, to which slot.

A record is on the disk before its file is moved. Whether it was moved is told by the slot: so a file is
always either where it was, or in quarantine with its record, whenever the process is killed. Text:

    guardian quarantine 1⇥RUN⇥STAGE⇥ROOT⇥MOVED⇥UNTIL
    NUMBER⇥PATH⇥SIZE⇥MODIFIED⇥DEVICE⇥INODE⇥MODE⇥OWNER⇥GROUP⇥ACCESSED

The number is the file's place in the list that was approved and the name of its slot. A file may have more
than one record, when a run was gone on with; the last one holds.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

from bot.domain.cleanup.candidate import Candidate, candidate_of, escape, unescape
from bot.domain.cleanup.rules import Stage

NAME = b"journal"
_NEW = b"journal.new"
NAMES = (NAME, _NEW)
"""of files beside the slots"""
_HEADING = b"guardian quarantine 1"


class JournalUnreadable(Exception):
    """It is not what this module writes."""


@dataclass(frozen=True, slots=True)
class Header:
    """What was moved there."""

    run: int
    stage: Stage
    root: bytes
    moved_at: datetime
    until: datetime
    """when it may be purged"""


@dataclass(frozen=True, slots=True)
class Record:
    """One file, as it was before it was moved."""

    number: int
    file: Candidate
    mode: int
    owner: int
    group: int
    atime_ns: int

    @classmethod
    def of(cls, number: int, path: bytes, status: os.stat_result) -> Record:
        """The record of the file that `status` is about."""
        file = Candidate(path, status.st_size, status.st_mtime_ns, status.st_dev, status.st_ino)
        return cls(number, file, status.st_mode, status.st_uid, status.st_gid, status.st_atime_ns)

    @property
    def line(self) -> bytes:
        """Its line, with the line feed."""
        rest = (self.mode, self.owner, self.group, self.atime_ns)
        return b"%d\t%s\t%d\t%d\t%d\t%d\n" % (self.number, self.file.line.rstrip(b"\n"), *rest)


class Journal:
    """The file itself, open in a directory. Reading starts from the end: the last record of a file holds, and
    what was moved last comes back first."""

    def __init__(self, descriptor: int, header: Header) -> None:
        """Use `create` or `open`."""
        self._file = os.fdopen(descriptor, "r+b", buffering=1 << 16)
        self.header = header

    @classmethod
    def create(cls, directory: int, header: Header) -> Journal:
        """A new one, with its header on the disk before it has its name. Raises OSError."""
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        journal = cls(os.open(_NEW, flags, 0o600, dir_fd=directory), header)
        journal._write([_header_line(header)])
        os.rename(_NEW, NAME, src_dir_fd=directory, dst_dir_fd=directory)
        os.fsync(directory)
        return journal

    @classmethod
    def open(cls, directory: int) -> Journal:
        """The one that is there, without a last line that was cut off. Raises OSError, JournalUnreadable."""
        descriptor = os.open(NAME, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
        try:
            _cut(descriptor)
            journal = cls(descriptor, _header(descriptor))
        except BaseException:
            os.close(descriptor)
            raise
        return journal

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, records: Sequence[Record]) -> None:
        """Write records, on the disk when this returns. Raises OSError."""
        self._write([record.line for record in records])

    def records(self) -> Iterator[Record]:
        """All records, the last first. Raises JournalUnreadable."""
        starts = array("Q")
        self._file.seek(0)
        at = len(self._file.readline())
        for line in self._file:
            starts.append(at)
            at += len(line)
        for start in reversed(starts):
            self._file.seek(start)
            yield _record(self._file.readline())

    @staticmethod
    def remove(directory: int) -> None:
        """Remove it, and what is left of one that was never finished."""
        for name in (_NEW, NAME):
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=directory)

    def last_number(self) -> int:
        """The highest number there is; -1 without records. Raises JournalUnreadable."""
        return max((record.number for record in self.records()), default=-1)

    def _write(self, lines: Sequence[bytes]) -> None:
        self._file.seek(0, os.SEEK_END)
        self._file.writelines(lines)
        self._file.flush()
        os.fsync(self._file.fileno())


def _header_line(header: Header) -> bytes:
    moments = (header.moved_at.isoformat().encode(), header.until.isoformat().encode())
    return b"%s\t%d\t%s\t%s\t%s\t%s\n" % (
        _HEADING,
        header.run,
        header.stage.value.encode(),
        escape(header.root),
        *moments,
    )


def _header(descriptor: int) -> Header:
    try:
        line = os.pread(descriptor, 1 << 16, 0).split(b"\n", 1)[0]
        heading, run, stage, root, moved_at, until = line.split(b"\t")
        if heading != _HEADING:
            raise ValueError(heading)
        return Header(
            int(run),
            Stage(stage.decode()),
            unescape(root),
            datetime.fromisoformat(moved_at.decode()),
            datetime.fromisoformat(until.decode()),
        )
    except ValueError as error:
        raise JournalUnreadable(str(error)) from None


def _record(line: bytes) -> Record:
    try:
        number, rest = line.rstrip(b"\n").split(b"\t", 1)
        *file, mode, owner, group, accessed = rest.split(b"\t")
        return Record(
            int(number), candidate_of(b"\t".join(file)), int(mode), int(owner), int(group), int(accessed)
        )
    except ValueError as error:
        raise JournalUnreadable(str(error)) from None


def _cut(descriptor: int) -> None:
    """Cut off a last line without its end: it was never followed by a move."""
    end = size = os.fstat(descriptor).st_size
    while end > 0:
        start = max(0, end - (1 << 16))
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            end = start + found + 1
            break
        end = start
    if end < size:
        os.ftruncate(descriptor, end)
