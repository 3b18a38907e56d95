"""The part of the configuration for cleanups: `cleanup`."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from bot.config.values import Command, Duration, between
from bot.config.watching import Section
from bot.domain.cleanup.rules import AgeBy, CacheRules, FileRules, Root, Rules, Stage

_NEVER = (
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/proc",
    "/run",
    "/sbin",
    "/sys",
    "/usr",
)
"""nothing below these is anybody's rubbish"""
_NEVER_ITSELF = ("/", "/home", "/mnt", "/media", "/opt", "/root", "/srv", "/var", "/var/lib")
"""these hold other things too: a root is a directory below"""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SESSIONS = (".X11-unix", ".ICE-unix", ".font-unix", ".XIM-unix", "ssh-*", "tmux-*", "screen", "screens",
             "uscreens", ".vscode*", "vscode-*", "cursor-*", "systemd-private-*", ".X*-lock",
             "snap-private-tmp")  # fmt: skip
"""what sessions, editors and services keep in directories for temporary files"""


def _directory(value: str) -> str:
    if not value.startswith("/") or _CONTROL.search(value) or len(value) > 1000:
        raise PydanticCustomError("cleanup_path", "no path", {"text": value[:80]})
    path = posixpath.normpath(value)
    if value.rstrip("/") != path.rstrip("/") or path.startswith("//"):
        raise PydanticCustomError("cleanup_path", "no path", {"text": value[:80]})
    return path


def _root(value: str) -> str:
    path = _directory(value)
    if path in _NEVER_ITSELF or any(_holds(place, path) for place in _NEVER):
        raise PydanticCustomError("cleanup_root_system", "of the system", {"text": path})
    return path


def _pattern(value: str) -> str:
    if not value.strip() or "/" in value or _CONTROL.search(value) or len(value) > 200:
        raise PydanticCustomError("cleanup_pattern", "no pattern", {"text": value[:80]})
    return value


