"""A program that makes a backup or a restore which hangs, and is killed:
`python -m tests.tools.restic.hanging FOLDER backup|restore`."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from bot.domain.backup.sources import Dump
from bot.tools.restic.outcome import Watch
from tests.backups import local, restic


async def main(folder: Path, what: str) -> None:
    """Hang until somebody ends it."""
    hands, repository = restic(folder), local(folder / "repository")
    if what == "backup":
        dump = Dump(("sh", "-c", "seq 100000; sleep 1000"), "numbers")
        await hands.backup_dump(repository, dump, os.environ, (), Watch())
    else:
        await hands.restore(repository, "latest", folder / "restored", None, Watch())


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
