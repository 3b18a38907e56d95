"""The exact list: what is on it, in which order, and that the walk leaves the root by no way."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from bot.domain.cleanup.candidate import candidate_of
from bot.domain.cleanup.reasons import Left
from bot.domain.cleanup.rules import AgeBy, FileRules, Root
from bot.tools.cleanup.in_use import InUse
from bot.tools.cleanup.scan import RootUnusable, ScanStopped, scan
from tests.tools.cleanup.boxes import boxed
from tests.tools.cleanup.trees import AT, NEW, OLD, Site, changed_after, put_file


def test_the_list_is_sorted_exact_and_named_by_its_hash(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    for name in ("b", "a/2", "a-b", "a/1", "a/c/d"):
        (site.top / name).parent.mkdir(parents=True, exist_ok=True)
        put_file(site.top / name, name.encode())
    listing = site.scan()
    text = Path(listing.path).read_bytes()
    assert sha256(text).hexdigest() == listing.sha256
    assert Path(listing.path).name == f"{listing.sha256}.txt"
    assert site.listed(listing) == [b"a-b", b"a/1", b"a/2", b"a/c/d", b"b"]
    first = candidate_of(text.splitlines()[0])
    status = os.stat(site.top / "a-b")
    assert (first.device, first.inode, first.size, first.mtime_ns) == (status.st_dev, status.st_ino, 3, OLD)


def test_figures(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    for number in range(30):
        put_file(site.top / f"{number:02}", b"x" * (number // 2), OLD - number)
    listing = site.scan()
    assert (listing.count, listing.bytes, listing.oldest_ns) == (30, 210, OLD - 29)
    assert [each.size for each in listing.largest] == [14, 14, 13, 13, 12, 12, 11, 11, 10, 10]
    assert [each.path[-2:] for each in listing.largest][:3] == [b"29", b"28", b"27"]


def test_few_lines_at_once_make_the_same_list(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    for number in range(200):
        (site.top / f"{number % 7}").mkdir(exist_ok=True)
        put_file(site.top / f"{number % 7}" / f"{number}")
    whole = site.scan()
    merged = scan(site.rules, AT, InUse(), tmp_path / "other", lines_at_once=9)
    assert merged.sha256 == whole.sha256
    assert Path(merged.path).read_bytes() == Path(whole.path).read_bytes()
    assert merged.largest == whole.largest
    assert [file.name for file in (tmp_path / "other").iterdir()] == [f"{whole.sha256}.txt"]


def test_equal_facts_give_equal_lists_and_a_change_another(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    put_file(site.top / "a")
    first = site.scan()
    assert site.scan() == first
    put_file(site.top / "a", b"more")
    assert site.scan().sha256 != first.sha256


def test_what_is_young_of_another_name_or_kept_is_not_on_it(tmp_path: Path) -> None:
    site = Site.at(tmp_path, patterns=("*.log", "*.log.[0-9]*"), keep=("audit*", ".vscode*"))
    for name in ("a.log", "a.log.1", "a.log.gz", "wtmp", "audit.log", "b.LOG"):
        put_file(site.top / name)
    for directory in ("audit", ".vscode-server", "shop"):
        (site.top / directory).mkdir()
        put_file(site.top / directory / "c.log")
    put_file(site.top / "young.log", mtime_ns=NEW)
    assert site.listed(site.scan()) == [b"a.log", b"a.log.1", b"shop/c.log"]


def test_the_age_counts_exactly_to_the_plans_moment(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    cut = int((AT - timedelta(days=30)).timestamp()) * 10**9
    put_file(site.top / "old", mtime_ns=cut)
    put_file(site.top / "young", mtime_ns=cut + 1)
    assert site.listed(site.scan()) == [b"old"]


def test_an_unpacked_archive_is_young_though_its_files_are_old(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    put_file(site.top / "unpacked")
    by_change = FileRules((site.root,), ("*",), timedelta(days=7), AgeBy.CHANGED)
    changed = int(os.stat(site.top / "unpacked").st_ctime)
    today = AT.fromtimestamp(changed + 3600, AT.tzinfo)
    assert scan(by_change, today, InUse(), site.lists).count == 0
    assert scan(by_change, today + timedelta(days=7), InUse(), site.lists).count == 1


def test_what_changed_after_the_backup_is_left_and_counted(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    for name in ("same", "renamed", "young"):
        put_file(site.top / name, mtime_ns=NEW if name == "young" else OLD)
    site.saved = max(os.stat(site.top / name).st_ctime_ns for name in ("same", "renamed", "young"))
    changed_after(site.top / "renamed", site.saved)
    changed_after(site.top / "young", site.saved)
    listing = site.scan()
    assert site.listed(listing) == [b"same"]
    assert listing.left == {Left.AFTER_BACKUP: 1}, "what is too young is no candidate at all"
    site.saved = None
    assert site.scan().count == 2


def test_a_directory_that_came_after_the_backup_was_not_in_it_however_old_its_files_are(
    tmp_path: Path,
) -> None:
    site = Site.at(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    for folder in (elsewhere, elsewhere / "deep", site.top / "worked-in"):
        folder.mkdir()
        put_file(folder / "old")
    site.saved = os.stat(site.top / "worked-in" / "old").st_ctime_ns
    changed_after(tmp_path, site.saved)  # the clock has gone on
    elsewhere.rename(site.top / "came")
    put_file(site.top / "worked-in" / "new", mtime_ns=NEW)
    listing = site.scan()
    assert site.listed(listing) == [b"worked-in/old"]
    assert listing.left == {Left.AFTER_BACKUP: 2}


def test_only_files_are_listed_and_no_link_is_followed(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    outside = tmp_path / "outside"
    outside.mkdir()
    put_file(outside / "theirs")
    put_file(site.top / "own")
    os.symlink(outside, site.top / "to-directory")
    os.symlink(outside / "theirs", site.top / "to-file")
    os.symlink("nowhere", site.top / "dangling")
    os.mkfifo(site.top / "pipe")
    assert site.listed(site.scan()) == [b"own"]


def test_hard_links_are_each_listed_and_counted(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    put_file(site.top / "one")
    os.link(site.top / "one", site.top / "two")
    listing = site.scan()
    assert site.listed(listing) == [b"one", b"two"]
    assert listing.linked == 2


@pytest.mark.parametrize(
    "name", [b"\xff\xfe", "주문 기록".encode(), b"a\nb", b"a\tb", b"\\x41", b" ", b"-rf", b"\x01"]
)
def test_names_may_be_any_bytes(tmp_path: Path, name: bytes) -> None:
    site = Site.at(tmp_path)
    put_file(os.path.join(site.root.path, name))
    listing = site.scan()
    assert site.listed(listing) == [name]
    assert len(Path(listing.path).read_bytes().splitlines()) == 1


def test_what_is_held_is_left_with_its_reason(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    for name in ("free", "held", "theirs"):
        put_file(site.top / name)
    (site.top / "work").mkdir()
    put_file(site.top / "work" / "notes")

    def file(name: str) -> tuple[int, int]:
        status = os.stat(site.top / name)
        return status.st_dev, status.st_ino

    site.use = InUse(
        frozenset({file("held"), file("theirs")}), frozenset({file("theirs")}), frozenset({file("work")})
    )
    listing = site.scan()
    assert site.listed(listing) == [b"free"]
    assert listing.left == {Left.IN_USE: 1, Left.PROTECTED: 2}
    site.rules = Site.at(tmp_path, respected=False).rules
    assert site.listed(site.scan()) == [b"free", b"held"]


def test_the_working_directory_of_a_session_that_is_the_root_itself_keeps_nothing(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    put_file(site.top / "a")
    status = os.stat(site.top)
    site.use = InUse(working=frozenset({(status.st_dev, status.st_ino)}))
    assert site.listed(site.scan()) == [b"a"]


def test_quarantines_and_guardians_own_directories_are_not_entered(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    for directory in (".guardian-quarantine", "state", "far"):
        (site.top / directory).mkdir()
        put_file(site.top / directory / "x")
    rules = FileRules(
        (Root(site.root.path, site.root.path + b"/far"),),
        ("*",),
        timedelta(days=30),
        never=(site.root.path + b"/state",),
    )
    assert scan(rules, AT, InUse(), site.lists).count == 0


def test_a_root_that_is_not_there_has_nothing(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    site.top.rmdir()
    assert site.scan().count == 0


@pytest.mark.parametrize("what", ["root", "above"])
def test_a_root_behind_a_link_is_refused(tmp_path: Path, what: str) -> None:
    (tmp_path / "real" / "root").mkdir(parents=True)
    put_file(tmp_path / "real" / "root" / "a")
    if what == "root":
        (tmp_path / "root").symlink_to(tmp_path / "real" / "root")
        path = tmp_path / "root"
    else:
        (tmp_path / "link").symlink_to(tmp_path / "real")
        path = tmp_path / "link" / "root"
    rules = FileRules((Root(os.fsencode(path)),), ("*",), timedelta(days=30))
    with pytest.raises(RootUnusable):
        scan(rules, AT, InUse(), tmp_path / "lists")


def test_a_hundred_directories_in_one_another_are_walked_and_no_more(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    here = site.top
    for _ in range(102):
        here /= "d"
    here.mkdir(parents=True)
    put_file(here / "deep")
    put_file(here.parents[1] / "hundredth")
    listing = site.scan()
    assert listing.count == 1
    assert listing.left == {Left.TOO_DEEP: 1}


def test_it_ends_where_there_is_nothing_to_list_too(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    put_file(site.top / "young", b"", NEW)
    with pytest.raises(ScanStopped):
        scan(site.rules, AT, InUse(), site.lists, lambda: True)


def test_it_ends_when_somebody_wants_it_to(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    for number in range(20):
        put_file(site.top / str(number))
    with pytest.raises(ScanStopped):
        scan(site.rules, AT, InUse(), site.lists, lambda: True, lines_at_once=5)
    assert list(site.lists.iterdir()) == []


_MOUNTED = """
import os, subprocess, sys
from pathlib import Path
from tests.tools.cleanup.trees import Site, put_file
folder = Path(sys.argv[1])
site = Site.at(folder)
(folder / "outside").mkdir()
put_file(folder / "outside" / "theirs")
put_file(site.top / "own")
for name in ("bind", "tmpfs"):
    (site.top / name).mkdir()
