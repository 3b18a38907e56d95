"""The shop's releases, each in a folder of its own, and the Git repository that tells how they came to be."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from bot.tools.git_import import GitFailed, import_history
from bot.trial.shop.history import COMMITS, REVISIONS, Commit

COMMAND = (
    *("-B", "-S", "-m", "shop"),
    *("--host", "{host}", "--port", "{port}", "--revision", "{revision}"),
)
"""what Python is told to run a release, in its folder"""
_SOURCES = Path(__file__).parent / "sources"
_FIRST = "v1"
_BESIDE = "checks.py"
"""lies beside the package and not in it"""


def files_of(revision: str) -> dict[str, str]:
    """What is in a release, by its path: the sources of the first one, and what this one has of its own."""
    found: dict[str, str] = {}
    for folder in dict.fromkeys((_FIRST, revision)):
        for file in sorted((_SOURCES / folder).glob("*.py")):
            place = file.name if file.name == _BESIDE else f"shop/{file.name}"
            found[place] = file.read_text(encoding="utf-8")
    found["shop/__init__.py"] = '"""A small shop."""\n'
    return found | {"VERSION": f"{revision}\n"}


def write_releases(folder: Path) -> None:
    """Write every release into a folder of its name below `folder`, those that are not there yet; each is
    whole once it is there. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for revision in REVISIONS:
        if (folder / revision).exists():
            continue
        beside = Path(tempfile.mkdtemp(prefix=f".{revision}-", dir=folder))
        try:
            for place, text in files_of(revision).items():
                (beside / place).parent.mkdir(exist_ok=True)
                (beside / place).write_text(text, encoding="utf-8")
            beside.rename(folder / revision)
        except OSError:
            shutil.rmtree(beside, ignore_errors=True)
            raise


def write_repository(folder: Path, now: datetime) -> None:
    """Make the repository `folder`, a bare one, unless it is there; whole once it is there. Blocks. Raises
    OSError and GitFailed."""
    if folder.exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        import_history(beside, b"".join(_stream(now)))
        beside.rename(folder)
    except (OSError, GitFailed):
        shutil.rmtree(beside, ignore_errors=True)
        raise


def _stream(now: datetime) -> Iterator[bytes]:
    """All commits and tags as `git fast-import` reads them."""
    changes, there = "", dict[str, str]()
    for number, commit in enumerate(COMMITS, start=1):
        wanted = files_of(commit.release) if commit.release is not None else dict(there)
        changes += f"- {commit.subject}\n"
        wanted["CHANGES.md"] = changes
        yield _head(commit, number, now)
        for place in sorted(there.keys() - wanted.keys()):
            yield f"D {place}\n".encode()
        for place, text in wanted.items():
            if there.get(place) != text:
                yield f"M 100644 inline {place}\n".encode() + _data(text)
        there = wanted
        yield b"\n"
        if commit.tag is not None:
            yield f"reset refs/tags/{commit.tag}\nfrom :{number}\n\n".encode()


def _head(commit: Commit, number: int, now: datetime) -> bytes:
    name, address = commit.author
    by = f"{name} <{address}> {int((now - commit.before).timestamp())} +0900\n"
    return (
        f"commit refs/heads/main\nmark :{number}\nauthor {by}committer {by}".encode()
        + _data(f"{commit.subject}\n")
        + (f"from :{number - 1}\n".encode() if number > 1 else b"")
    )


def _data(text: str) -> bytes:
    content = text.encode()
    return f"data {len(content)}\n".encode() + content + b"\n"
