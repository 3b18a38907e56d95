"""Moving the files of a list into quarantine, and the dry run before that.

Each file is looked at again just before it is moved. What differs in anything is left and counted.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice

from bot.domain.cleanup.candidate import Candidate, shown
from bot.domain.cleanup.reasons import Left
from bot.domain.cleanup.rules import AgeBy, Root
from bot.tools.cleanup.checks import Refused, status_of, unused, why
from bot.tools.cleanup.folders import journal_of, quarantine_of, run_directory
from bot.tools.cleanup.in_use import InUse
from bot.tools.cleanup.journal import Header, Journal, Record
from bot.tools.cleanup.moves import move
from bot.tools.cleanup.places import Places
from bot.tools.cleanup.slots import Slots
from bot.tools.cleanup.tally import QuarantineUnusable, Stop, Tally, Tick

AT_ONCE = 1000
"""files between two looks at what is in use, and whose records are written together"""

Entries = Iterable[tuple[int, Candidate]]
"""files with their places in the list"""


@dataclass(frozen=True, slots=True)
class Move:
    """What is to be moved, and by which rules."""

    header: Header
    list_sha256: str
    newest: int
    """nanoseconds of the epoch: what changed later is too young"""
    age_by: AgeBy = AgeBy.MODIFIED
    in_use_respected: bool = True
    saved: int | None = None
    """nanoseconds of the epoch: what changed later may not be in the backup; None where none is asked for"""

    @property
    def folder(self) -> bytes:
        """The directory in the quarantine."""
        of_root = sha256(self.header.root).hexdigest()[:8]
        return f"{self.header.run}-{self.header.stage.value}-{self.list_sha256[:12]}-{of_root}".encode()


def check(root: Root, entries: Entries, wanted: Move, use: InUse, tick: Tick, stop: Stop) -> Tally:
    """The dry run: what `put` would do, as far as that can be told without doing it. Raises OSError when the
    root cannot be opened."""
    tally = Tally()
    held = use.held if wanted.in_use_respected else frozenset()
    with Places(root.path) as places:
        for batch in _batches(entries):
            if stop():
                tally.stopped = True
                break
            for _, file in batch:
                try:
                    _status(places, file, wanted)
                except Refused as refused:
                    tally.left[refused.reason] += 1
                    continue
                if (file.device, file.inode) in use.protected:
                    tally.left[Left.PROTECTED] += 1
                elif (file.device, file.inode) in held:
                    tally.left[Left.IN_USE] += 1
                else:
                    tally.done += 1
                    tally.bytes += file.size
            tick(len(batch))
    return tally


def put(
    root: Root,
    entries: Entries,
    wanted: Move,
    look: Callable[[], InUse],
    tick: Tick,
    stop: Stop,
    at_once: int = AT_ONCE,
) -> Tally:
    """Move files into quarantine. Each is looked at once more, and left if anything about it differs. What a
    run that was cut off has moved already is counted as moved. Raises QuarantineUnusable, JournalUnreadable
    and OSError; what was moved until then has its records."""
    tally = Tally()
    with Places(root.path) as places, quarantine_of(root, places) as quarantine:
        with (
            run_directory(quarantine, wanted.folder) as directory,
            journal_of(directory, wanted.header) as journal,
            closing(Slots(directory)) as slots,
        ):
            known = journal.last_number()
            for batch in _batches(entries, at_once):
                if stop():
                    tally.stopped = True
                    break
                tally.add(_put_batch(places, slots, journal, batch, known, wanted, look()))
                tick(len(batch))
    return tally


def _put_batch(
    places: Places,
    slots: Slots,
    journal: Journal,
    batch: list[tuple[int, Candidate]],
    known: int,
    wanted: Move,
    use: InUse,
) -> Tally:
    tally = Tally()
    records: list[Record] = []
    for number, file in batch:
        if number <= known and slots.holds(number, file.inode):
            tally.done += 1
            tally.bytes += file.size
            continue
        try:
            records.append(Record.of(number, file.path, _status(places, file, wanted)))
        except Refused as refused:
            tally.left[refused.reason] += 1
    if records:
        journal.add(records)
    for record in records:
        try:
            _put(places, slots, record, wanted, use)
        except Refused as refused:
            tally.left[refused.reason] += 1
        else:
            tally.done += 1
            tally.bytes += record.file.size
    return tally


def _put(places: Places, slots: Slots, record: Record, wanted: Move, use: InUse) -> None:
    file = record.file
    try:
        directory, name = places.parent_of(file.path)
    except OSError as error:
        raise Refused(why(error)) from None
    with unused(directory, name, file, use, respected=wanted.in_use_respected):
        status_of(directory, name, file, wanted.newest, wanted.age_by, wanted.saved)
        target, slot = slots.place(record.number)
        try:
            move(directory, name, target, slot)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOSYS):
                raise QuarantineUnusable("no_safe_move", shown(places.path)) from None
            if error.errno == errno.EEXIST:
                raise Refused(Left.ODD) from None
            raise Refused(why(error)) from None
        moved = os.stat(slot, dir_fd=target, follow_symlinks=False)
        if (moved.st_dev, moved.st_ino) != (file.device, file.inode):
            _give_back(directory, name, target, slot)
            raise Refused(Left.CHANGED)


def _give_back(directory: int, name: bytes, target: int, slot: bytes) -> None:
    """The name became another file's between the look and the move: that one goes back at once. If its place
    has been taken in its turn, it stays in quarantine: `restore` brings it back, and nothing purges it."""
    try:
        move(target, slot, directory, name)
    except FileExistsError:
        pass  # both are kept: one there, one here


def _status(places: Places, file: Candidate, wanted: Move) -> os.stat_result:
    try:
        directory, name = places.parent_of(file.path)
    except OSError as error:
        raise Refused(why(error)) from None
    return status_of(directory, name, file, wanted.newest, wanted.age_by, wanted.saved)


def _batches(entries: Entries, at_once: int = AT_ONCE) -> Iterator[list[tuple[int, Candidate]]]:
    waiting = iter(entries)
    while batch := list(islice(waiting, at_once)):
        yield batch
