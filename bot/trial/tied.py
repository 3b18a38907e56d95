"""Becomes another program that lives no longer than whoever started us, whose process id is PID:
`python tied.py PID PROGRAM ARGUMENT…`.

For programs that do not look whether their standard input ends. Needs Linux (prctl(2)).
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PDEATHSIG = 1


def main(words: list[str]) -> None:
    """Never returns. The process stays the same one."""
    ctypes.CDLL(None, use_errno=True).prctl(_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(words[0]):  # it was gone before we had said so
        sys.exit(1)
    os.execv(words[1], words[1:])  # noqa: S606 - a list of arguments, no shell


if __name__ == "__main__":
    main(sys.argv[1:])
