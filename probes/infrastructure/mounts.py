"""Which mounted file systems are worth watching."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import psutil

_LOCAL = frozenset(
    "apfs bcachefs btrfs exfat ext2 ext3 ext4 f2fs fuseblk hfs hfsplus jfs msdos nilfs2 ntfs ntfs3 ocfs2 gfs2"
    " reiserfs ufs vfat xfs zfs".split()
)
_REMOTE = frozenset(
    "9p afpfs afs beegfs ceph cifs fuse.ceph fuse.glusterfs fuse.s3fs fuse.sshfs glusterfs gpfs lustre nfs"
    " nfs4 smb3 smbfs virtiofs".split()
)

_COMES_AND_GOES = frozenset({"noauto", "nofail", "x-systemd.automount"})
_ESCAPE = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted file system: where, from which device or server, of which type."""

    path: str
    device: str
    type: str


def all_mounts() -> list[Mount]:
    """Everything mounted, pseudo file systems too. The kernel's table only: no server can hang it."""
    return [Mount(part.mountpoint, part.device, part.fstype) for part in psutil.disk_partitions(all=True)]


def fixed_mounts(table: Path = Path("/etc/fstab")) -> frozenset[str]:
    """The paths that `table` says are mounted from the start on and for good: neither `noauto`, `nofail` nor
    an automounter's. Empty where there is no such file, as on macOS and in containers."""
    try:
        lines = table.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return frozenset()
    entries = [line.split() for line in lines if not line.lstrip().startswith("#")]
    return frozenset(
        _ESCAPE.sub(lambda found: chr(int(found[1], 8)), entry[1])  # a blank in a path is \040 there
        for entry in entries
        if len(entry) > 3 and _COMES_AND_GOES.isdisjoint(entry[3].split(","))
    )


def real_mounts(mounted: list[Mount]) -> list[Mount]:
    """Those of `mounted` that hold data and can fill up, each device once, sorted by path.

    Left out: what lives in memory or in the kernel, images that are always full (squashfs, iso9660), macOS's
    system volumes (they share one container with the data volume), and further mounts of a device (bind
    mounts, btrfs subvolumes): the shortest path stands for it. The overlay that is a container's root stays.
    """
    chosen: dict[tuple[str, str], Mount] = {}
    automatic = {mount.path for mount in mounted if mount.type == "autofs"}
    for mount in mounted:
        if not _is_real(mount) or mount.path in automatic:
            continue  # what an automounter brings it also takes away: that is no loss
        key = (mount.type, mount.device)
        known = chosen.get(key)
        if known is None or len(mount.path) < len(known.path):
            chosen[key] = mount
    return sorted(chosen.values(), key=lambda mount: mount.path)


def _is_real(mount: Mount) -> bool:
    if mount.type in _REMOTE:
        return True
    if mount.path.startswith("/System/Volumes/") and mount.path != "/System/Volumes/Data":
        return False
    if mount.type == "overlay":
        return mount.path == "/"
    # A container gets single files (resolv.conf) from its host's disk as mounts of their own.
    return mount.type in _LOCAL and os.path.isdir(mount.path)