subprocess.run(["mount", "--bind", str(folder / "outside"), str(site.top / "bind")], check=True)
subprocess.run(["mount", "-t", "tmpfs", "none", str(site.top / "tmpfs")], check=True)
put_file(site.top / "tmpfs" / "theirs")
put_file(site.top / "covered")
put_file(folder / "cover")
subprocess.run(["mount", "--bind", str(folder / "cover"), str(site.top / "covered")], check=True)
listing = site.scan()
moved = site.put(listing)
print(site.listed(listing), dict(listing.left), moved.done, dict(moved.left))
assert (folder / "outside" / "theirs").exists() and (site.top / "tmpfs" / "theirs").exists()
assert (folder / "cover").exists()
"""


def test_mounts_are_not_entered_even_of_the_same_file_system(tmp_path: Path) -> None:
    box = boxed("--mount", "--propagation", "private")
    done = subprocess.run(
        [*box, sys.executable, "-c", _MOUNTED, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert done.returncode == 0, done.stderr
    listed, _, rest = done.stdout.partition("] ")
    assert listed == "[b'covered', b'own'"
    assert "<Left.OTHER_FILE_SYSTEM: 'other_file_system'>: 2" in rest
    assert rest.strip().endswith("1 {<Left.OTHER_FILE_SYSTEM: 'other_file_system'>: 1}")
