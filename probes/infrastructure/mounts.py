"""Which mounted file systems are worth watching."""

from __future__ import annotations

import os
from dataclasses import dataclass

import psutil

_LOCAL = frozenset(
    "apfs bcachefs btrfs exfat ext2 ext3 ext4 f2fs fuseblk hfs hfsplus jfs msdos nilfs2 ntfs ntfs3 ocfs2 gfs2"
    " reiserfs ufs vfat xfs zfs".split()
)
_REMOTE = frozenset(
    "9p afpfs afs beegfs ceph cifs fuse.ceph fuse.glusterfs fuse.s3fs fuse.sshfs glusterfs gpfs lustre nfs"
    " nfs4 smb3 smbfs virtiofs".split()
)


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted file system: where, from which device or server, of which type."""

    path: str
    device: str
    type: str


def all_mounts() -> list[Mount]:
    """Everything mounted, pseudo file systems too. The kernel's table only: no server can hang it."""
    return [Mount(part.mountpoint, part.device, part.fstype) for part in psutil.disk_partitions(all=True)]


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
