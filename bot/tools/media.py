"""What a path really lies on: the disks below partitions, volumes and image files, or another machine.

Asked of the kernel (/proc/self/mountinfo, /sys/dev/block); where that does not tell, such as on a Mac or in
an overlay, the answer is that nobody knows.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bot.domain.backup.repositories import Medium, MediumKind
from bot.tools.restic.repository import Repository

_UNKNOWN = Medium(MediumKind.UNKNOWN)
_MEMORY = frozenset({"tmpfs", "ramfs", "devtmpfs"})
_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "glusterfs", "fuse.glusterfs", "fuse.sshfs", "afs", "9p"}
)
_DEPTH = 8
"""An image file on an image file on …"""
_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mounted:
    """A line of mountinfo."""

    device: str
    """MAJOR:MINOR, as stat says it"""
    type: str
    source: str


@dataclass(frozen=True, slots=True)
class Machine:
    """Where the kernel tells of devices."""

    mountinfo: Path = Path("/proc/self/mountinfo")
    devices: Path = Path("/sys/dev/block")

    def medium(self, repository: Repository) -> Medium:
        """What the repository lies on. May block as long as its file system does."""
        if repository.server is not None:
            host = urlsplit(repository.server).hostname
            return Medium(MediumKind.OBJECTS, frozenset({host} if host else ()))
        assert repository.path is not None  # noqa: S101 - it is either
        return self.medium_of(Path(repository.path))

    def medium_of(self, path: Path, depth: int = 0) -> Medium:
        """What that path lies on, which must be there: of a folder that is to be mounted nobody knows."""
        try:
            number = path.stat().st_dev
            mounted = _mounted(self.mountinfo.read_text(errors="surrogateescape"), _text(number))
        except OSError:
            return _UNKNOWN
        if mounted is not None and mounted.type in _MEMORY:
            return Medium(MediumKind.MEMORY)
        if mounted is not None and mounted.type in _NETWORK:
            return Medium(MediumKind.NETWORK, frozenset({_server(mounted.source)}))
        if mounted is not None and os.major(number) == 0:
            # Such as btrfs, whose devices have no number of their own.
            try:
                number = Path(mounted.source).stat().st_rdev
            except OSError:
                return _UNKNOWN
        return self._disks(_text(number), depth)

    def _disks(self, number: str, depth: int) -> Medium:
        try:
            device = (self.devices / number).resolve(strict=True)
        except OSError:
            return _UNKNOWN
        if (device / "partition").exists():
            device = device.parent
        image = device / "loop" / "backing_file"
        if image.exists():
            if depth >= _DEPTH:
                return _UNKNOWN
            return self.medium_of(Path(image.read_text().rstrip("\n")), depth + 1)
        below = sorted((device / "slaves").glob("*"))
        if not below:
            kind = MediumKind.MEMORY if re.match(r"(?:z?ram)\d", device.name) else MediumKind.DISK
            return Medium(kind, frozenset({device.name}))
        units: set[str] = set()
        for each in below:
            found = self._disks((each / "dev").read_text().strip(), depth + 1)
            if found.kind is not MediumKind.DISK:
                return found
            units |= found.units
        return Medium(MediumKind.DISK, frozenset(units))


def _mounted(mountinfo: str, device: str) -> Mounted | None:
    for line in mountinfo.splitlines():
        words, _, rest = line.partition(" - ")
        fields, more = words.split(), rest.split()
        if len(fields) > 2 and fields[2] == device and len(more) > 1:
            source = _OCTAL.sub(lambda found: chr(int(found[1], 8)), more[1])
            return Mounted(device, more[0], source)
    return None


def _server(source: str) -> str:
    """The machine in `host:/export`, `//host/share`, `user@host:folder`."""
    if source.startswith("//"):
        return source[2:].partition("/")[0].lower()
    return source.rpartition("@")[2].partition(":")[0].lower()


def _text(number: int) -> str:
    return f"{os.major(number)}:{os.minor(number)}"
