"""Back from quarantine, and out of it for good."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.cleanup.reasons import Left
from bot.domain.cleanup.rules import Root, Stage
from bot.tools.cleanup.in_use import InUse
from bot.tools.cleanup.keeping import listing, purge, restore
from bot.tools.cleanup.lists import below
from bot.tools.cleanup.quarantine import put
from tests.tools.cleanup.trees import AT, Site, contents, put_file, slots, snapshot

LATER = AT + timedelta(days=7)


def moved(folder: Path, *names: str) -> Site:
    site = Site.at(folder)
    for name in names:
        (site.top / name).parent.mkdir(parents=True, exist_ok=True)
        put_file(site.top / name, name.encode())
    assert site.put(site.scan()).done == len(names)
    return site


def test_undo_restores_place_mode_owner_times_and_content(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    (site.top / "d").mkdir()
    for mode in (0o600, 0o444, 0o4755, 0o000):
        put_file(site.top / "d" / f"{mode:o}", b"%o" % mode, mode=mode)
    if os.geteuid() == 0:
        put_file(site.top / "d" / "theirs")
        os.chown(site.top / "d" / "theirs", 1234, 5678)
    before = snapshot(site.top)
    site.put(site.scan())
    assert not [path for path in snapshot(site.top) if path.endswith(b"600")]
    tally = site.restore()
    assert dict(tally.left) == {}
    assert snapshot(site.top) == before
    assert os.listdir(site.top / ".guardian-quarantine") == []


def test_undo_mends_what_somebody_changed_in_quarantine(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    put_file(site.top / "a", mode=0o4711)
    before, times = snapshot(site.top), os.stat(site.top / "a")
    site.put(site.scan())
    (slot,) = slots(site.top)
    os.chmod(slot, 0o600)
    os.utime(slot)
    if os.geteuid() == 0:
        os.chown(slot, 77, 77)
    site.restore()
    assert os.stat(site.top / "a").st_atime_ns == times.st_atime_ns
    assert snapshot(site.top) == before


def test_what_came_to_the_place_since_stays_and_so_does_the_file_in_quarantine(tmp_path: Path) -> None:
    site = moved(tmp_path, "a", "b")
    put_file(site.top / "a", b"since")
    tally = site.restore()
    assert (tally.done, dict(tally.left)) == (1, {Left.OCCUPIED: 1})
    assert (site.top / "a").read_bytes() == b"since"
    (site.top / "a").unlink()
    assert site.restore().done == 1
    assert (site.top / "a").read_bytes() == b"a"


def test_a_place_that_is_gone_or_a_link_now_gets_nothing(tmp_path: Path) -> None:
    site = moved(tmp_path, "gone/a", "link/b", "stays/c")
    (site.top / "gone").rmdir()
    (site.top / "link").rmdir()
    (tmp_path / "outside").mkdir()
    (site.top / "link").symlink_to(tmp_path / "outside")
    tally = site.restore()
    assert (tally.done, dict(tally.left)) == (1, {Left.PLACE_GONE: 1, Left.PLACE_CHANGED: 1})
    assert list((tmp_path / "outside").iterdir()) == []
    assert len(slots(site.top)) == 2


def test_undo_twice_and_undo_of_nothing_do_nothing(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    assert site.restore().done == 0
    put_file(site.top / "a")
    site.put(site.scan())
    assert site.restore().done == 1
    assert site.restore().done == 0


def test_only_that_run_and_only_that_stage_comes_back(tmp_path: Path) -> None:
    site = moved(tmp_path, "a")
    site.run = 77
    put_file(site.top / "b")
    site.put(site.scan())
    assert restore(site.root, 7, lambda count: None, Stage.TEMPORARY).done == 0
    assert restore(site.root, 7, lambda count: None, Stage.LOGS).done == 1
    assert sorted(path.name for path in site.top.iterdir()) == [".guardian-quarantine", "a"]


def test_what_is_in_quarantine_can_be_seen(tmp_path: Path) -> None:
    site = moved(tmp_path, "aa", "bbb")
    (kept,) = listing(site.root)
    assert (kept.run, kept.stage, kept.count, kept.bytes) == (7, Stage.LOGS, 2, 5)
    assert (kept.moved_at, kept.until, kept.root) == (AT, LATER, str(site.top))


def test_the_purge_waits_for_the_time_and_takes_what_has_a_record_only(tmp_path: Path) -> None:
    site = moved(tmp_path, "aa", "bbb")
    early = purge(site.root, LATER - timedelta(seconds=1))
    assert (early.done, len(slots(site.top))) == (0, 2)
    slot = slots(site.top)[0]
    put_file(slot + b"9", b"foreign")
    done = purge(site.root, LATER)
    assert (done.done, done.bytes) == (2, 5)
    assert slots(site.top) == [slot + b"9"]
    assert purge(site.root, LATER).done == 0


def test_a_purge_ends_a_run(tmp_path: Path) -> None:
    site = moved(tmp_path, "a")
    assert purge(site.root, LATER).done == 1
    assert os.listdir(site.top / ".guardian-quarantine") == []
    assert site.restore().done == 0


def test_what_is_not_the_recorded_file_is_never_purged_and_comes_back_to_its_place(tmp_path: Path) -> None:
    """A name that was taken by another file at the very last moment: it was moved, and nobody approved it."""
    site = moved(tmp_path, "a")
    (slot,) = slots(site.top)
    put_file(tmp_path / "other", b"not approved")
    os.rename(tmp_path / "other", slot)
    assert dict(purge(site.root, LATER).left) == {Left.ODD: 1}
    assert site.restore().done == 1
    assert (site.top / "a").read_bytes() == b"not approved"


@pytest.mark.parametrize("damage", [b"", b"nonsense\n", b"guardian quarantine 1\t7\tlogs\n"])
def test_without_its_journal_nothing_is_touched(tmp_path: Path, damage: bytes) -> None:
    site = moved(tmp_path, "a")
    (journal,) = (site.top / ".guardian-quarantine").glob("*/journal")
    journal.write_bytes(damage)
    before = contents(site.top)
    assert dict(purge(site.root, LATER).left) == {Left.ODD: 1}
    assert dict(site.restore().left) == {Left.ODD: 1}
    assert list(listing(site.root)) == []
    assert contents(site.top) == before


@pytest.mark.parametrize("left", ["", "journal.new", "00000"])
def test_what_a_kill_left_before_the_first_move_or_after_the_last_is_tidied_up(
    tmp_path: Path, left: str
) -> None:
    site = Site.at(tmp_path)
    folder = site.top / ".guardian-quarantine" / "7-logs-000000000000-00000000"
    folder.mkdir(parents=True)
    (site.top / ".guardian-quarantine").chmod(0o700)
    if left == "00000":
        (folder / left).mkdir()
    elif left:
        (folder / left).touch()
    tally = site.restore()
    assert (tally.done, tally.left.total(), bool(tally.left)) == (0, 0, False)
    assert not folder.exists()


def test_a_last_line_that_was_cut_off_is_forgotten(tmp_path: Path) -> None:
    site = moved(tmp_path, "a", "b")
    (journal,) = (site.top / ".guardian-quarantine").glob("*/journal")
    with journal.open("ab") as file:
        file.write(b"2\t/somewhere/c\t1")
    put_file(site.top / "c")
    listed = site.scan()
    entries = [(number + 2, file) for number, file in below(site.root, Path(listed.path))]
    # The same run goes on: what it writes next must not be tacked onto the torn line.
    move = site.move(listed)
    move = type(move)(move.header, journal.parent.name.split("-")[2] + "0" * 52, move.newest)
    assert put(site.root, entries, move, InUse, lambda count: None, lambda: False).done == 1
    assert site.restore().done == 3
    assert {path.name for path in site.top.iterdir()} == {".guardian-quarantine", "a", "b", "c"}


def test_two_roots_may_share_a_quarantine(tmp_path: Path) -> None:
    shared = os.fsencode(tmp_path / "kept")
    sites = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        site = Site.at(tmp_path / name)
        site.root = Root(site.root.path, shared)
        put_file(site.top / "a", name.encode())
        site.put(site.scan())
        sites.append(site)
    assert [kept.count for site in sites for kept in listing(site.root)] == [1, 1]
    assert sites[0].restore().done == 1
    assert (sites[0].top / "a").read_bytes() == b"one"
    assert not (sites[1].top / "a").exists()
    assert sites[1].restore().done == 1
