"""The file that HAProxy reads its map from when it starts. It is written before HAProxy is told, so that one
that is started anew or reloaded shares as the one before it did."""

from __future__ import annotations

import fcntl
import os
import stat
import time
from contextlib import suppress
from pathlib import Path

from bot.tools.traffic.contract import TrafficFailed

_LARGEST = 16 * 1024 * 1024
_LOOK = 0.01
"""seconds between two tries for the lock"""


def write_entry(path: str, key: str, value: str, patience: float) -> bool:
    """Let the map's file say `value` for `key`, on disk for good when this returns; whether it said anything
    else before. Its other lines, its mode and its owner stay.

    Others of us who write the same file are waited for, `patience` seconds at most: a lock on the folder.
    Raises TrafficFailed(traffic_file), and then the file is as it was.
    """
    file = Path(path).resolve()  # a link stays one
    try:
        folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _lock(folder, patience)
            old = _content(file)
            new = with_entry(old, key, value)
            if new != old:
                _replace(file, new)
            os.fsync(folder)  # also when it says so already: whoever wrote it may not have come so far
            return new != old
        finally:
            os.close(folder)
    except OSError as error:
        raise TrafficFailed("traffic_file", f"{file}: {error.strerror or error}") from None


def with_entry(content: bytes, key: str, value: str) -> bytes:
    """The map with that value for that key in every line that has it; in a new line if none has."""
    entry = f"{key} {value}\n".encode()
    lines = content.splitlines(keepends=True)
    places = [place for place, line in enumerate(lines) if _key(line) == key.encode()]
    for place in places:
        lines[place] = entry
    if not places:
        if lines and not lines[-1].endswith(b"\n"):
            lines[-1] += b"\n"
        lines.append(entry)
    return b"".join(lines)


def _key(line: bytes) -> bytes | None:
    """As HAProxy reads it: the first word, unless the line is a comment."""
    words = line.split(maxsplit=1)
    return words[0] if words and not line.startswith(b"#") else None


def _lock(folder: int, patience: float) -> None:
    latest = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= latest:
                raise
            time.sleep(_LOOK)


def _content(file: Path) -> bytes:
    with file.open("rb") as opened:
        content = opened.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise OSError(f"larger than {_LARGEST} bytes")
    return content


def _replace(file: Path, content: bytes) -> None:
    was = file.stat()
    beside = file.with_name(f".{file.name}.guardian")
    beside.unlink(missing_ok=True)  # of one that was killed; the lock is ours
    try:
        number = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(number, "wb") as opened:
            opened.write(content)
            opened.flush()
            if (was.st_uid, was.st_gid) != (os.geteuid(), os.getegid()):
                with suppress(PermissionError):  # root alone may give files away
                    os.fchown(number, was.st_uid, was.st_gid)
            os.fchmod(number, stat.S_IMODE(was.st_mode))
            os.fsync(number)
        beside.replace(file)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
