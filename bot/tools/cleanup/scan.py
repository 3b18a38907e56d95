"""The exact list of what a stage may take: a walk by descriptors, sorted into a file in constant memory."""

from __future__ import annotations

import errno
import fnmatch
import heapq
import os
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import IO

from bot.domain.cleanup.candidate import Candidate, escape, line_of
from bot.domain.cleanup.plan import Listing
from bot.domain.cleanup.reasons import Left
from bot.domain.cleanup.rules import QUARANTINE, AgeBy, FileRules, Root, cut_off
from bot.tools.cleanup.checks import is_after
from bot.tools.cleanup.in_use import InUse
from bot.tools.cleanup.places import OPEN_DIRECTORY, Places

LINES_AT_ONCE = 50_000
"""that are sorted in memory; more are merged from files"""
_DEEPEST = 100
_LARGEST = 10
_OURS = (".txt", ".json", ".part")
"""lists, and what a run keeps beside them (`bot.tools.cleanup.baseline`)"""


class ScanStopped(Exception):
    """Somebody wanted it to end."""


class RootUnusable(Exception):
    """A root cannot be walked: it is not there, or a link is on the way to it. `root` is its path."""

    def __init__(self, root: str, detail: str) -> None:
        super().__init__(f"{root}: {detail}")
        self.root = root
        self.detail = detail


def scan(
    rules: FileRules,
    at: datetime,
    use: InUse,
    folder: Path,
    stop: Callable[[], bool] = lambda: False,
    lines_at_once: int = LINES_AT_ONCE,
    saved: Mapping[bytes, int] | None = None,
) -> Listing:
    """List what `rules` allow at `at` into `folder`, as `SHA256.txt`. Nothing is changed elsewhere. A root
    that is not there has nothing. `saved`: by a root's path, until when its files are in a backup
    (`saved_until`); None where none is asked for. Raises RootUnusable, ScanStopped, OSError."""
    found = _Found()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with ExitStack() as stack:
        runs: list[IO[bytes]] = []
        lines: list[bytes] = []
        for line in _lines(rules, cut_off(rules, at), use, found, stop, saved):
            lines.append(line)
            if len(lines) >= lines_at_once:
                if stop():
                    raise ScanStopped
                runs.append(stack.enter_context(_run(lines, folder)))
                lines.clear()
        lines.sort()
        path, digest = _written(heapq.merge(*runs, lines), folder)
    return Listing(
        path=str(path),
        sha256=digest,
        count=found.count,
        bytes=found.size,
        oldest_ns=found.oldest_ns,
        largest=tuple(found.in_order()),
        linked=found.linked,
        left=dict(found.left),
    )


@dataclass(slots=True)
class _Found:
    """The figures, as they grow."""

    count: int = 0
    size: int = 0
    oldest_ns: int | None = None
    linked: int = 0
    left: Counter[Left] = field(default_factory=Counter)
    _largest: list[tuple[int, bytes, str, int, int, int]] = field(default_factory=list)
    _least: tuple[int, bytes, str] = (-1, b"", "")
    """of the largest, once there are enough of them"""

    def take(self, above: bytes, name: str, status: os.stat_result) -> None:
        size, mtime = status.st_size, status.st_mtime_ns
        self.count += 1
        self.size += size
        self.linked += status.st_nlink > 1
        if self.oldest_ns is None or mtime < self.oldest_ns:
            self.oldest_ns = mtime
        # Of equal sizes the place decides, so that the order of the walk does not.
        if (size, above, name) > self._least:
            heapq.heappush(self._largest, (size, above, name, mtime, status.st_dev, status.st_ino))
            if len(self._largest) > _LARGEST:
                heapq.heappop(self._largest)
                self._least = self._largest[0][:3]

    def in_order(self) -> Iterator[Candidate]:
        """The largest, the largest first."""
        for size, above, name, mtime, device, inode in sorted(self._largest, reverse=True):
            yield Candidate(above + b"/" + os.fsencode(name), size, mtime, device, inode)


def _lines(
    rules: FileRules,
    newest: int,
    use: InUse,
    found: _Found,
    stop: Callable[[], bool],
    saved: Mapping[bytes, int] | None,
) -> Iterator[bytes]:
    wanted, kept = _matcher(rules.patterns), _matcher(rules.keep)
    for root in rules.roots:
        try:
            places = Places(root.path)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise RootUnusable(root.shown, error.strerror or str(error)) from None
        with places:
            until = None if saved is None else saved[root.path]
            yield from _Walk(root, places, rules, newest, wanted, kept, use, found, stop, until).lines()


