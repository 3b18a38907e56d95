from __future__ import annotations

import os
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from probes.base import ProblemKind, Reading
from probes.infrastructure.disk import Disk
from probes.infrastructure.mounts import Mount, all_mounts, fixed_mounts, real_mounts

AT = datetime(2026, 1, 1, tzinfo=UTC)


def kinds(readings: list[Reading]) -> dict[str, ProblemKind | None]:
    return {
        reading.target: reading.problem.kind if reading.problem else None
        for reading in readings
        if reading.metric == "disk_usage"
    }


def test_it_agrees_with_df(tmp_path: Path) -> None:
    (space, *_) = Disk(host="web-1", paths=[str(tmp_path)]).read_blocking(AT)
    printed = subprocess.run(["df", "-P", tmp_path], capture_output=True, text=True, check=True).stdout
    percent = float(printed.splitlines()[1].split()[4].rstrip("%"))
    assert space.value is not None
    assert space.target == f"web-1:{tmp_path}"
    assert abs(space.value - percent) <= 1.5  # df rounds up, and others write meanwhile


def test_the_root_of_this_machine_is_found() -> None:
    readings = Disk(host="web-1").read_blocking(AT)
    assert "web-1:/" in {reading.target for reading in readings}
    assert all(reading.value is not None and 0 <= reading.value <= 100 for reading in readings)


def test_a_directory_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    (reading,) = Disk(host="web-1", paths=[str(tmp_path / "none")]).read_blocking(AT)
    assert reading.problem is not None
    assert reading.problem.kind is ProblemKind.NOT_FOUND


def test_a_mount_that_vanishes_is_not_taken_for_the_directory_below_it(tmp_path: Path) -> None:
    mounted = [Mount("/", "/dev/a", "ext4"), Mount(str(tmp_path), "/dev/b", "ext4")]
    probe = Disk(host="web-1", mounted=lambda: mounted, fixed=lambda: [str(tmp_path)])
    target = f"web-1:{tmp_path}"
    assert kinds(probe.read_blocking(AT)) == {"web-1:/": None, target: None}
    gone = mounted.pop()
    assert kinds(probe.read_blocking(AT)) == {"web-1:/": None, target: ProblemKind.NOT_FOUND}
    mounted.append(gone)
    assert kinds(probe.read_blocking(AT)) == {"web-1:/": None, target: None}


def test_a_stick_that_is_pulled_out_is_forgotten(tmp_path: Path) -> None:
    mounted = [Mount("/", "/dev/a", "ext4"), Mount(str(tmp_path), "/dev/b", "vfat")]
    probe = Disk(host="web-1", mounted=lambda: mounted, fixed=lambda: ["/"])
    target = f"web-1:{tmp_path}"
    assert kinds(probe.read_blocking(AT)) == {"web-1:/": None, target: None}
    stick = mounted.pop()
    for _ in range(3):
        assert kinds(probe.read_blocking(AT)) == {"web-1:/": None}
    mounted.append(stick)
    assert kinds(probe.read_blocking(AT)) == {"web-1:/": None, target: None}


def test_what_the_table_of_mounts_has_for_good(tmp_path: Path) -> None:
    table = tmp_path / "fstab"
    table.write_text(
        """
# <file system> <mount point> <type> <options> <dump> <pass>
UUID=1 / ext4 errors=remount-ro 0 1
UUID=2 /srv/my\\040data xfs defaults 0 2
UUID=3 none swap sw 0 0
UUID=4 /media/stick vfat noauto,user 0 0
UUID=5 /backup ext4 defaults,nofail 0 0
server:/export /mnt/files nfs4 x-systemd.automount 0 0
broken
"""
    )
    assert fixed_mounts(table) == {"/", "/srv/my data", "none"}
    assert fixed_mounts(tmp_path / "none") == frozenset()


