"""What is wrong with an audit log, entry by entry and in bounded memory.

What can be told apart: an entry that does not fit its own hash was changed, unless it fits under another
number: then it was moved. An entry that fits its own hash, but not what the next one says of it, was written
anew with its hash. A number that is left out is missing, and one that two others leave no room for was put in
later. The end is only known to be cut, or written anew, beside a head that was noted before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.audit import EMPTY, GENESIS, Entry, Head, hash_of

FAULTS_KEPT = 1000
_TRIED = 200
"""Entries that are tried under each other's numbers: squared, that is 40,000 hashes, a tenth of a second."""


class FaultKind(StrEnum):
    """What happened to entries; the sentence is `cli.audit.KIND` in the phrases."""

    CHANGED = "changed"
    """It does not fit its own hash."""
    MISSING = "missing"
    MOVED = "moved"
    """It stands under another number than the one it was written with."""
    INSERTED = "inserted"
    """The entries around it leave no room for it."""
    REWRITTEN = "rewritten"
    """It fits its own hash, and the entry behind it knows another one."""
    TORN = "torn"
    """The last two don't fit together: one of them was written anew, and nothing says which."""
    CUT = "cut"
    """The log once went on: a head that was noted is behind its end."""
    OTHER = "other"
    """A head that was noted has another hash: this entry, or one before it, was written anew to the end."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with the entries from `first` to `last`, both included."""

    kind: FaultKind
    first: int
    last: int
    entry: Entry | None = None
    """the entry as it is now, where it is one that is there"""
    origin: int | None = None
    """the number that a moved entry was written with"""
    expected: Head | None = None
    """the head that was noted"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of a whole log."""

    count: int
    """entries that are there"""
    head: Head
    """of the last one, as it is now"""
    faults: tuple[Fault, ...]
    """by number; of very many, the first"""
    total: int
    """how many there are"""

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong, as far as that can be known."""
        return self.total == 0


@dataclass(frozen=True, slots=True)
class _Seen:
    entry: Entry
    fits: bool
    """whether it fits its own hash"""


class Verifier:
    """Looks at entries in the order of their numbers, once each: `take` them all, then ask for the
    `verdict`."""

    def __init__(self, expected: Iterable[Head] = ()) -> None:
        """`expected`: heads that were noted before."""
        self._expected: dict[int, list[Head]] = {}
        for head in expected:
            self._expected.setdefault(head.number, []).append(head)
        self._met: set[int] = {0} if self._expected.get(0, []) else set()
        self._faults: list[Fault] = [
            Fault(FaultKind.OTHER, 0, 0, expected=head) for head in self._expected.get(0, []) if head != EMPTY
        ]
        self._more = 0
        self._count = 0
        self._last: _Seen | None = None
        self._before: str | None = GENESIS
        """the hash of the entry before the last one; None where that can't be relied upon"""
        self._broken: tuple[Entry, Entry, FaultKind] | None = None
        """the last two, if they don't fit together and what comes next must say whose fault that is, and what
        it is if it is the former's"""
        self._suspects: list[Entry] = []

    def take(self, entry: Entry) -> None:
        """The next entry."""
        self._count += 1
        last = self._last
        self._compare(entry)
        if entry.number < 1:
            self._add(Fault(FaultKind.INSERTED, entry.number, entry.number, entry))
            return
        due = 1 if last is None else last.entry.number + 1
        if entry.number > due:
            self._add(Fault(FaultKind.MISSING, due, entry.number - 1))
        seen = _Seen(entry, hash_of(entry) == entry.hash)
        if not seen.fits:
            self._settle(last is not None and entry.previous == last.entry.hash)
            self._misfit(entry, last)
        elif entry.number > due:
            self._settle(False)
        else:
            self._link(entry, last)
        self._before = last.entry.hash if last is not None and last.fits else None
        if last is None:
            self._before = GENESIS
        self._last = seen

    def verdict(self) -> Verdict:
        """What was found. To be asked once, after the last entry."""
        self._settle(False)
        self._place_suspects()
        head = EMPTY if self._last is None else Head(self._last.entry.number, self._last.entry.hash)
        for number in sorted(self._expected.keys() - self._met):
            for expected in self._expected[number]:
                if number > head.number:
                    self._add(Fault(FaultKind.CUT, head.number + 1, number, expected=expected))
        faults = tuple(sorted(self._faults, key=lambda fault: (fault.first, fault.kind)))
        return Verdict(self._count, head, faults, len(faults) + self._more)

    def _compare(self, entry: Entry) -> None:
        for head in self._expected.get(entry.number, []):
            self._met.add(entry.number)
            if head.hash != entry.hash:
                self._add(Fault(FaultKind.OTHER, entry.number, entry.number, entry, expected=head))

    def _misfit(self, entry: Entry, last: _Seen | None) -> None:
        """An entry that does not fit its own hash: it was changed, or moved from another number."""
        origin = next(
            (n for n in (entry.number + 1, entry.number - 1) if hash_of(entry, n) == entry.hash), None
        )
        if origin is None:
            if len(self._suspects) < _TRIED:
                self._suspects.append(entry)
            else:
                self._add(Fault(FaultKind.CHANGED, entry.number, entry.number, entry))
            return
        # All behind an entry that was put in are moved by one; the first of them still knows its neighbour.
        if last is not None and last.fits and origin < entry.number and entry.previous == self._before:
            self._add(Fault(FaultKind.INSERTED, last.entry.number, last.entry.number, last.entry))
        self._add(Fault(FaultKind.MOVED, entry.number, entry.number, entry, origin))

    def _link(self, entry: Entry, last: _Seen | None) -> None:
        """Whether an entry that fits its own hash and has its place behind the last one knows that one."""
        if last is None:
            if entry.previous != GENESIS:
                self._add(Fault(FaultKind.REWRITTEN, entry.number, entry.number, entry))
            return
        if not last.fits or entry.previous == last.entry.hash:
            self._settle(last.fits)
            return
        if self._broken is not None:
            # Neither of its neighbours fits it: it is the one in between.
            self._broken = None
            self._add(Fault(FaultKind.REWRITTEN, last.entry.number, last.entry.number, last.entry))
            return
        kind = FaultKind.INSERTED if entry.previous == self._before else FaultKind.REWRITTEN
        self._broken = (last.entry, entry, kind)

    def _settle(self, latter_is_known: bool) -> None:
        """Two that don't fit together: what follows knows the latter, and then the former is at fault."""
        if self._broken is None:
            return
        former, latter, kind = self._broken
        self._broken = None
        if latter_is_known:
            self._add(Fault(kind, former.number, former.number, former))
        else:
            self._add(Fault(FaultKind.TORN, former.number, latter.number, latter))

    def _place_suspects(self) -> None:
        """Entries that changed places fit under each other's numbers, or one that is missing."""
        gaps = (fault for fault in self._faults if fault.kind is FaultKind.MISSING)
        free = [fault.first for fault in gaps if fault.first == fault.last][:_TRIED]
        numbers = [*(each.number for each in self._suspects), *free]
        for entry in self._suspects:
            origin = next((number for number in numbers if hash_of(entry, number) == entry.hash), None)
            kind = FaultKind.CHANGED if origin is None else FaultKind.MOVED
            self._add(Fault(kind, entry.number, entry.number, entry, origin))

    def _add(self, fault: Fault) -> None:
        if any(each.kind is fault.kind and each.first == fault.first for each in self._faults[-3:]):
            return
        if len(self._faults) < FAULTS_KEPT:
            self._faults.append(fault)
        else:
            self._more += 1


def verify(entries: Iterable[Entry], expected: Sequence[Head] = ()) -> Verdict:
    """What is wrong with a log whose entries come in the order of their numbers."""
    verifier = Verifier(expected)
    for entry in entries:
        verifier.take(entry)
    return verifier.verdict()
