"""Gate 1 looks at the revision that is to be deployed, not at what a repository has checked out."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.domain.deploy.checks import Check
from bot.domain.deploy.preflight import CheckResult, Verdict
from bot.engine.deploy.checkouts import Checkouts
from bot.engine.deploy.inspection import Inspection
from bot.engine.deploy.site import Site
from bot.tools.commands import never
from messages.render import Voice
from tests.engine.deploy.checked_site import site_checked_by
from tests.repositories import Clone, hanging_git
from tests.waiting import eventually

_TELLS = "import os, sys; print(open('shop.py').read(), os.getcwd() == sys.argv[1], sorted(os.listdir()))"
_ENDS = {
    "success": ("print('3 files')", Verdict.PASS),
    "failure": ("raise SystemExit('three errors')", Verdict.FAIL),
    "time-out": ("import time; time.sleep(3600)", Verdict.FAIL),
}


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "clone")


class Gate:
    """Gate 1, and the folder that it lays commits out in."""

    def __init__(self, folder: Path, seconds: float = 600) -> None:
        self.folder = folder / "checkouts"
        self.inspection = Inspection({}, Checkouts(self.folder, seconds))

    async def security(self, site: Site, commit: str | None) -> tuple[CheckResult, str]:
        """What became of that check, and what it printed."""
        done = await self.inspection.before(site, "v2", commit)
        return done[1].result, done[1].output

    def is_empty(self) -> bool:
        return not self.folder.exists() or not list(self.folder.iterdir())


async def test_a_check_sees_the_revision_and_the_clone_is_left_as_it_is(clone: Clone, tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    site = site_checked_by(tmp_path, clone.path, {Check.SECURITY: [_TELLS, "{directory}"]})
    before = clone.files()
    result, said = await gate.security(site, clone.v2)
    assert (result.verdict, said) == (
        Verdict.PASS,
        "two\n True ['.git', 'new.py', 'shop.py', 'tests']\n",
    )
    assert clone.files() == before
    assert gate.is_empty()


@pytest.mark.parametrize("end", _ENDS)
async def test_the_folder_is_gone_however_a_check_ends(clone: Clone, tmp_path: Path, end: str) -> None:
    gate = Gate(tmp_path)
    program, verdict = _ENDS[end]
    checks = {Check.SECURITY: [f"open('made', 'w').close()\n{program}"]}
    site = site_checked_by(tmp_path, clone.path, checks, timeout="2s" if end == "time-out" else "10m")
    result, _ = await gate.security(site, clone.v2)
    assert result.verdict is verdict
    assert gate.is_empty()


async def test_the_folder_is_gone_after_a_cancellation(clone: Clone, tmp_path: Path) -> None:
    gate, began = Gate(tmp_path), tmp_path / "began"
    program = f"open({str(began)!r}, 'w').close()\nimport time; time.sleep(3600)"
    site = site_checked_by(tmp_path, clone.path, {Check.SECURITY: [program]})
    task = asyncio.create_task(gate.security(site, clone.v2))
    await eventually(began.exists)
    assert not gate.is_empty()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gate.is_empty()


async def test_the_folder_is_gone_after_a_cancellation_while_it_is_laid_out(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", hanging_git(tmp_path / "bin"))
    gate = Gate(tmp_path)
    site = site_checked_by(tmp_path, clone.path, {Check.SECURITY: ["print('3 files')"]})
    task = asyncio.create_task(gate.security(site, clone.v2))
    await eventually((tmp_path / "bin" / "asked").exists)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gate.is_empty()


async def test_what_a_killed_guardian_left_goes_with_the_next_check(clone: Clone, tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    (gate.folder / "left" / "tests").mkdir(parents=True)
    (gate.folder / "left" / "tests" / "file").touch()
    site = site_checked_by(tmp_path, clone.path, {Check.SECURITY: [_TELLS, "{directory}"]})
    assert (await gate.security(site, clone.v2))[0].verdict is Verdict.PASS
    assert gate.is_empty()


@pytest.mark.parametrize("words", [["{directory}"], []])
async def test_without_a_commit_nothing_was_checked(clone: Clone, tmp_path: Path, words: list[str]) -> None:
    ran = tmp_path / "ran"
    program = f"open({str(ran)!r}, 'w').close(); print('3 files')"
    site = site_checked_by(tmp_path, clone.path, {Check.SECURITY: [program, *words]})
    result, _ = await Gate(tmp_path).security(site, None)
    assert (result.verdict, result.phrase) == (Verdict.NOTHING, "nothing.no_commit")
    assert not ran.exists()


async def test_a_service_without_a_repository_has_no_folder_to_look_at(tmp_path: Path) -> None:
    checks = {Check.SECURITY: ["print('3 files')"], Check.DEPENDENCIES: ["print('3 files')", "{revision}"]}
    site = site_checked_by(tmp_path, None, checks)
    done = await Gate(tmp_path).inspection.before(site, "v2", None)
    assert [each.result.verdict for each in done[1:3]] == [Verdict.PASS, Verdict.PASS]


@pytest.mark.parametrize("language", ["ko", "en"])
async def test_what_cannot_be_laid_out_was_not_checked_and_is_told(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    site = site_checked_by(tmp_path, clone.path, {Check.SECURITY: ["print('3 files')"]})
    gone, _ = await Gate(tmp_path).security(site, "1" * 40)
    monkeypatch.setenv("PATH", hanging_git(tmp_path / "bin"))
    gate = Gate(tmp_path, seconds=0.2)
    slow, _ = await gate.security(site, clone.v2)
    none, _ = await gate.security(site, None)
    every = (gone, slow, none)
    assert {each.verdict for each in every} == {Verdict.NOTHING}
    assert [each.phrase for each in every] == [
        "nothing.checkout", "nothing.checkout_slow", "nothing.no_commit"
    ]  # fmt: skip
    words = [Voice(language).phrase(f"deploy.check.{each.phrase}", **each.values) for each in every]
    assert "1" * 40 in words[0], "what Git said"
    assert all(words)
    assert gate.is_empty()


async def test_who_stops_it_while_it_is_laid_out_is_told_that(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", hanging_git(tmp_path / "bin"))
    gate, asked = Gate(tmp_path), tmp_path / "bin" / "asked"
    site = site_checked_by(tmp_path, clone.path, {Check.SECURITY: ["print('3 files')"]})
    done = await gate.inspection.before(site, "v2", clone.v2, asked.exists)
    assert done[1].result.phrase == "reason.stopped"
    assert gate.is_empty()


async def test_where_everything_is_left_out_nothing_is_laid_out(tmp_path: Path) -> None:
    site = site_checked_by(tmp_path, tmp_path / "none", {})
    done = await Gate(tmp_path).inspection.before(site, "v2", "1" * 40, never)
    assert {each.result.verdict for each in done} == {Verdict.LEFT_OUT}
    assert not (tmp_path / "checkouts").exists()
