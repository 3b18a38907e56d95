"""A file system of some megabytes, that a test may fill."""

from __future__ import annotations

import errno
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.components import missing

SIZE_MEGABYTES = 24


@dataclass(frozen=True)
class SmallDisk:
    """A file system of its own, of some megabytes."""

    folder: Path

    @contextmanager
    def full(self) -> Iterator[None]:
        """Without a byte left meanwhile, for root as well."""
        ballast = self.folder / "ballast"
        with open(ballast, "wb", buffering=0) as opened:
            for size in (65536, 1):
                try:
                    while True:
                        opened.write(b"x" * size)
                except OSError as error:
                    assert error.errno == errno.ENOSPC
        try:
            yield
        finally:
            ballast.unlink()


@contextmanager
def small_disk() -> Iterator[SmallDisk]:
    """One for as long as the block runs; whoever may not mount one is told so as of a missing component."""
    folder = Path(tempfile.mkdtemp(prefix="disk-"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MEGABYTES}m", "guardian-test", folder],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        folder.rmdir()
        missing("a file system of its own", "mount(8), which root may")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
        folder.rmdir()
