"""The map's file: what is changed in it, and what is not."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.tools.traffic.contract import TrafficFailed
from bot.tools.traffic.haproxy.mapfile import with_entry, write_entry


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A map."""
    file = tmp_path / "shop.map"
    file.write_bytes(b"# shares\nblog 10\n\tshop   0 \n")
    return file


def test_only_the_entry_changes(file: Path) -> None:
    file.chmod(0o640)
    assert write_entry(str(file), "shop", "25", 1.0)
    assert file.read_bytes() == b"# shares\nblog 10\nshop 25\n"
    assert file.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in file.parent.iterdir()] == ["shop.map"]


def test_nothing_is_written_twice(file: Path) -> None:
    write_entry(str(file), "shop", "25", 1.0)
    before = file.stat().st_ino
    assert not write_entry(str(file), "shop", "25", 1.0)
    assert file.stat().st_ino == before


def test_a_link_stays_one(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.map"
    link.symlink_to(file)
    write_entry(str(link), "shop", "25", 1.0)
    assert link.is_symlink()
    assert b"shop 25\n" in file.read_bytes()


def test_what_a_killed_one_left_behind_is_in_nobodys_way(file: Path) -> None:
    file.with_name(".shop.map.guardian").write_text("half")
    write_entry(str(file), "shop", "25", 1.0)
    assert b"shop 25\n" in file.read_bytes()


def test_another_writer_is_waited_for_but_not_for_ever(file: Path) -> None:
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        with pytest.raises(TrafficFailed) as failed:
            write_entry(str(file), "shop", "25", 0.05)
    finally:
        os.close(folder)
    assert failed.value.reason == "traffic_file"
    assert b"25" not in file.read_bytes()


@pytest.mark.parametrize("name", ["none.map", "none/shop.map"])
def test_a_file_that_is_not_there_is_said(tmp_path: Path, name: str) -> None:
    with pytest.raises(TrafficFailed) as failed:
        write_entry(str(tmp_path / name), "shop", "25", 1.0)
    assert failed.value.reason == "traffic_file"
    assert "No such file" in failed.value.detail


_LINES = st.lists(st.sampled_from([b"# shop 1", b"shop 3", b"shop", b"shopping 4", b" blog 2", b"", b"#"]))


@given(_LINES, st.booleans())
def test_every_other_line_stays(lines: list[bytes], ended: bool) -> None:
    content = b"\n".join(lines) + (b"\n" if ended else b"")
    new = with_entry(content, "shop", "7").split(b"\n")
    others = [line for line in content.split(b"\n") if line.split()[:1] != [b"shop"] and line]
    assert [line for line in new if line.split()[:1] != [b"shop"] and line] == others
    entries = {line for line in new if line.split()[:1] == [b"shop"]}
    assert entries == {b"shop 7"}
    again = b"\n".join(new)
    assert with_entry(again, "shop", "7") == again
