"""Random trees, and what people do to them between the plan and the act, and during it.

Never is a file lost, never one touched that was not on the list, and undo puts back what was moved.
"""

from __future__ import annotations

import itertools
import os
import random
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.cleanup.reasons import Left
from bot.tools.cleanup.in_use import InUse
from bot.tools.cleanup.lists import below
from bot.tools.cleanup.quarantine import put
from tests.tools.cleanup.trees import NEW, OLD, Site, contents, put_file, slots, snapshot

NAMES = st.binary(min_size=1, max_size=6).filter(
    lambda name: b"/" not in name and b"\0" not in name and name not in (b".", b"..")
)
KINDS = st.sampled_from(["old", "old", "old", "new", "directory", "directory", "link", "hard", "pipe", "out"])
TREES = st.lists(st.tuples(NAMES, KINDS, st.integers(0, 30), st.sampled_from([0o600, 0o755, 0o4711, 0o000])),
                 min_size=1, max_size=25)  # fmt: skip
CHANGES = st.lists(
    st.tuples(
        st.integers(0, 30),
        st.sampled_from(["write", "touch", "remove", "replace", "swap", "link", "grow", "move"]),
    ),
    max_size=8,
)


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="guardian-test-") as name:
        yield Path(name)


def build(site: Site, outside: Path, tree: list[tuple[bytes, str, int, int]]) -> None:
    """The tree; every file has a content of its own."""
    directories, files = [site.root.path], [os.fsencode(outside / "file")]
    for number, (name, kind, where, mode) in enumerate(tree):
        path = os.path.join(directories[where % len(directories)], name)
        if os.path.lexists(path):
            continue
        if kind in ("old", "new"):
            put_file(path, b"%d" % number, OLD + number if kind == "old" else NEW, mode)
            files.append(path)
        elif kind == "directory":
            os.mkdir(path)
            directories.append(path)
        elif kind == "link":
            os.symlink(files[where % len(files)], path)
        elif kind == "out":
            os.symlink(os.fsencode(outside), path)
        elif kind == "hard":
            os.link(files[where % len(files)], path, follow_symlinks=False)
        else:
            os.mkfifo(path)


def change(site: Site, outside: Path, listed: list[bytes], where: int, how: str) -> None:
    """What somebody does to one of the listed files, or to its directory."""
    path = os.path.join(site.root.path, listed[where % len(listed)])
    above = os.path.dirname(path)
    with suppress(OSError):
        match how:
            case "write":
                put_file(path, b"written by somebody")  # no length that a file of the tree has
            case "touch":
                os.utime(path, ns=(NEW, NEW), follow_symlinks=False)
            case "remove":
                os.unlink(path)
            case "replace":
                put_file(os.fsencode(outside.parent / "fresh"), b"fresh")
                os.rename(os.fsencode(outside.parent / "fresh"), path)
            case "swap":
                if above != site.root.path:
                    os.rename(above, above + b".away")
                    os.symlink(os.fsencode(outside), above)
            case "link":
                os.unlink(path)
                os.symlink(os.fsencode(outside / "file"), path)
            case "grow":
                with open(path, "ab") as file:
                    file.write(b"+")
            case "move":
                os.rename(path, path + b".moved")


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TREES, CHANGES)
def test_only_what_was_approved_and_is_unchanged_moves_and_all_of_it_comes_back(
    tree: list[tuple[bytes, str, int, int]], changes: list[tuple[int, str]]
) -> None:
    with folder() as here:
        site, outside = Site.at(here), here / "outside"
        outside.mkdir()
        put_file(outside / "file", b"outside file")
        build(site, outside, tree)
        untouched = snapshot(site.top)
        listing = site.scan()
        assert snapshot(site.top) == untouched
        listed = site.listed(listing)
        for name in listed:
            assert untouched[os.path.join(site.root.path, name)][4] <= OLD + len(tree)
        for where, how in changes if listed else ():
            change(site, outside, listed, where, how)

        before, kept, theirs = snapshot(site.top), contents(here), snapshot(outside)
        tally = site.put(listing)
        after = snapshot(site.top)
        gone = set(before) - set(after)
        assert tally.done == len(gone) == len(slots(site.top))
        assert gone <= {os.path.join(site.root.path, name) for name in listed}
        for path in gone:
            # Through a link that a directory became, the path of a listed file may show something else.
            assert before[path] == untouched[path]
        assert {path: before[path] for path in after} == after
        assert contents(here) == kept
        assert snapshot(outside) == theirs

        back = site.restore()
        assert (back.done, dict(back.left)) == (tally.done, {})
        assert snapshot(site.top) == before
        assert snapshot(outside) == theirs


def test_nothing_is_lost_while_somebody_swaps_directories_and_files(tmp_path: Path) -> None:
    """A thread renames directories, puts links in their places and replaces files, all the while."""
    site, outside, aside = Site.at(tmp_path), tmp_path / "outside", tmp_path / "aside"
    outside.mkdir()
    aside.mkdir()
    for number in range(40):
        put_file(outside / str(number), b"theirs %d" % number)
    for directory in range(20):
        (site.top / f"d{directory}").mkdir()
        for number in range(40):
            put_file(site.top / f"d{directory}" / str(number), b"%d %d" % (directory, number))
    listing = site.scan()
    theirs = snapshot(outside)
    over = threading.Event()
    chance = random.Random(5)  # noqa: S311 - chances, not secrets

    def disturb() -> None:
        for turn in itertools.count():
            if over.is_set():
                return
            directory = site.top / f"d{chance.randrange(20)}"
            name, mine = str(chance.randrange(40)), aside / str(turn)
            with suppress(OSError):
                match chance.randrange(3):
                    case 0:
                        directory.rename(mine)
                        directory.symlink_to(outside)
                        directory.unlink()
                        mine.rename(directory)
                    case 1:
                        put_file(mine, b"fresh")
                        mine.rename(directory / f"{name}.new{turn}")
                    case 2:
                        (directory / name).rename(mine)
                        put_file(directory / name, b"in its place")
                        mine.rename(directory / f"{name}.taken{turn}")

    disturber = threading.Thread(target=disturb)
    disturber.start()
    try:
        tally = put(
            site.root, below(site.root, Path(listing.path)), site.move(listing), InUse, lambda count: None,
            lambda: False, at_once=7,
        )  # fmt: skip
    finally:
        over.set()
        disturber.join()
    assert snapshot(outside) == theirs
    assert tally.done + sum(tally.left.values()) == 800
    listed = {sha256(b"%d %d" % (d, n)).hexdigest() for d in range(20) for n in range(40)}
    found = Counter(contents(site.top, aside))
    assert {each: found[each] for each in listed} == dict.fromkeys(listed, 1)
    # What took a name at the very last moment was moved and given back, or is kept for `restore`.
    moved = Counter(contents(site.top / ".guardian-quarantine"))
    strangers = sum(count for each, count in moved.items() if each not in listed)
    assert strangers <= tally.left[Left.CHANGED]
    assert moved.total() == tally.done + strangers
    back = site.restore()
    assert back.done + back.left.total() == moved.total()
    assert Counter(contents(site.top, aside)) == found
