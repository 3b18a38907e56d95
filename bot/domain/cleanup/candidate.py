"""One file that a cleanup may take, and its line in the list that is approved.

A line is `PATH⇥SIZE⇥MODIFIED⇥DEVICE⇥INODE`, in bytes and nanoseconds. Names may be any bytes: what is not
printable UTF-8, and the backslash, stands as `\\xNN`, so that a line is a line, shows what it is and can be
read back to the very bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file as it was when it was listed."""

    path: bytes
    """absolute"""
    size: int
    mtime_ns: int
    device: int
    inode: int

    @property
    def line(self) -> bytes:
        """Its line, with the line feed."""
        return line_of(escape(self.path), self.size, self.mtime_ns, self.device, self.inode)


def line_of(escaped: bytes, size: int, mtime_ns: int, device: int, inode: int) -> bytes:
    """The line of a candidate that has not been made, from its escaped path: there may be millions."""
    return b"%s\t%d\t%d\t%d\t%d\n" % (escaped, size, mtime_ns, device, inode)


def candidate_of(line: bytes) -> Candidate:
    """The candidate of that line. Raises ValueError for anything else."""
    path, *numbers = line.rstrip(b"\n").split(b"\t")
    size, mtime_ns, device, inode = map(int, numbers)
    return Candidate(unescape(path), size, mtime_ns, device, inode)


def escape(name: bytes) -> bytes:
    """`name` as printable UTF-8 on one line. Sorts the lines of a list; `unescape` undoes it."""
    text = name.decode("utf-8", "surrogateescape")
    if text.isprintable() and "\\" not in text:
        return name
    return b"".join(
        character.encode()
        if character.isprintable() and character != "\\"
        else b"".join(b"\\x%02x" % byte for byte in character.encode("utf-8", "surrogateescape"))
        for character in text
    )


def unescape(text: bytes) -> bytes:
    """The bytes that `escape` was given."""
    return _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), text) if b"\\" in text else text


def shown(path: bytes) -> str:
    """A path for people."""
    return escape(path).decode()
