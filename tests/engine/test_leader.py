"""One Guardian for one SQLite file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.engine.leader import AlreadyRunning, FileLock

ROOT = Path(__file__).parents[2]
HOLDER = """
import sys
from bot.engine.leader import FileLock
lock = FileLock.beside(sys.argv[1])
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


def holder(url: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, url],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def lock(url: str) -> FileLock:
    made = FileLock.beside(url)
    assert made is not None
    return made


def test_a_second_process_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'guardian.db'}"
    with holder(url) as process:
        with pytest.raises(AlreadyRunning) as caught:
            lock(url).acquire()
        assert caught.value.pid == process.pid
        assert caught.value.path == tmp_path / "guardian.db.lock"
        assert lock(url).holder() == process.pid
        process.kill()
    ours = lock(url)
    assert ours.holder() is None, "its number is in the file, and it is no more"
    ours.acquire()  # a killed process holds nothing
    ours.release()


def test_it_can_be_taken_again_once_let_go(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'new' / 'guardian.db'}"
    first, second = lock(url), lock(url)
    first.acquire()
    with pytest.raises(AlreadyRunning):
        second.acquire()
    first.release()
    first.release()
    second.acquire()
    second.release()


def test_a_lock_file_with_nonsense_in_it_names_nobody(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'guardian.db'}"
    first = lock(url)
    first.acquire()
    (tmp_path / "guardian.db.lock").write_text("수호자")
    with pytest.raises(AlreadyRunning) as caught:
        lock(url).acquire()
    assert caught.value.pid is None
    first.release()


@pytest.mark.parametrize(
    "url", ["postgresql+psycopg://guardian@/guardian", "sqlite+aiosqlite://", "sqlite+aiosqlite:///:memory:"]
)
def test_what_is_no_file_needs_no_lock_file(url: str) -> None:
    assert FileLock.beside(url) is None


def test_who_asks_for_the_holder_takes_nothing_and_makes_nothing(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'new' / 'guardian.db'}"
    assert lock(url).holder() is None
    assert list(tmp_path.iterdir()) == []
    first = lock(url)
    first.acquire()
    assert lock(url).holder() == os.getpid()
    first.release()
    assert lock(url).holder() is None, "that it lives does not mean that it holds it"
    lock(url).acquire()
