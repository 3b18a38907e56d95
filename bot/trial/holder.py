"""Keeps the files of its arguments open, the first one mapped into memory too, until its standard input ends:
`python -m bot.trial.holder FILE…`.
"""

from __future__ import annotations

import mmap
import sys
from contextlib import ExitStack
from pathlib import Path


def main(files: list[str]) -> None:
    """Say `holding` when all are open."""
    with ExitStack() as stack:
        opened = [stack.enter_context(Path(file).open("rb")) for file in files]
        if opened:
            stack.enter_context(mmap.mmap(opened[0].fileno(), 0, access=mmap.ACCESS_READ))
        sys.stdout.write("holding\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1:])
