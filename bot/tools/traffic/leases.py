"""Leases of canaries: files that say who watches one, and what becomes of its traffic when nobody does.

A folder holds, for a run, `lease-RUN.json` while Green carries traffic, `rolled-RUN.json` when the watchdog
has taken the traffic back, and `fence-RUN`, whose lock is held by whoever of the two is at the traffic. The
lease is only ever replaced as a whole. `watchdog.lock` is held by the one watchdog.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bot.domain.deploy.addresses import Address
from bot.domain.deploy.slots import Slot
from bot.tools.traffic.drivers import TrafficConfiguration, as_json, from_json

_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}", re.ASCII)
_LARGEST = 64 * 1024
_LONGEST = 3600.0
_Value = TypeVar("_Value", int, str)


@dataclass(frozen=True, slots=True)
class Lease:
    """A canary's traffic is watched as long as this changes within every `seconds`."""

    run: str
    counter: int
    seconds: float
    traffic: TrafficConfiguration
    b: int
    """the share of slot b that means: everything to Blue"""
    slots: Mapping[Slot, Address] | None = None
    """where they listen; None in a lease of an older Guardian"""

    def __post_init__(self) -> None:
        """Raises ValueError for what can't be meant."""
        checked_run(self.run)
        if not 0 <= self.b <= 100 or not 0 < self.seconds <= _LONGEST or self.counter < 0:
            raise ValueError("a lease of so long, for that share, is none")
        if self.slots is not None and set(self.slots) != set(Slot):
            raise ValueError("two addresses are needed, one for each slot")

    @property
    def blue_and_green(self) -> tuple[Address, Address] | None:
        """Where they listen; None when that is not known."""
        if self.slots is None or self.b not in (0, 100):
            return None
        blue = Slot.B if self.b == 100 else Slot.A
        return self.slots[blue], self.slots[blue.other]

    def written(self) -> str:
        """For the file."""
        document = {
            "run": self.run,
            "counter": self.counter,
            "seconds": self.seconds,
            "traffic": as_json(self.traffic),
            "b": self.b,
            "slots": None if self.slots is None else {slot: str(at) for slot, at in self.slots.items()},
        }
        return json.dumps(document) + "\n"

    @classmethod
    def read(cls, content: bytes, run: str) -> Lease:
        """Of the file for that run. Raises ValueError."""
        document = _document(content)
        seconds = document.get("seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise ValueError("seconds: not a number")
        lease = cls(
            run=_is(document, "run", str),
            counter=_is(document, "counter", int),
            seconds=float(seconds),
            traffic=from_json(document.get("traffic")),
            b=_is(document, "b", int),
            slots=_slots(document.get("slots")),
        )
        if lease.run != run:
            raise ValueError(f"a lease of the run {lease.run!r} under another name")
        return lease


@dataclass(frozen=True, slots=True)
class Rolled:
    """The watchdog has taken a canary's lease away, and its traffic back to Blue."""

    run: str
    at: str
    """when that was so, UTC, ISO 8601"""
    counter: int
    """of the lease that lapsed"""
    waited: float
    """seconds that the lease had not changed"""
    share_before: int | None
    """what slot b carried; None when that could not be read"""
    share: int | None
    """what it carries now, as HAProxy says; None while the watchdog is at it"""
    tries: int

    def written(self) -> str:
        """For the file."""
        return json.dumps({name: getattr(self, name) for name in self.__slots__}) + "\n"

    @classmethod
    def read(cls, content: bytes) -> Rolled:
        """Raises ValueError."""
        document = _document(content)
        waited, before, share = (document.get(name) for name in ("waited", "share_before", "share"))
        if not isinstance(waited, int | float) or not isinstance(before, int | None):
            raise ValueError("waited or share_before: not a number")
        if not isinstance(share, int | None):
            raise ValueError("share: not a number")
        run, at, counter = _is(document, "run", str), _is(document, "at", str), _is(document, "counter", int)
        return cls(run, at, counter, float(waited), before, share, _is(document, "tries", int))


def checked_run(run: str) -> str:
    """`run` if it can be part of a file's name. Raises ValueError."""
    if _RUN.fullmatch(run) is None:
        raise ValueError(f"not a run: {run!r:.100}")
    return run


def lease_file(folder: Path, run: str) -> Path:
    """Where its lease is."""
    return folder / f"lease-{checked_run(run)}.json"


def rolled_file(folder: Path, run: str) -> Path:
    """Where it says that the watchdog has acted."""
    return folder / f"rolled-{checked_run(run)}.json"


def runs(folder: Path) -> Iterator[str]:
    """The runs that have a file of a lease, whatever is in it. Raises OSError."""
    for name in os.listdir(folder):
        run = name.removeprefix("lease-").removesuffix(".json")
        if name == f"lease-{run}.json" and _RUN.fullmatch(run) is not None:
            yield run


def read_file(path: Path) -> bytes | None:
    """What is in it; None when it isn't there. ValueError for a file that is none of ours: a link, another
    user's, one that others may write, or one too large. Raises OSError."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        facts = os.fstat(number)
        if not stat.S_ISREG(facts.st_mode):
            raise ValueError("no file")
        if facts.st_uid not in (os.geteuid(), 0) or facts.st_mode & 0o022:
            raise ValueError("a file that others may write")
        content = os.read(number, _LARGEST + 1)
    finally:
        os.close(number)
    if len(content) > _LARGEST:
        raise ValueError("too large for a lease")
    return content


def read_rolled(folder: Path, run: str) -> Rolled | None:
    """What the watchdog wrote down of a run whose lease it has taken away; None when it has not. Raises
    OSError."""
    try:
        content = read_file(rolled_file(folder, run))
        return None if content is None else Rolled.read(content)
    except ValueError:
        return Rolled(run, "", 0, 0.0, None, None, 0)  # it is there, and that is what matters


def write_file(path: Path, text: str, *, lasting: bool) -> None:
    """Put that in the file's place at once; `lasting`: also if the machine fails. Raises OSError."""
    beside = path.with_name(f".{path.name}.new")
    number = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(number, "w", encoding="utf-8") as opened:
        opened.write(text)
        if lasting:
            opened.flush()
            os.fsync(number)
    beside.replace(path)
    if lasting:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Let what was renamed or removed there last. Raises OSError."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(number)
    finally:
        os.close(number)


class Fence:
    """Held by whoever is at a run's traffic: the Guardian or the watchdog, never both. It falls with the
    process that holds it."""

    def __init__(self, number: int, path: Path) -> None:
        self._number = number
        self._path = path

    @classmethod
    def try_take(cls, folder: Path, run: str) -> Fence | None:
        """The fence if it is free. Raises OSError."""
        return cls._try(folder / f"fence-{checked_run(run)}")

    @classmethod
    def try_watch(cls, folder: Path) -> Fence | None:
        """The place of the one watchdog, if it is free."""
        return cls._try(folder / "watchdog.lock")

    @classmethod
    def _try(cls, path: Path) -> Fence | None:
        while True:
            number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
                there = os.stat(path).st_ino == os.fstat(number).st_ino
            except BlockingIOError:
                os.close(number)
                return None
            except FileNotFoundError:
                there = False
            if there:
                return cls(number, path)
            os.close(number)  # its holder removed it meanwhile: the lock of a file that is gone is nobody's

    def holds(self) -> bool:
        """Whether it still is the one that others find: not when somebody removed the folder."""
        try:
            return os.stat(self._path).st_ino == os.fstat(self._number).st_ino
        except OSError:
            return False

    def release(self, *, remove: bool = False) -> None:
        """Let others in; `remove`: nobody will need it again."""
        if remove:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
        os.close(self._number)


def is_watched(folder: Path) -> bool:
    """Whether a watchdog watches the folder. Raises OSError."""
    try:
        number = os.open(folder / "watchdog.lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(number, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: in no other look's way
    except BlockingIOError:
        return True
    finally:
        os.close(number)
    return False


def _document(content: bytes) -> dict[str, object]:
    try:
        document = json.loads(content)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(document, dict):
        raise ValueError("not an object")
    return document


def _is(document: dict[str, object], name: str, kind: type[_Value]) -> _Value:
    value = document.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{name}: not of its kind")
    return value


def _slots(value: object) -> dict[Slot, Address] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ValueError("slots: not an object")
    return {Slot(name): Address.of(str(at)) for name, at in value.items()}