@dataclass(slots=True)
class _Walk:
    """The walk below one root."""

    root: Root
    places: Places
    rules: FileRules
    newest: int
    wanted: re.Pattern[str]
    kept: re.Pattern[str]
    use: InUse
    found: _Found
    stop: Callable[[], bool]
    saved: int | None

    def lines(self) -> Iterator[bytes]:
        came = self._came_after_backup(os.fstat(self.places.root))
        yield from self._below(self.places.root, self.root.path.rstrip(b"/"), 0, came)

    def _came_after_backup(self, status: os.stat_result) -> bool:
        """Whether a directory was moved here since the backup was taken, with old files in it: then it
        changed, and what it lists did not."""
        return self.saved is not None and status.st_ctime_ns > self.saved >= status.st_mtime_ns

    def _below(self, directory: int, path: bytes, depth: int, came: bool) -> Iterator[bytes]:
        """`came`: it, or a directory above it, came here after the backup was taken."""
        if self.stop():  # in each directory: of a million young files there is no line
            raise ScanStopped
        saved = None if self.saved is None else -1 if came else self.saved
        by_change = self.rules.age_by is AgeBy.CHANGED
        held = self.use.held if self.rules.in_use_respected else frozenset()
        protected, newest, found = self.use.protected, self.newest, self.found
        wanted, kept, above = self.wanted.match, self.kept.match, escape(path) + b"/"
        with os.scandir(directory) as entries:
            for entry in _careful(entries, found.left):
                name = entry.name
                if kept(name):
                    continue
                try:
                    within = entry.is_dir(follow_symlinks=False)
                    if not within and (not entry.is_file(follow_symlinks=False) or not wanted(name)):
                        continue
                    status = None if within else entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                except OSError:
                    found.left[Left.UNREADABLE] += 1
                    continue
                if status is None:
                    yield from self._enter(directory, os.fsencode(name), path, depth + 1, came)
                    continue
                if status.st_mtime_ns > newest or (by_change and status.st_ctime_ns > newest):
                    continue
                file = (status.st_dev, status.st_ino)
                if saved is not None and is_after(status, saved):
                    found.left[Left.AFTER_BACKUP] += 1
                elif file in protected:
                    found.left[Left.PROTECTED] += 1
                elif file in held:
                    found.left[Left.IN_USE] += 1
                elif status.st_dev != self.places.device:
                    found.left[Left.OTHER_FILE_SYSTEM] += 1
                else:
                    found.take(path, name, status)
                    yield line_of(above + _escaped(name), status.st_size, status.st_mtime_ns, *file)

    def _enter(self, above: int, name: bytes, path: bytes, depth: int, came: bool) -> Iterator[bytes]:
        whole, left = path + b"/" + name, self.found.left
        if (
            whole in self.rules.never
            or whole == self.root.quarantine_path
            or (depth == 1 and name == os.fsencode(QUARANTINE))
        ):
            return
        if depth > _DEEPEST:
            left[Left.TOO_DEEP] += 1
            return
        try:
            directory = os.open(name, OPEN_DIRECTORY, dir_fd=above)
        except OSError as error:
            # Gone, or something else by now: then there is nothing here to list.
            if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                left[Left.NOT_ALLOWED if error.errno == errno.EACCES else Left.UNREADABLE] += 1
            return
        try:
            status = os.fstat(directory)
            if not self.places.same_mount(directory):
                left[Left.OTHER_FILE_SYSTEM] += 1
            elif (status.st_dev, status.st_ino) in self.use.working:
                left[Left.PROTECTED] += 1
            else:
                came = came or self._came_after_backup(status)
                yield from self._below(directory, whole, depth, came)
        finally:
            os.close(directory)


def _escaped(name: str) -> bytes:
    """As `escape` has it; most names need no second look."""
    if name.isascii() and name.isprintable() and "\\" not in name:
        return name.encode()
    return escape(os.fsencode(name))


def _careful(entries: Iterator[os.DirEntry[str]], left: Counter[Left]) -> Iterator[os.DirEntry[str]]:
    """The entries, as far as the directory can be read."""
    try:
        yield from entries
    except OSError:
        left[Left.UNREADABLE] += 1


def _matcher(patterns: Sequence[str]) -> re.Pattern[str]:
    """Matches names; without patterns none."""
    return re.compile("|".join(map(fnmatch.translate, patterns)) if patterns else r"(?!)")


def _run(lines: list[bytes], folder: Path) -> IO[bytes]:
    lines.sort()
    # Closed by the caller's stack, when it has been merged.
    file = tempfile.TemporaryFile(dir=folder, buffering=1 << 16)
    file.writelines(lines)
    file.seek(0)
    return file


def _written(lines: Iterable[bytes], folder: Path) -> tuple[Path, str]:
    """Write the list under the name of its hash; one that is there already is the same."""
    digest = sha256()
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".list-", delete=False) as file:
        try:
            for line in lines:
                digest.update(line)
                file.write(line)
            file.flush()
            os.fsync(file.fileno())
            path = folder / f"{digest.hexdigest()}.txt"
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise
    return path, digest.hexdigest()


def write_lines(lines: Iterable[bytes], folder: Path) -> tuple[str, str]:
    """A short list, sorted, in the same manner: its path and its hash. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path, digest = _written(sorted(lines), folder)
    return str(path), digest


def remove_lists(folder: Path, before: datetime) -> int:
    """Remove what was written before that moment, lists and what is kept beside them; how many there were."""
    if not folder.is_dir():
        return 0
    count = 0
    for file in folder.iterdir():
        if file.suffix in _OURS and file.stat().st_mtime < before.timestamp():
            file.unlink(missing_ok=True)
            count += 1
    return count
