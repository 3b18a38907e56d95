"""`kill -9` in the middle: each file is where it was, or in quarantine with its record; and it can be gone on
with, and undone."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.tools.cleanup.journal import Journal
from bot.tools.cleanup.places import OPEN_DIRECTORY
from tests.tools.cleanup.trees import Place, Site, contents, put_file, slots, snapshot

_ROOT = Path(__file__).parents[3]
_FILES = 1500
_MOVE = """
import sys
from pathlib import Path
from tests.tools.cleanup.trees import Site
site = Site.at(Path(sys.argv[1]))
listing = site.scan()
print("ready", flush=True)
site.put(listing, at_once=50)
print("done", flush=True)
sys.stdin.read()
"""
_BACK = """
import sys
from pathlib import Path
from tests.tools.cleanup.trees import Site
site = Site.at(Path(sys.argv[1]))
print("ready", flush=True)
site.restore()
print("done", flush=True)
sys.stdin.read()
"""


def build(folder: Path) -> Site:
    site = Site.at(folder)
    for number in range(_FILES):
        directory = site.top / f"{number % 13}"
        directory.mkdir(exist_ok=True)
        put_file(directory / str(number), b"%d" % number, mode=0o600 + number % 8)
    return site


def killed(folder: Path, code: str, moment: Callable[[], bool], seconds: float) -> None:
    """Run `code` and kill it `seconds` after that moment of it."""
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=_ROOT
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        while child.poll() is None and not moment():
            pass  # the moments that count are milliseconds
        time.sleep(seconds)
        child.send_signal(signal.SIGKILL)


def each_is_in_one_place_with_its_record(site: Site, before: dict[bytes, Place]) -> int:
    """How many files are in quarantine."""
    here = {path: place for path, place in snapshot(site.top).items() if place[5]}
    files = {path: place for path, place in before.items() if place[5]}
    recorded: dict[int, bytes] = {}
    quarantine = os.path.join(site.root.path, b".guardian-quarantine")
    for folder in os.listdir(quarantine) if os.path.isdir(quarantine) else ():
        directory = os.open(os.path.join(quarantine, folder), OPEN_DIRECTORY)
        try:
            with Journal.open(directory) as journal:
                for record in journal.records():
                    recorded.setdefault(record.number, record.file.path)
        except FileNotFoundError:
            assert os.listdir(directory) in ([], ["journal.new"])
        finally:
            os.close(directory)
    there = [recorded[int(os.path.basename(slot))] for slot in slots(site.top)]
    assert len(set(there)) == len(there)
    assert set(here) | set(there) == set(files)
    assert set(here) & set(there) == set()
    assert {path: files[path] for path in here} == here
    return len(there)


def story(folder: Path, chance: random.Random) -> tuple[int, int]:
    """One cleanup that is killed, then undone or gone on with, killed again, and undone in the end."""
    site = build(folder)
    before, kept = snapshot(site.top), contents(site.top)
    quarantine = site.top / ".guardian-quarantine"
    listing = site.scan()
    killed(folder, _MOVE, quarantine.exists, chance.uniform(0, 0.25))
    moved = each_is_in_one_place_with_its_record(site, before)
    assert contents(site.top) == kept
    if chance.random() < 0.5:
        assert site.put(listing).done == _FILES
        assert each_is_in_one_place_with_its_record(site, before) == _FILES
    held = len(slots(site.top))
    killed(folder, _BACK, lambda: True, chance.uniform(0, 0.05))
    left = each_is_in_one_place_with_its_record(site, before)
    assert left <= held
    tally = site.restore()
    assert (tally.done, dict(tally.left)) == (left, {})
    assert snapshot(site.top) == before
    assert os.listdir(quarantine) == []
    return moved, left


def test_kills_at_some_moments(tmp_path: Path) -> None:
    chance = random.Random(11)  # noqa: S311 - moments, not secrets
    stories = [story(_made(tmp_path / str(number)), chance) for number in range(2)]
    assert any(0 < moved for moved, _ in stories)


@pytest.mark.soak
def test_kills_at_a_hundred_moments(tmp_path: Path) -> None:
    chance = random.Random(12)  # noqa: S311 - moments, not secrets
    stories = [story(_made(tmp_path / str(number)), chance) for number in range(100)]
    assert sum(0 < moved < _FILES for moved, _ in stories) > 20, (
        "most of the kills came too early or too late"
    )
    assert sum(0 < left < _FILES for _, left in stories) > 5


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
