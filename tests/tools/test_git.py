"""Where a Git repository stands, asked of a real Git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from bot.tools.git import git_facts
from tests.components import program


@pytest.fixture
def git(tmp_path: Path) -> Git:
    return Git(program("git"), tmp_path)


class Git:
    """A repository and the one that it is pushed to."""

    def __init__(self, path: str, folder: Path) -> None:
        self.path = path
        self.clone = folder / "clone"
        self.run(folder, "init", "-q", "--bare", "origin")
        self.run(folder, "clone", "-q", str(folder / "origin"), "clone")

    def run(self, folder: Path, *words: str) -> str:
        """Run it, whatever the machine's Git is told."""
        who = ["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "init.defaultBranch=main"]
        done = subprocess.run([self.path, "-C", str(folder), *who, *words], check=True, capture_output=True)
        return done.stdout.decode().strip()

    def commit(self) -> str:
        """One more commit; its name."""
        self.run(self.clone, "commit", "-q", "--allow-empty", "--no-gpg-sign", "-m", "x")
        return self.run(self.clone, "rev-parse", "HEAD")


async def test_a_commit_is_pushed_once_a_remote_has_it(git: Git) -> None:
    head = git.commit()
    facts = await git_facts(str(git.clone), os.environ)
    assert (facts.head, facts.pushed, facts.problem) == (head, False, None)
    git.run(git.clone, "push", "-q", "origin", "HEAD")
    assert (await git_facts(str(git.clone), os.environ)).pushed
    git.commit()
    assert not (await git_facts(str(git.clone), os.environ)).pushed


async def test_no_commit_yet_and_no_repository_are_told(git: Git, tmp_path: Path) -> None:
    empty = await git_facts(str(git.clone), os.environ)
    assert empty.head is None
    assert empty.problem
    (tmp_path / "none").mkdir()
    none = await git_facts(str(tmp_path / "none"), {**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path)})
    assert none.head is None
    assert none.problem


async def test_nothing_runs_that_the_repository_names(git: Git, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path / 'sprung'}\n")
    trap.chmod(0o700)
    git.commit()
    git.run(git.clone, "config", "core.fsmonitor", str(trap))
    await git_facts(str(git.clone), os.environ)
    assert not (tmp_path / "sprung").exists()
