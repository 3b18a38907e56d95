"""What paths lie on, from a kernel of our own making."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.domain.backup.repositories import Medium, MediumKind, Place
from bot.tools.media import Machine
from bot.tools.restic.repository import Repository


class Kernel:
    """Files as /sys and /proc have them."""

    def __init__(self, folder: Path) -> None:
        self.machine = Machine(folder / "mountinfo", folder / "dev")
        self.folder = folder
        (folder / "dev").mkdir()
        self.here = folder.stat().st_dev
        self.number = f"{os.major(self.here)}:{os.minor(self.here)}"
        self.mounted("ext4", "/dev/here")

    def mounted(self, kind: str, source: str) -> None:
        """What the folder of the test is mounted from."""
        line = f"36 35 {self.number} / / rw,noatime master:1 - {kind} {source} rw\n"
        (self.folder / "mountinfo").write_text(line)

    def device(self, number: str, name: str, within: str = "") -> Path:
        """A block device; `within`: a partition of that disk."""
        path = self.folder / "devices" / within / name
        path.mkdir(parents=True)
        if within:
            (path / "partition").write_text("1\n")
        (path / "dev").write_text(f"{number}\n")
        (self.folder / "dev" / number).symlink_to(path)
        return path

    def below(self, upper: Path, *lower: Path) -> None:
        """`upper` is made of `lower`."""
        (upper / "slaves").mkdir()
        for each in lower:
            (upper / "slaves" / each.name).symlink_to(each)

    def medium(self) -> Medium:
        """What the folder lies on."""
        return self.machine.medium_of(self.folder)


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    return Kernel(tmp_path)


def disks(*names: str) -> Medium:
    return Medium(MediumKind.DISK, frozenset(names))


def test_a_partition_is_its_disk(kernel: Kernel) -> None:
    kernel.device(kernel.number, "sda1", within="sda")
    assert kernel.medium() == disks("sda")


def test_an_encrypted_volume_over_two_disks_is_both(kernel: Kernel) -> None:
    crypt = kernel.device(kernel.number, "dm-1")
    volume = kernel.device("253:7", "dm-0")
    kernel.below(crypt, volume)
    kernel.below(volume, kernel.device("8:1", "sda1", within="sda"), kernel.device("8:16", "sdb"))
    assert kernel.medium() == disks("sda", "sdb")


def test_an_image_file_is_the_disk_that_it_lies_on_and_no_other(kernel: Kernel) -> None:
    loop = kernel.device(kernel.number, "loop0")
    (loop / "loop").mkdir()
    (loop / "loop" / "backing_file").write_text(f"{kernel.folder / 'mountinfo'}\n")
    assert kernel.medium().kind is MediumKind.UNKNOWN, "an image that lies on itself ends"


@pytest.mark.parametrize(
    ("kind", "source", "medium"),
    [
        ("tmpfs", "tmpfs", Medium(MediumKind.MEMORY)),
        ("nfs4", "nas.example.com:/volume", Medium(MediumKind.NETWORK, frozenset({"nas.example.com"}))),
        ("cifs", "//NAS/share", Medium(MediumKind.NETWORK, frozenset({"nas"}))),
        ("fuse.sshfs", "me@nas:/x", Medium(MediumKind.NETWORK, frozenset({"nas"}))),
        ("overlay", "overlay", Medium(MediumKind.UNKNOWN)),
    ],
)
def test_what_is_no_disk(kernel: Kernel, kind: str, source: str, medium: Medium) -> None:
    kernel.mounted(kind, source)
    assert kernel.medium() == medium


def test_a_folder_that_is_not_there_lies_nobody_knows_where(kernel: Kernel) -> None:
    assert kernel.machine.medium_of(kernel.folder / "later").kind is MediumKind.UNKNOWN


def test_objects_are_told_apart_by_their_server() -> None:
    repository = Repository(Place.OFFSITE, "s3:https://s3.example.com/bucket/x", {})
    assert Machine().medium(repository) == Medium(MediumKind.OBJECTS, frozenset({"s3.example.com"}))
