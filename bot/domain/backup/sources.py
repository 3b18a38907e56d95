"""What is backed up, in the four kinds of the source document."""

from __future__ import annotations

import posixpath
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

DEFAULT_MAX_AGE = timedelta(hours=26)
"""A daily backup may take two hours longer than the one before it."""


class SourceKind(StrEnum):
    """The document's kinds. What they are called is in `backup.kind`."""

    DATABASE = "database"
    CONFIGS = "configs"
    CODE = "code"
    USER_DATA = "user_data"


@dataclass(frozen=True, slots=True)
class Dump:
    """A program whose output is the backup, such as pg_dump. Its output never touches the disk."""

    command: tuple[str, ...]
    filename: str
    """what its output is called within the snapshot"""
    variables: tuple[str, ...] = ()
    """names of the environment variables that it is given, such as PGPASSWORD"""


@dataclass(frozen=True, slots=True)
class Source:
    """One thing that is backed up: paths, or a dump. Paths are absolute and free of symbolic links."""

    name: str
    kind: SourceKind
    paths: tuple[str, ...] = ()
    dump: Dump | None = None
    exclude: tuple[str, ...] = ()
    """absolute paths below `paths` that are left out with all that is in them"""
    max_age: timedelta = DEFAULT_MAX_AGE
    """a newest backup that is older is late"""

    def __post_init__(self) -> None:
        if bool(self.paths) == (self.dump is not None):
            raise ValueError(f"{self.name}: either paths or a dump")

    def holds(self, path: str) -> bool:
        """Whether everything at and below that absolute path is in this source's backups."""
        return holds(self.paths, self.exclude, path)

    def leaves_out(self, path: str) -> bool:
        """Whether the path would be in this source's backups but for what is left out."""
        return any(is_within(path, each) for each in self.paths) and not self.holds(path)


def holds(paths: Collection[str], exclude: Collection[str], path: str) -> bool:
    """Whether everything at and below `path` is in a backup of `paths` without `exclude`."""
    inside = any(is_within(path, each) for each in paths)
    return inside and not any(is_within(path, out) or is_within(out, path) for out in exclude)


def is_within(path: str, folder: str) -> bool:
    """Whether an absolute path is that folder or lies below it, going by the names alone."""
    inner, outer = posixpath.normpath(path), posixpath.normpath(folder)
    return inner == outer or inner.startswith(outer.rstrip("/") + "/")
