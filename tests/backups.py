"""What tests of backups share: repositories of a real restic, on a disk and on an S3 server."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Self

from bot.domain.backup.repositories import Place
from bot.tools.restic.repository import Repository
from bot.tools.restic.restic import Restic
from bot.tools.restic.running import Patience
from tests.cheap_keys import cheapened
from tests.components import program
from tests.objects import Objects

PASSWORD = "correct horse"
ELSEWHERE = "battery staple"


def restic(folder: Path, patience: Patience | None = None) -> Restic:
    """The real restic, with a folder of its own."""
    home = {"HOME": str(folder), "PATH": os.environ["PATH"]}
    return Restic(program("restic"), folder, home, patience)


def local(folder: Path) -> Repository:
    """A repository in that folder."""
    return Repository(Place.LOCAL, str(folder), {"RESTIC_PASSWORD": PASSWORD}, may_delete=True)


def offsite(objects: Objects, *, may_delete: bool = False) -> Repository:
    """A repository on the S3 server."""
    secrets = {"RESTIC_PASSWORD": ELSEWHERE, **objects.secrets}
    return Repository(Place.OFFSITE, objects.location("guardian"), secrets, may_delete)


@dataclass(frozen=True, slots=True)
class Templates:
    """A pair of empty repositories, with keys that open at once, to be copied for each test."""

    local: Path
    offsite: Path

    @classmethod
    def made(cls, folder: Path) -> Self:
        """Make them, by restic itself but for the keys."""
        environment = {
            **os.environ,
            "RESTIC_CACHE_DIR": str(folder / "cache"),
            "RESTIC_PASSWORD": PASSWORD,
            "RESTIC_FROM_PASSWORD": PASSWORD,
        }
        first, second = folder / "local", folder / "offsite"
        run = partial(subprocess.run, check=True, capture_output=True)
        words = [program("restic"), "init", "--repo"]
        run([*words, str(first)], env=environment)
        like = ["--from-repo", str(first), "--copy-chunker-params"]
        run([*words, str(second), *like], env={**environment, "RESTIC_PASSWORD": ELSEWHERE})
        open_at_once(first, PASSWORD)
        open_at_once(second, ELSEWHERE)
        return cls(first, second)

    def lay_out(self, disk: Path, objects: Objects) -> None:
        """Put the one on a disk and the other on the S3 server."""
        shutil.copytree(self.local, disk)
        for file in (self.offsite / "config", *(self.offsite / "keys").iterdir()):
            objects.put(f"guardian/{file.relative_to(self.offsite)}", file.read_bytes())


def open_at_once(repository: Path, password: str) -> None:
    """Give a repository that restic has just made a key that costs nothing to open it with."""
    (key,) = (repository / "keys").iterdir()
    name, content = cheapened(key.read_bytes(), password)
    key.unlink()
    (repository / "keys" / name).write_bytes(content)


def packs_of(repository: Repository) -> list[Path]:
    """Its files of data, the smallest first."""
    found = [each for each in Path(str(repository.path), "data").rglob("*") if each.is_file()]
    return sorted(found, key=lambda each: each.stat().st_size)


def flip_a_byte(repository: Repository) -> None:
    """Change one byte in the middle of the largest file of data."""
    _flip(packs_of(repository)[-1])


def damage(repository: Repository) -> None:
    """Change a byte in every file of data: whoever reads anything finds it."""
    for pack in packs_of(repository):
        _flip(pack)


def _flip(pack: Path) -> None:
    content = bytearray(pack.read_bytes())
    content[len(content) // 3] ^= 0xFF
    pack.chmod(0o600)
    pack.write_bytes(content)


@contextmanager
def hanging(repository: Repository) -> Iterator[None]:
    """Whoever reads its data hangs for as long as the block runs."""
    packs = {each: each.read_bytes() for each in packs_of(repository)}
    for pack in packs:
        pack.unlink()
        os.mkfifo(pack)  # to open it takes until somebody writes to it
    yield
    for pack, content in packs.items():
        pack.unlink()
        pack.write_bytes(content)


def fill(folder: Path, files: Iterable[tuple[str, bytes]]) -> Path:
    """Those files in that folder."""
    for name, content in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


HASTY = Patience(whole=timedelta(minutes=5), refusals=timedelta(seconds=2), orphans=timedelta(seconds=0.5))