def test_a_configured_mount_that_vanishes_is_told_too(tmp_path: Path) -> None:
    mounted = [Mount(str(tmp_path), "/dev/b", "ext4")]
    probe = Disk(host="web-1", paths=[str(tmp_path)], mounted=lambda: mounted)
    assert kinds(probe.read_blocking(AT)) == {f"web-1:{tmp_path}": None}
    mounted.clear()
    assert kinds(probe.read_blocking(AT)) == {f"web-1:{tmp_path}": ProblemKind.NOT_FOUND}


def test_a_mount_that_hangs_is_a_time_out_of_its_own(tmp_path: Path) -> None:
    """A file server that does not answer: all others answer, and it is asked once."""
    released = threading.Event()
    asked: list[str] = []

    def ask(path: str) -> os.statvfs_result:
        asked.append(path)
        if path == "/dead":
            released.wait()
        return os.statvfs(tmp_path)

    probe = Disk(host="web-1", paths=["/dead", "/alive"], timeout=timedelta(seconds=1), ask=ask)
    for _ in range(3):
        readings = probe.read_blocking(AT)
        assert kinds(readings) == {"web-1:/dead": ProblemKind.TIMEOUT, "web-1:/alive": None}
    assert asked.count("/dead") == 1
    released.set()
    for thread in threading.enumerate():
        if thread.name == "disk /dead":
            thread.join()
    assert kinds(probe.read_blocking(AT)) == {"web-1:/dead": None, "web-1:/alive": None}


def test_a_file_system_without_inodes_has_no_inode_usage() -> None:
    empty = os.statvfs_result((4096, 4096, 1000, 400, 300, 0, 0, 0, 0, 255))
    (space,) = Disk(host="web-1", paths=["/data"], ask=lambda path: empty).read_blocking(AT)
    # 600 of 900 that ordinary users can have, not of 1000: the rest is kept for root
    assert space.value == pytest.approx(66.67, abs=0.01)


def test_counts_that_cannot_be_are_nonsense() -> None:
    wrong = os.statvfs_result((4096, 4096, 1000, 2000, 3000, 100, 500, 500, 0, 255))
    readings = Disk(host="web-1", paths=["/data"], ask=lambda path: wrong).read_blocking(AT)
    assert [reading.problem.kind for reading in readings if reading.problem] == [ProblemKind.NONSENSE] * 2


def test_the_mounts_of_a_desktop(tmp_path: Path) -> None:
    data, bound = tmp_path / "data", tmp_path / "bound"
    data.mkdir()
    bound.mkdir()
    mounted = [
        Mount("/", "/dev/sda1", "ext4"),
        Mount("/proc", "proc", "proc"),
        Mount("/run", "tmpfs", "tmpfs"),
        Mount("/snap/core/1", "/dev/loop0", "squashfs"),
        Mount(str(data / "copy"), "/dev/sdb1", "xfs"),
        Mount(str(data), "/dev/sdb1", "xfs"),
        Mount("/var/lib/docker/overlay2/x/merged", "overlay", "overlay"),
        Mount("/mnt/files", "server:/export", "nfs4"),
        Mount("/mnt/now-and-then", "systemd-1", "autofs"),
        Mount("/mnt/now-and-then", "server:/other", "nfs4"),
    ]
    (data / "copy").mkdir()
    assert [mount.path for mount in real_mounts(mounted)] == ["/", "/mnt/files", str(data)]


def test_the_mounts_of_a_container(tmp_path: Path) -> None:
    resolv = tmp_path / "resolv.conf"
    resolv.touch()
    mounted = [
        Mount("/", "overlay", "overlay"),
        Mount("/run/lock", "tmpfs", "tmpfs"),
        Mount(str(resolv), "/dev/vda1", "ext4"),
        Mount(str(tmp_path), "/dev/vda1", "ext4"),
    ]
    assert [mount.path for mount in real_mounts(mounted)] == ["/", str(tmp_path)]


def test_this_machines_mounts_are_distinct() -> None:
    found = real_mounts(all_mounts())
    assert found
    assert len({(mount.device, mount.type) for mount in found}) == len(found)
