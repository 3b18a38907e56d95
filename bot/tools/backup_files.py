"""What backups do to files by themselves: canaries, and the folder that a restore goes to."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

_CANARY_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Canary:
    """A file that is backed up along, only to be restored and compared."""

    path: str
    sha256: str


def write_canary(folder: Path, source: str) -> Canary:
    """A new canary for that source, of random bytes, so that no older backup holds it. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder.resolve() / f"{source}.canary"
    content = secrets.token_bytes(_CANARY_BYTES)
    beside = path.with_suffix(".new")
    beside.write_bytes(content)
    beside.replace(path)
    return Canary(str(path), hashlib.sha256(content).hexdigest())


def real_path(path: str) -> str:
    """The path without symbolic links, whether it is there or not."""
    return os.path.realpath(path)


def free_bytes(folder: Path) -> int:
    """Room for an ordinary user where that folder is. Raises OSError."""
    return shutil.disk_usage(folder).free


def unfinished(target: Path, run_id: int) -> Path:
    """Where that run restores to until everything is there: beside the target, on the same file system."""
    return target.with_name(f".{target.name}.guardian-{run_id}")


def is_fresh(target: Path) -> bool:
    """Whether nothing is at that place, a dangling link included, and it has a folder to be in."""
    return not os.path.lexists(target) and target.parent.is_dir()


def place(whole: Path, target: Path) -> bool:
    """Move what was restored to its place; False if something is there meanwhile. Raises OSError.

    Done already (`whole` is gone, the target is there): True.
    """
    if not os.path.lexists(whole) and target.is_dir():
        return True
    if os.path.lexists(target):
        return False
    whole.rename(target)
    return True


def remove_unfinished(target: Path, run_id: int) -> bool:
    """Remove what that run restored and did not put in its place; whether there was any. Raises OSError."""
    return remove_tree(unfinished(target, run_id))


def remove_tree(folder: Path) -> bool:
    """Remove a folder that we made, with all that is in it; whether it was there. A link is no folder of
    ours. Raises OSError."""
    if not folder.is_dir() or folder.is_symlink():
        return False
    shutil.rmtree(folder)
    return True
