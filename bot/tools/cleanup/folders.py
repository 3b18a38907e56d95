"""The quarantine of a root on the disk: a directory that is ours alone, and in it one a stage of each run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from bot.domain.cleanup.candidate import shown
from bot.domain.cleanup.rules import Root
from bot.tools.cleanup.journal import Header, Journal, JournalUnreadable
from bot.tools.cleanup.moves import can_move
from bot.tools.cleanup.places import OPEN_DIRECTORY, Places, open_directory
from bot.tools.cleanup.slots import Slots
from bot.tools.cleanup.tally import QuarantineUnusable


@contextmanager
def quarantine_of(root: Root, places: Places) -> Iterator[int]:
    """The root's quarantine, made if it is not there. Raises QuarantineUnusable."""
    if not can_move():
        raise QuarantineUnusable("no_safe_move", root.shown)
    above, name = os.path.split(root.quarantine_path)
    parent = open_directory(above)
    try:
        try:
            os.mkdir(name, 0o700, dir_fd=parent)
        except FileExistsError:
            pass
        descriptor = _ours(parent, name, root)
        os.fsync(parent)
    finally:
        os.close(parent)
    try:
        if not places.same_mount(descriptor):
            raise QuarantineUnusable("quarantine_elsewhere", root.shown, shown(root.quarantine_path))
        yield descriptor
    finally:
        os.close(descriptor)


def _ours(parent: int, name: bytes, root: Root) -> int:
    """A descriptor of a directory that is ours alone: below /tmp anybody can make one of that name first."""
    try:
        descriptor = os.open(name, OPEN_DIRECTORY, dir_fd=parent)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise QuarantineUnusable("quarantine_not_ours", root.shown, error.strerror or "") from None
    status = os.fstat(descriptor)
    if status.st_uid != os.geteuid() or status.st_mode & 0o077:
        os.close(descriptor)
        raise QuarantineUnusable("quarantine_not_ours", root.shown, shown(root.quarantine_path))
    return descriptor


@contextmanager
def run_directory(quarantine: int, folder: bytes) -> Iterator[int]:
    """The directory of a stage of a run, made if it is not there. Raises OSError."""
    try:
        os.mkdir(folder, 0o700, dir_fd=quarantine)
        os.fsync(quarantine)
    except FileExistsError:
        pass
    with _opened(quarantine, folder) as descriptor:
        yield descriptor


def journal_of(directory: int, header: Header) -> Journal:
    """A new journal, or that of a run that was cut off."""
    try:
        return Journal.open(directory)
    except FileNotFoundError:
        return Journal.create(directory, header)


@contextmanager
def _opened(above: int, name: bytes) -> Iterator[int]:
    descriptor = os.open(name, OPEN_DIRECTORY, dir_fd=above)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Run:
    """What a stage of a run has in a quarantine, open while one looks at it."""

    directory: int
    journal: Journal | None
    """None when there is none yet, or it cannot be read: then nobody knows what the slots hold, and nothing
    is done with them"""


def runs_of(root: Root, prefix: bytes = b"") -> Iterator[Run]:
    """What is in the root's quarantine, from directories whose names begin with `prefix`. What is empty after
    one has looked at it is removed. Raises QuarantineUnusable, OSError."""
    for quarantine, folder in _folders(root):
        if not folder.startswith(prefix):
            continue
        with _opened(quarantine, folder) as directory:
            journal = _journal(directory)
            if journal is None:
                yield Run(directory, None)
            else:
                with journal:
                    if journal.header.root != root.path:
                        continue  # of another root, which has the same quarantine
                    yield Run(directory, journal)
            _remove_if_empty(quarantine, folder, directory)


def _journal(directory: int) -> Journal | None:
    try:
        return Journal.open(directory)
    except (FileNotFoundError, JournalUnreadable):
        return None


def _folders(root: Root) -> Iterator[tuple[int, bytes]]:
    """The directories of runs in the root's quarantine, if there is one."""
    above, name = os.path.split(root.quarantine_path)
    try:
        parent = open_directory(above)
    except FileNotFoundError:
        return
    try:
        descriptor = _ours(parent, name, root)
    except FileNotFoundError:
        return
    finally:
        os.close(parent)
    try:
        for entry in sorted(map(os.fsencode, os.listdir(descriptor))):
            yield descriptor, entry
    finally:
        os.close(descriptor)


def _remove_if_empty(quarantine: int, folder: bytes, directory: int) -> None:
    """Remove the directory of a run when nothing is left in its slots; the journal goes last."""
    with closing(Slots(directory)) as slots:
        if not slots.remove_empty():
            return
    Journal.remove(directory)
    os.rmdir(folder, dir_fd=quarantine)
