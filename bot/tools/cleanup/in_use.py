"""Which files processes hold: open, mapped, as their program or as their working directory.

Files are told by (device, inode), so that it doesn't matter by which of its names one was opened.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

File = tuple[int, int]
"""device and inode"""

_PROC = Path("/proc")
_FIRST_NAMESPACE = "pid:[4026531836]"
"""of the system itself; the number is a constant of Linux (PROC_PID_INIT_INO)"""


@dataclass(frozen=True, slots=True)
class InUse:
    """What was held when it was looked at."""

    held: frozenset[File] = frozenset()
    """by any process"""
    protected: frozenset[File] = frozenset()
    """by processes that must not be disturbed"""
    working: frozenset[File] = frozenset()
    """directories that those work in: all that is below one is in work"""
    unseen: int = 0
    """processes that would not show what they hold; those that are hidden altogether count as one"""


def look(protected: Collection[int] = ()) -> InUse:
    """What all processes hold just now; `protected` are the pids of those that must not be disturbed."""
    held: set[File] = set()
    theirs: set[File] = set()
    working: set[File] = set()
    unseen = 0 if _sees_all() else 1
    for entry in _entries(_PROC):
        if not entry.isdigit():
            continue
        process = _PROC / entry
        try:
            files = set(_files(process))
        except PermissionError:
            unseen += 1
            continue
        except OSError:
            continue  # it has ended meanwhile
        held |= files
        if int(entry) in protected:
            theirs |= files
            working.update(_directory(process / "cwd"))
    return InUse(frozenset(held), frozenset(theirs), frozenset(working), unseen)


def _sees_all() -> bool:
    """Whether processes outside this container, and other users', can be seen at all."""
    try:
        return os.readlink(_PROC / "self" / "ns" / "pid") == _FIRST_NAMESPACE and (_PROC / "1").exists()
    except OSError:
        return False


def _files(process: Path) -> Iterator[File]:
    # Which descriptors there are is the first thing that is refused for another user's process.
    for name in os.listdir(process / "fd"):
        yield from _file(process / "fd" / name)
    for link in ("exe", "cwd"):
        yield from _file(process / link)
    yield from _mapped(process)


def _mapped(process: Path) -> Iterator[File]:
    seen: set[bytes] = set()
    for line in (process / "maps").read_bytes().splitlines():
        span, _, _, device, inode, *_ = line.split(None, 5)
        if inode == b"0" or (device + inode) in seen:
            continue
        seen.add(device + inode)
        first, last = (int(each, 16) for each in span.split(b"-"))
        found = list(_file(process / "map_files" / f"{first:x}-{last:x}"))
        if found:
            yield from found
        else:
            # Without the right to follow map_files. The device may differ from what a file says of itself
            # on file systems that stack others; the lease of the move asks the kernel anyway.
            major, minor = (int(each, 16) for each in device.split(b":"))
            yield os.makedev(major, minor), int(inode)


def _file(path: Path) -> Iterator[File]:
    try:
        found = os.stat(path)
    except OSError:
        return
    yield found.st_dev, found.st_ino


def _directory(path: Path) -> Iterator[File]:
    try:
        found = os.stat(path)
    except OSError:
        return
    if stat.S_ISDIR(found.st_mode):
        yield found.st_dev, found.st_ino


def _entries(path: Path) -> list[str]:
    try:
        return os.listdir(path)
    except OSError:
        return []
