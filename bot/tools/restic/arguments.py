"""restic's command lines, as lists. Nothing here runs anything, and no secret is ever among them.

What proves something reads the repository and not the cache: restic answers from its cache where the
repository's own file is damaged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

HOST = "guardian"
"""The host that every snapshot names: where a machine is renamed, its snapshots stay one series."""
_SPECIAL = re.compile(r"([\\*?\[])")


def backup(location: str, paths: Sequence[str], exclude: Sequence[str], tags: Sequence[str]) -> list[str]:
    """Save those paths."""
    words = ["--repo", location, "backup", "--json", "--host", HOST, "--ignore-inode"]
    for tag in tags:
        words += ["--tag", tag]
    for path in exclude:
        words += ["--exclude", literal(path)]
    return [*words, "--", *paths]


def backup_stdin(location: str, filename: str, tags: Sequence[str]) -> list[str]:
    """Save what comes on standard input as one file of that name."""
    words = ["--repo", location, "backup", "--json", "--host", HOST]
    for tag in tags:
        words += ["--tag", tag]
    return [*words, "--stdin", "--stdin-filename", filename]


def copy(source: str, target: str, snapshots: Sequence[str]) -> list[str]:
    """Copy those snapshots from one repository to another."""
    return ["--repo", target, "copy", "--from-repo", source, "--", *snapshots]


def check(location: str, share: int | None, shares: int, *, lock: bool) -> list[str]:
    """Look over the structure; with `share` read that part of the data too, one of `shares`."""
    words = ["--repo", location, "check"]
    if share is not None:
        words.append(f"--read-data-subset={share}/{shares}")
    return words if lock else [*words, "--no-lock"]


def snapshots(location: str, names: Sequence[str] = (), *, lock: bool = True) -> list[str]:
    """List the snapshots, all or those of these names."""
    words = ["--repo", location, "snapshots", "--json", "--no-cache"]
    return [*words, *([] if lock else ["--no-lock"]), *(["--", *names] if names else [])]


def dump(location: str, snapshot: str, path: str) -> list[str]:
    """Write one file of a snapshot to standard output."""
    return ["--repo", location, "dump", "--no-lock", "--no-cache", "--", snapshot, path]


def restore(location: str, snapshot: str, target: str, include: str | None) -> list[str]:
    """Restore a snapshot below `target`, all of it or one path, and compare what was written."""
    words = ["--repo", location, "restore", "--no-lock", "--no-cache", "--verify", "--target", target]
    if include is not None:
        words += ["--include", literal(include)]
    return [*words, "--", snapshot]


def forget(location: str, names: Sequence[str]) -> list[str]:
    """Forget those snapshots and free their space. Never by a rule of restic's own."""
    if not names:
        raise ValueError("forget needs the names of snapshots")
    return ["--repo", location, "forget", "--prune", "--", *names]


def init(location: str, chunker_of: str | None) -> list[str]:
    """Make a repository that cuts files as `chunker_of` does, so that copies share their data."""
    words = ["--repo", location, "init"]
    return words if chunker_of is None else [*words, "--from-repo", chunker_of, "--copy-chunker-params"]


def list_of(location: str, what: str) -> list[str]:
    """The names of all `locks`, of all `snapshots`."""
    return ["--repo", location, "list", what, "--no-lock"]


def cat(location: str, *what: str) -> list[str]:
    """One object of the repository as JSON: `config`, or `lock` and its name."""
    return ["--repo", location, "cat", "--no-lock", "--", *what]


def key_list(location: str) -> list[str]:
    """The keys that open the repository."""
    return ["--repo", location, "key", "list", "--json", "--no-lock"]


def unlock(location: str) -> list[str]:
    """Remove the locks that restic knows to be stale."""
    return ["--repo", location, "unlock"]


def literal(path: str) -> str:
    """A path as a pattern that means it alone."""
    return _SPECIAL.sub(r"\\\1", str(PurePosixPath(path)))
