"""Release notes, asked of a real Git."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.deploy.notes import Direction
from bot.tools.git_history import HistoryUnknown, committed_at, release_notes, resolve
from messages.render import Voice
from tests.components import program

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Repository:
    """A repository whose commits are a minute apart."""

    def __init__(self, path: Path) -> None:
        self.git = program("git")
        self.path = path
        self.commits = 0
        path.mkdir()
        self.run("init", "-q")

    def run(self, *words: str) -> str:
        """Run it, whatever the machine's Git is told."""
        who = ["-c", "user.name=민준 Choi", "-c", "user.email=t@localhost", "-c", "init.defaultBranch=main"]
        at = (AT + timedelta(minutes=self.commits)).isoformat()
        environment = {**os.environ, "GIT_COMMITTER_DATE": at, "GIT_AUTHOR_DATE": at}
        command = [self.git, "-C", str(self.path), *who, *words]
        return (
            subprocess.run(command, check=True, capture_output=True, env=environment).stdout.decode().strip()
        )

    def commit(self, subject: str, lines: int = 1) -> str:
        """One more commit, with a file of so many lines; its hash."""
        self.commits += 1
        (self.path / f"file{self.commits}").write_text("line\n" * lines)
        self.run("add", "-A")
        self.run("commit", "-q", "--no-gpg-sign", "--allow-empty-message", "-m", subject)
        return self.run("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


async def test_what_comes_with_the_new_revision(repository: Repository) -> None:
    old = repository.commit("first")
    repository.run("tag", "v1")
    repository.commit("장바구니 고침\n\nand a body", 3)
    new = repository.commit("x" * 200)
    repository.run("tag", "-a", "-m", "annotated", "v2")
    notes = await release_notes(str(repository.path), "v1", "v2")
    assert (notes.old, notes.new, notes.direction) == (old, new, Direction.FORWARD)
    assert (notes.coming, notes.going) == (2, 0)
    assert (notes.files, notes.insertions, notes.deletions) == (2, 4, 0)
    assert notes.commit_at == AT + timedelta(minutes=3)
    assert [commit.subject for commit in notes.commits] == ["x" * 99 + "…", "장바구니 고침"]
    assert notes.commits[0].author == "민준 Choi"
    assert new.startswith(notes.commits[0].short)
    assert await committed_at(str(repository.path), old) == AT + timedelta(minutes=1)


async def test_more_commits_than_are_listed_are_counted(repository: Repository) -> None:
    old = repository.commit("first")
    for number in range(5):
        repository.commit(f"number {number}")
    notes = await release_notes(str(repository.path), old, "HEAD", limit=2)
    assert notes.coming == 5
    assert [commit.subject for commit in notes.commits] == ["number 4", "number 3"]


async def test_going_back_is_recognised(repository: Repository) -> None:
    old = repository.commit("first")
    new = repository.commit("second", 7)
    notes = await release_notes(str(repository.path), new, old)
    assert (notes.direction, notes.coming, notes.going) == (Direction.BACKWARDS, 0, 1)
    assert (notes.files, notes.insertions, notes.deletions) == (1, 0, 7)


async def test_histories_that_part_and_the_same_and_the_first(repository: Repository) -> None:
    base = repository.commit("base")
    left = repository.commit("left")
    repository.run("checkout", "-q", "-b", "other", base)
    right = repository.commit("right")
    path = str(repository.path)
    aside = await release_notes(path, left, right)
    assert (aside.direction, aside.coming, aside.going) == (Direction.ASIDE, 1, 1)
    assert (await release_notes(path, left, left)).direction is Direction.SAME
    first = await release_notes(path, None, left)
    assert (first.direction, first.files, first.commits) == (Direction.FIRST, None, ())
    repository.run("checkout", "-q", "--orphan", "stranger")
    stranger = repository.commit("nothing in common")
    assert (await release_notes(path, left, stranger)).direction is Direction.ASIDE


async def test_a_bare_repository_will_do(repository: Repository, tmp_path: Path) -> None:
    repository.commit("first")
    repository.run("tag", "v1")
    new = repository.commit("second")
    repository.run("clone", "-q", "--bare", str(repository.path), str(tmp_path / "bare"))
    notes = await release_notes(str(tmp_path / "bare"), "v1", new[:10])
    assert (notes.new, notes.coming) == (new, 1)


@pytest.mark.parametrize(
    "revision",
    ["v9", "", "--all", "-h", "HEAD:file1", "v1..HEAD", "a b", "HEAD\n", "x\0y", "^HEAD", "f" * 40],
)
@pytest.mark.parametrize("language", ["ko", "en"])
async def test_what_is_no_revision_is_told(repository: Repository, revision: str, language: str) -> None:
    repository.commit("first")
    repository.run("tag", "v1")
    for old, new in (("HEAD", revision), (revision, "HEAD")):
        with pytest.raises(HistoryUnknown) as unknown:
            await release_notes(str(repository.path), old, new)
        assert unknown.value.reason == "unknown_revision"
        assert Voice(language).phrase("deploy.notes.failed.unknown_revision", **unknown.value.values)


@pytest.mark.parametrize("language", ["ko", "en"])
async def test_what_is_no_repository_is_told(tmp_path: Path, language: str) -> None:
    (tmp_path / ".git").mkdir()  # so that nothing above it is found either
    (tmp_path / ".git" / "HEAD").write_text("garbage")
    for path in (tmp_path / ".git", tmp_path / "none"):
        with pytest.raises(HistoryUnknown) as unknown:
            await resolve(str(path), "HEAD")
        assert unknown.value.reason == "no_repository"
        sentence = Voice(language).phrase("deploy.notes.failed.no_repository", **unknown.value.values)
        assert str(path) in sentence


async def test_nothing_that_the_repository_names_is_run(repository: Repository, tmp_path: Path) -> None:
    old = repository.commit("first")
    repository.commit("second")
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path / 'sprung'}\n")
    trap.chmod(0o700)
    (repository.path / ".git" / "info" / "attributes").write_text("* diff=trap\n")
    programs = ("core.fsmonitor", "core.pager", "core.sshCommand", "diff.external", "diff.trap.command")
    for setting in (*programs, "diff.trap.textconv", "gpg.program"):
        repository.run("config", setting, str(trap))
    repository.run("config", "log.showSignature", "true")
    notes = await release_notes(str(repository.path), old, "HEAD")
    assert notes.coming == 1
    assert not (tmp_path / "sprung").exists()
    repository.run("diff", old, "HEAD")
    assert (tmp_path / "sprung").exists()  # so it would have been


async def test_a_subject_is_text_and_nothing_else(repository: Repository) -> None:
    old = repository.commit("first")
    repository.commit("a\x1b[31mred\x07")
    repository.commit("")
    notes = await release_notes(str(repository.path), old, "HEAD")
    assert [commit.subject for commit in notes.commits] == ["", "a [31mred "]