DirectoryPath = Annotated[str, AfterValidator(_directory)]
RootPath = Annotated[str, AfterValidator(_root)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Patterns = Annotated[tuple[Pattern, ...], Field(strict=False, max_length=100)]
Age = Annotated[Duration, AfterValidator(between("1h", "3650d"))]


class RootSettings(Section):
    """A directory to clean up below."""

    path: RootPath = Field(description="The directory, absolute and without links; it stays.")
    quarantine: DirectoryPath | None = Field(
        default=None,
        description="Where its files are kept until the purge; on the same file system. "
        "Default: .guardian-quarantine in it.",
    )

    @property
    def root(self) -> Root:
        """The root as a value."""
        quarantine = None if self.quarantine is None else os.fsencode(self.quarantine)
        return Root(os.fsencode(self.path), quarantine)


def _written_root(value: object) -> object:
    """A root may be written as its path alone."""
    return {"path": value} if isinstance(value, str) else value


WrittenRoot = Annotated[
    RootSettings, BeforeValidator(_written_root, json_schema_input_type=RootPath | RootSettings)
]
Roots = Annotated[tuple[WrittenRoot, ...], Field(strict=False, max_length=50)]


def _roots(*paths: str) -> tuple[RootSettings, ...]:
    return tuple(RootSettings(path=path) for path in paths)


class FileStageSettings(Section):
    """A stage that moves files."""

    roots: Roots = Field(description="Directories to look below; [] leaves the stage out.")
    patterns: Patterns = Field(min_length=1, description="Names of files, `*` for anything.")
    keep: Patterns = Field(description="Names of files and directories that are left, with all in them.")
    older_than: Age = Field(description="Files that changed later are left, 1h to 3650d.")

    def rules(self, age_by: AgeBy, never: tuple[Path, ...]) -> FileRules:
        """The stage as a value; `never` are directories of Guardian's own."""
        return FileRules(
            roots=tuple(each.root for each in self.roots),
            patterns=self.patterns,
            min_age=self.older_than,
            age_by=age_by,
            keep=self.keep,
            # The walk knows absolute paths without links only.
            never=tuple(os.fsencode(os.path.realpath(path)) for path in never),
        )


class LogSettings(FileStageSettings):
    """Old logs. Their age counts from when they were last written."""

    roots: Roots = Field(default_factory=lambda: _roots("/var/log"), description="Where logs are.")
    patterns: Patterns = Field(
        default=("*.log", "*.log.*", "*.log-*", "*.gz", "*.xz", "*.bz2", "*.zst", "*.[0-9]"),
        min_length=1,
        description="Names of logs.",
    )
    keep: Patterns = Field(
        default=("journal", "audit", "wtmp*", "btmp*", "lastlog", "sa"), description="What is left."
    )
    older_than: Age = Field(default=timedelta(days=30), description="Logs older than this go.")


class TemporarySettings(FileStageSettings):
    """Old temporary files."""

    roots: Roots = Field(
        default_factory=lambda: _roots("/tmp", "/var/tmp"),  # noqa: S108 - where temporary files are; nothing is made there
        description="Where temporary files are.",
    )
    patterns: Patterns = Field(default=("*",), min_length=1, description="Names of temporary files.")
    keep: Patterns = Field(default=_SESSIONS, description="What is left: sockets and files of sessions.")
    older_than: Age = Field(default=timedelta(days=7), description="Files older than this go.")
    age_by: Literal["changed", "modified"] = Field(
        default="changed",
        description="changed: since they were last written, renamed or given rights; modified: written. "
        "What was unpacked a moment ago may say that it was modified years ago.",
    )


class CacheSettings(Section):
    """The caches of the user that Guardian runs as; null leaves one alone."""

    npm: Command | None = Field(default=("npm",), description="How npm is called.")
    pip: Command | None = Field(default=("python3", "-m", "pip"), description="How pip is called.")
    docker: Command | None = Field(default=("docker",), description="How Docker is called.")


class ZombieSettings(Section):
    """Zombies are reported with their parents."""

    restart: dict[Annotated[str, Field(min_length=1, max_length=100)], Command] = Field(
        default={},
        max_length=100,
        description="By the name of a parent: the command that makes its supervisor restart it.",
    )


class CleanupSettings(Section):
    """What `/cleanup` may do. Nothing is ever touched outside the roots."""

    logs: LogSettings = Field(default_factory=LogSettings, description="Stage 1.")
    temporary: TemporarySettings = Field(default_factory=TemporarySettings, description="Stage 2.")
    caches: CacheSettings = Field(default_factory=CacheSettings, description="Stage 3.")
    zombies: ZombieSettings = Field(default_factory=ZombieSettings, description="Stage 4.")
    quarantine_for: Annotated[Duration, AfterValidator(between("1h", "365d"))] = Field(
        default=timedelta(days=7), description="How long files can be brought back; then they are purged."
    )
    protected: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=100)], ...], Field(strict=False)
    ] = Field(default=(), max_length=100, description="Names of further processes that are left alone.")

    @model_validator(mode="after")
    def _keep_apart(self) -> CleanupSettings:
        places = list(self._places())
        for (name, path, owner), (other, against, other_owner) in combinations(places, 2):
            if owner is other_owner and owner is not None:
                continue  # a root and its own quarantine
            if _holds(path, against) or _holds(against, path):
                # One quarantine may serve many roots.
                if not (path == against and owner is not None and name == other == "quarantine"):
                    raise PydanticCustomError("cleanup_overlap", "overlap", {"text": path, "other": against})
        return self

    def _places(self) -> Iterator[tuple[str, str, RootSettings | None]]:
        for stage in (self.logs, self.temporary):
            for each in stage.roots:
                yield "root", each.path, each
                if each.quarantine is not None:
                    yield "quarantine", each.quarantine, each

    def rules(self, never: tuple[Path, ...] = ()) -> Rules:
        """The rules as values; `never` are directories of Guardian's own, which no stage enters."""
        files = {
            Stage.LOGS: self.logs.rules(AgeBy.MODIFIED, never),
            Stage.TEMPORARY: self.temporary.rules(AgeBy(self.temporary.age_by), never),
        }
        caches = CacheRules(self.caches.npm, self.caches.pip, self.caches.docker)
        some = any((caches.npm, caches.pip, caches.docker))
        return Rules(
            files=MappingProxyType({stage: rules for stage, rules in files.items() if rules.roots}),
            caches=caches if some else None,
            restart=MappingProxyType(dict(self.zombies.restart)),
            quarantine_for=self.quarantine_for,
            protected=self.protected,
        )


def _holds(above: str, path: str) -> bool:
    """Whether `path` is `above` or below it."""
    return path == above or path.startswith(above.rstrip("/") + "/")
