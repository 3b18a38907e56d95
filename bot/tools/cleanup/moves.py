"""One call that Python has no name for: a rename that never replaces anything."""

from __future__ import annotations

import ctypes
import os
from functools import cache
from typing import Protocol, cast

_NOREPLACE = 1


class _Rename(Protocol):
    def __call__(self, source: int, old: bytes, target: int, new: bytes, flags: int) -> int: ...


@cache
def _renameat2() -> _Rename | None:
    """Of the C library; None where it has none."""
    found = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if found is None:
        return None
    found.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    found.restype = ctypes.c_int
    return cast(_Rename, found)


def can_move() -> bool:
    """Whether this system has the call. A file system that lacks it answers EINVAL."""
    return _renameat2() is not None


def move(source: int, old: bytes, target: int, new: bytes) -> None:
    """Move the file `old` in the directory `source` to `new` in `target`, at once or not at all. Raises
    OSError: EEXIST when something is there, EXDEV for another file system, EINVAL where it is unknown."""
    rename = _renameat2()
    if rename is None:
        raise OSError(22, "this system has no renameat2")
    if rename(source, old, target, new, _NOREPLACE) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), old)
