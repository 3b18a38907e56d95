"""What is in quarantine: brought back when somebody wants it, removed for good when its time is over."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from bot.domain.cleanup.reasons import Left
from bot.domain.cleanup.rules import Root, Stage
from bot.tools.cleanup.checks import Refused, why
from bot.tools.cleanup.folders import runs_of
from bot.tools.cleanup.journal import Journal, Record
from bot.tools.cleanup.moves import move
from bot.tools.cleanup.places import Places
from bot.tools.cleanup.slots import Slots
from bot.tools.cleanup.tally import Stop, Tally, Tick

AT_ONCE = 1000
"""files between two reports of how far it is"""


def restore(
    root: Root, run: int, tick: Tick, stage: Stage | None = None, stop: Stop = lambda: False
) -> Tally:
    """Bring back what a run moved from that root, or one stage of it, with mode, owner and times. What has
    come to a place since is not replaced. Raises QuarantineUnusable, JournalUnreadable, OSError."""
    tally = Tally()
    for kept in runs_of(root, b"%d-" % run):
        if kept.journal is None:
            tally.left.update(_unknown(kept.directory))
        elif stage is None or kept.journal.header.stage is stage:
            tally.add(_restore(root, kept.directory, kept.journal, tick, stop))
    return tally


def _restore(root: Root, directory: int, journal: Journal, tick: Tick, stop: Stop) -> Tally:
    tally = Tally()
    with Places(root.path) as places, closing(Slots(directory)) as slots:
        count = 0
        for record in journal.records():
            if stop():
                tally.stopped = True
                break
            try:
                if not _restore_one(places, slots, record):
                    continue
                tally.done += 1
                tally.bytes += record.file.size
            except Refused as refused:
                tally.left[refused.reason] += 1
            count += 1
            if count % AT_ONCE == 0:
                tick(AT_ONCE)
        tick(count % AT_ONCE)
    return tally


def _restore_one(places: Places, slots: Slots, record: Record) -> bool:
    """False when there is nothing in the slot: it was never moved, or is back already."""
    found = slots.find(record.number)
    if found is None:
        return False
    source, slot, status = found
    try:
        target, name = places.parent_of(record.file.path)
    except FileNotFoundError:
        raise Refused(Left.PLACE_GONE) from None
    except OSError as error:
        raise Refused(why(error)) from None
    if status.st_ino == record.file.inode:
        slots.mend(source, slot, status, record)
    # Else it is what took the name at the last moment (`_give_back`): it came from the same place.
    try:
        move(source, slot, target, name)
    except FileExistsError:
        raise Refused(Left.OCCUPIED) from None
    except OSError as error:
        raise Refused(why(error)) from None
    return True


@dataclass(frozen=True, slots=True)
class Kept:
    """What a stage of a run has in quarantine."""

    run: int
    stage: Stage
    root: str
    moved_at: datetime
    until: datetime
    count: int
    bytes: int


def listing(root: Root) -> Iterator[Kept]:
    """What is in quarantine for that root; what has no journal that can be read is not named. Raises
    QuarantineUnusable, OSError."""
    for kept in runs_of(root):
        if kept.journal is None:
            continue
        with closing(Slots(kept.directory)) as slots:
            count, size = slots.total()
        header = kept.journal.header
        if count:
            yield Kept(header.run, header.stage, root.shown, header.moved_at, header.until, count, size)


def purge(root: Root, now: datetime) -> Tally:
    """Remove for good what has been in quarantine long enough, and only what the records name. Raises
    QuarantineUnusable, JournalUnreadable, OSError."""
    tally = Tally()
    for kept in runs_of(root):
        if kept.journal is None:
            tally.left.update(_unknown(kept.directory))
        elif kept.journal.header.until <= now:
            tally.add(_purge(kept.directory, kept.journal))
    return tally


def _purge(directory: int, journal: Journal) -> Tally:
    tally = Tally()
    with closing(Slots(directory)) as slots:
        for record in journal.records():
            found = slots.find(record.number)
            if found is None:
                continue
            source, slot, status = found
            if status.st_ino != record.file.inode:
                tally.left[Left.ODD] += 1
                continue
            os.unlink(slot, dir_fd=source)
            tally.done += 1
            tally.bytes += status.st_size if status.st_nlink == 1 else 0
    return tally


def _unknown(directory: int) -> dict[Left, int]:
    """The files of which there is no record that can be read."""
    with closing(Slots(directory)) as slots:
        count, _ = slots.total()
    return {Left.ODD: count} if count else {}
