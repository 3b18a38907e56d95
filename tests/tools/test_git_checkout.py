"""Commits laid out beside what a repository has checked out, by a real Git."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.tools.git import ask
from bot.tools.git_checkout import CheckoutFailed, Place, lay_out, sweep
from tests.repositories import Clone, hanging_git

_TAKES = """
import sys, time
from pathlib import Path
from bot.tools.git_checkout import Place
place = Place.take(Path(sys.argv[1]))
(place.path / "file").touch()
print(place.path, flush=True)
time.sleep(3600)
"""


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "clone")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


def files_in(folder: Path) -> dict[str, str]:
    """What was laid out there, without Git's own."""
    files = [path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts]
    return {str(path.relative_to(folder)): path.read_text() for path in files}


async def test_it_is_the_commit_and_not_what_is_checked_out(clone: Clone, folder: Path) -> None:
    before = clone.files()
    await lay_out(str(clone.path), clone.v2, folder)
    assert files_in(folder) == {"shop.py": "two\n", "tests/test_shop.py": "two tests\n", "new.py": "\n"}
    assert clone.files() == before, "nothing of the clone was touched"


async def test_who_asks_git_there_finds_the_commit_and_its_past(clone: Clone, folder: Path) -> None:
    await lay_out(str(clone.path), clone.v2, folder)
    assert (await ask(str(folder), ["log", "--format=%H"])).out.split() == [clone.v2, clone.v1]
    assert (await ask(str(folder), ["status", "--short"])).out == ""


@pytest.mark.parametrize("kind", ["bare", "worktree", "sha256"])
async def test_repositories_of_other_kinds(tmp_path: Path, folder: Path, kind: str) -> None:
    clone = Clone(tmp_path / "clone", *(["--object-format=sha256"] if kind == "sha256" else []))
    path = clone.path if kind == "sha256" else tmp_path / kind
    if kind == "bare":
        clone.git("clone", "-q", "--bare", ".", str(path))
    elif kind == "worktree":
        clone.git("worktree", "add", "-q", "--detach", str(path), "v1")
    await lay_out(str(path), clone.v2, folder)
    assert files_in(folder)["shop.py"] == "two\n"


async def test_nothing_runs_that_settings_name_and_nothing_is_left_out(
    clone: Clone, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap, home, sprung = tmp_path / "trap", tmp_path / "home", tmp_path / "sprung"
    trap.write_text(f"#!/bin/sh\ntouch {sprung}\ncat\n")
    trap.chmod(0o700)
    attributes = "* filter=trap\ntests export-ignore\nshop.py export-subst\n"
    commit = clone.commit("v3", {".gitattributes": attributes, "shop.py": "$Format:%H$\n"})
    clone.git("config", "filter.trap.smudge", str(trap))
    clone.git("config", "core.fsmonitor", str(trap))
    hook = clone.path / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(trap.read_text())
    hook.chmod(0o700)
    home.mkdir()
    (home / ".gitconfig").write_text(
        f'[filter "trap"]\n\tsmudge = {trap}\n\trequired\n[core]\n\thooksPath = {hook.parent}\n'
        f"[init]\n\ttemplateDir = {clone.path / '.git'}\n"
    )
    monkeypatch.setenv("HOME", str(home))
    await lay_out(str(clone.path), commit, folder)
    assert not sprung.exists()
    found = files_in(folder)
    assert found["shop.py"] == "$Format:%H$\n"
    assert "tests/test_shop.py" in found, "an archive would have no tests"


async def test_what_cannot_be_laid_out_is_told(clone: Clone, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckoutFailed) as unknown:
        await lay_out(str(clone.path), "0" * 40, folder)
    assert unknown.value.reason == "checkout"
    assert unknown.value.values["detail"]
    with pytest.raises(CheckoutFailed):
        await lay_out(str(tmp_path / "none"), clone.v2, folder)


@pytest.mark.parametrize("revision", ["--orphan=x", "v2", ""])
async def test_a_revision_is_never_a_word_of_its_own(clone: Clone, folder: Path, revision: str) -> None:
    with pytest.raises(ValueError, match="no full hash"):
        await lay_out(str(clone.path), revision, folder)
    assert files_in(folder) == {}


async def test_it_ends_in_time(
    clone: Clone, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", hanging_git(tmp_path / "bin"))
    with pytest.raises(CheckoutFailed) as slow:
        await lay_out(str(clone.path), clone.v2, folder, seconds=0.2)
    assert (slow.value.reason, slow.value.values) == ("checkout_slow", {"seconds": 0.2})


def test_what_a_killed_process_left_goes_and_what_somebody_uses_stays(tmp_path: Path) -> None:
    parent = tmp_path / "checkouts"
    ours = Place.take(parent)
    with subprocess.Popen([sys.executable, "-c", _TAKES, parent], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        theirs = Path(other.stdout.readline().strip())
        try:
            assert sweep(parent) == []
            assert sorted(parent.iterdir()) == sorted([ours.path, theirs]), "both are in use"
        finally:
            other.send_signal(signal.SIGKILL)
    assert sweep(parent) == []
    assert list(parent.iterdir()) == [ours.path]
    ours.give_back()
    assert list(parent.iterdir()) == []


def test_what_is_protected_against_writing_goes_too_and_links_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o500)
    place = Place.take(tmp_path / "checkouts")
    (place.path / "cache" / "module").mkdir(parents=True)
    (place.path / "cache" / "module" / "file").touch()
    (place.path / "cache" / "link").symlink_to(outside)
    for path in (place.path / "cache" / "module", place.path / "cache"):
        path.chmod(0o500)
    place.give_back()
    assert list((tmp_path / "checkouts").iterdir()) == []
    assert outside.stat().st_mode & 0o777 == 0o500


def test_what_is_no_folder_of_ours_stays_and_no_parent_is_no_problem(tmp_path: Path) -> None:
    assert sweep(tmp_path / "none") == []
    (tmp_path / "checkouts").mkdir()
    (tmp_path / "kept").mkdir()
    (tmp_path / "checkouts" / "link").symlink_to(tmp_path / "kept")
    assert len(sweep(tmp_path / "checkouts")) == 1, "it is told"
    assert (tmp_path / "kept").is_dir()
