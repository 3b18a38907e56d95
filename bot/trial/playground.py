"""A directory to clean up, back up and restore without fear: old logs, temporary files, some of them open."""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path

from bot.config.backup import BackupSettings
from bot.config.cleanup import CleanupSettings
from bot.tools.processes import Child

_DAY = 86_400.0
_LOGS, _RECENT_LOGS, _TEMPORARY, _OPEN = 60, 8, 40, 3
_HOLDER = "-m", "bot.trial.holder"


class Playground:
    """The files below a folder, and what the configuration says about them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.logs = folder / "logs"
        self.temporary = folder / "temporary"
        self.settings = folder / "settings"

    def make(self) -> None:
        """Make the files, once: what a visitor did with them stays done. OSError if that cannot be."""
        if self.folder.exists():
            return
        chance, now = random.Random(20250820), time.time()  # noqa: S311 - sizes and ages, no secrets
        for place in (self.logs, self.temporary, self.settings):
            place.mkdir(parents=True)
        for number in range(_LOGS):
            age = chance.uniform(31, 400)
            self._file(self.logs / f"shop.log.{number + 1}.gz", chance.randrange(20_000, 900_000), now, age)
        for number in range(_RECENT_LOGS):
            self._file(self.logs / f"recent-{number + 1}.log", 40_000, now, chance.uniform(0.1, 20))
        for number in range(_TEMPORARY):
            age = chance.uniform(8, 60)
            self._file(
                self.temporary / f"upload-{number + 1:03}.tmp", chance.randrange(1000, 300_000), now, age
            )
        for number in range(_OPEN):
            self._file(self._open_file(number), 100_000, now, 30)
        (self.settings / "shop.yaml").write_text("replicas: 3\n", encoding="utf-8")

    def _file(self, path: Path, size: int, now: float, days: float) -> None:
        path.write_bytes(os.urandom(1024) * (size // 1024 + 1))
        os.utime(path, (now - days * _DAY, now - days * _DAY))

    def open_files(self) -> list[Path]:
        """Old temporary files that somebody has open, and that a cleanup leaves alone therefore."""
        return [path for path in map(self._open_file, range(_OPEN)) if path.exists()]

    def _open_file(self, number: int) -> Path:
        return self.temporary / f"open-{number + 1}.tmp"

    async def hold(self, log: Path) -> Child | None:
        """Keep those open for as long as we live. Raises ChildFailed."""
        files = [str(path) for path in self.open_files()]
        if not files:
            return None
        child = await Child.start([sys.executable, *_HOLDER, *files], os.environ, log)
        await child.first_line(20.0)
        return child

    def cleanup(self) -> CleanupSettings:
        """What a cleanup may take: the playground, and nothing else."""
        return CleanupSettings.model_validate(
            {
                "logs": {"roots": [str(self.logs)]},
                # Nobody can make a file that changed a week ago; its content may be as old as one says.
                "temporary": {"roots": [str(self.temporary)], "age_by": "modified"},
                "caches": {"npm": None, "pip": None, "docker": None},
            }
        )

    def backup(self, repositories: Path) -> BackupSettings:
        """Two repositories on the one disk that a visitor has; the status says so."""
        return BackupSettings.model_validate(
            {
                "local": {"path": str(repositories / "local")},
                "offsite": {
                    "path": str(repositories / "offsite"),
                    "same_medium": "allowed",
                    "may_delete": True,
                },
                "sources": {
                    "files": {"kind": "user_data", "paths": [str(self.logs), str(self.temporary)]},
                    "settings": {"kind": "configs", "paths": [str(self.settings)]},
                },
            }
        )
