"""Directories by descriptors: below a root, never through a link, never into another file system or mount."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import TracebackType
from typing import Self

OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


def open_directory(path: bytes) -> int:
    """The descriptor of a directory by its absolute path, no name of which may be a link. Raises OSError."""
    descriptor = os.open(b"/", OPEN_DIRECTORY)
    for name in filter(None, path.split(b"/")):
        try:
            below = os.open(name, OPEN_DIRECTORY, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = below
    return descriptor


def mount_of(descriptor: int) -> int | None:
    """The number of the mount that it was opened on; None where the system doesn't tell. A bind mount has
    the device of what it shows, so the device alone doesn't tell that a mount begins."""
    try:
        text = Path(f"/proc/self/fdinfo/{descriptor}").read_bytes()
    except OSError:
        return None
    _, found, rest = text.partition(b"mnt_id:")
    return int(rest.split(None, 1)[0]) if found else None


class Places:
    """The directories below one root. Names that follow each other in a sorted list share what is open."""

    def __init__(self, root: bytes) -> None:
        """Opens the root. Raises OSError."""
        self.path = root
        self._open: list[tuple[bytes, int]] = [(b"", open_directory(root))]
        self.device = os.fstat(self.root).st_dev
        self._mount = mount_of(self.root)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def root(self) -> int:
        """The root's descriptor."""
        return self._open[0][1]

    def parent_of(self, path: bytes) -> tuple[int, bytes]:
        """The descriptor of the directory that holds the absolute path, and the last name. It stays open
        until the next call. Raises OSError: ELOOP or ENOTDIR for a link on the way, EXDEV where a mount
        begins, EINVAL for what is not below the root."""
        if not path.startswith(self.path.rstrip(b"/") + b"/"):
            raise OSError(errno.EINVAL, "not below the root", path)
        *directories, name = path[len(self.path.rstrip(b"/")) + 1 :].split(b"/")
        if name in (b"", b".", b"..") or any(each in (b"", b".", b"..") for each in directories):
            raise OSError(errno.EINVAL, "no path of a file", path)
        common = 0
        for (opened, _), wanted in zip(self._open[1:], directories, strict=False):
            if opened != wanted:
                break
            common += 1
        while len(self._open) > common + 1:
            os.close(self._open.pop()[1])
        for wanted in directories[common:]:
            self._open.append((wanted, self._enter(wanted)))
        return self._open[-1][1], name

    def _enter(self, name: bytes) -> int:
        below = os.open(name, OPEN_DIRECTORY, dir_fd=self._open[-1][1])
        if not self.same_mount(below):
            os.close(below)
            raise OSError(errno.EXDEV, "a mount begins here", name)
        return below

    def same_mount(self, descriptor: int) -> bool:
        """Whether a directory is on the root's file system, and not on another mount of it."""
        return os.fstat(descriptor).st_dev == self.device and mount_of(descriptor) == self._mount

    def close(self) -> None:
        """Close all of it."""
        while self._open:
            os.close(self._open.pop()[1])
