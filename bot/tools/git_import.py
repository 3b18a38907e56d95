"""A Git repository made of a stream that says all its commits."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from bot.tools.commands import passed_on

_SECONDS = 20.0
_SAID = 300


class GitFailed(Exception):
    """Git is not there, or would not; the text is what it said."""


def has_git() -> bool:
    """Whether there is a Git."""
    return shutil.which("git") is not None


def import_history(folder: Path, stream: bytes) -> None:
    """Make the bare repository `folder`, which must be empty or not there, with the history that `stream`
    tells as git-fast-import(1) reads it. Blocks, some tenths of a second. Raises GitFailed."""
    path = str(folder)
    _git("-c", "init.defaultBranch=main", "init", "--quiet", "--bare", "--", path)
    _git("-C", path, "-c", "core.fsmonitor=false", "fast-import", "--quiet", given=stream)


def _git(*arguments: str, given: bytes = b"") -> None:
    # Nobody's settings, templates and hooks have a say in it.
    clean = passed_on() | {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
    try:
        ran = subprocess.run(  # noqa: S603 - a list of arguments of ours
            ["git", *arguments],  # noqa: S607 - whichever Git the visitor has
            input=given,
            capture_output=True,
            env=clean,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GitFailed(str(error)) from None
    if ran.returncode != 0:
        raise GitFailed(ran.stderr.decode(errors="replace").strip()[:_SAID])
