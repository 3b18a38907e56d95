"""The shop's releases as they lie on the disk, and what is checked of them before anything acts."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.config.deploy import services_of
from bot.deploy_sites import site_of
from bot.domain.deploy.checks import Check
from bot.domain.deploy.preflight import Verdict
from bot.engine.deploy.checkouts import Checkouts
from bot.engine.deploy.checks import Done, run_checks
from bot.engine.deploy.inspection import Inspection, failed_of
from bot.tools.git_import import GitFailed, import_history
from bot.trial.shop.history import COMMITS, REVISIONS
from bot.trial.shop.places import SERVICE, Places, Ports
from bot.trial.shop.releases import files_of, write_releases, write_repository
from bot.trial.shop.settings import deploy_settings
from tests.components import program

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def releases(tmp_path: Path) -> Path:
    write_releases(tmp_path / "releases")
    return tmp_path / "releases"


def git(folder: Path, *words: str) -> str:
    command = [program("git"), "-C", str(folder), *words]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()


async def checked(folder: Path, revision: str) -> dict[Check, Done]:
    """The six, as the trial's configuration has them."""
    places = Places(folder, folder / "haproxy", {"production": Ports(1, 2, 3), "staging": Ports(4, 5, 6)})
    service = services_of(deploy_settings(places, (), "for this test", git=False))[0]
    values = {"revision": revision, "service": SERVICE, "environment": "production"}
    done = await run_checks(service.preflight, values, None)
    return dict(zip(Check, done, strict=True))


@pytest.mark.parametrize("revision", REVISIONS)
async def test_every_release_passes_what_is_checked_before(releases: Path, revision: str) -> None:
    done = await checked(releases.parent, revision)
    assert not failed_of(tuple(done.values())), [
        each for each in done.values() if not each.result.verdict.is_good
    ]
    left_out = [check for check, each in done.items() if each.result.verdict is Verdict.LEFT_OUT]
    assert left_out == [Check.COMPATIBILITY]
    assert all(int(str(done[check].result.values["found"])) for check in Check if check not in left_out)


@pytest.mark.parametrize(
    ("file", "old", "new", "check"),
    [
        ("shop/page.py", ' lang="ko"', "", Check.ACCESSIBILITY),
        ("shop/page.py", "<h2>", "<h4>", Check.ACCESSIBILITY),
        ("shop/items.py", "return list(CATALOGUE)", 'return list(eval("CATALOGUE"))', Check.SECURITY),
        ("shop/page.py", "from html import escape", "import requests", Check.DEPENDENCIES),
        ("shop/page.py", "escape(each['name'])", "each['name']", Check.CODE_QUALITY),
        ("shop/page.py", "    rows = ", "    import time; time.sleep(0.01)\n    rows = ", Check.PERFORMANCE),
    ],
)
async def test_a_release_with_that_fault_does_not(
    releases: Path, file: str, old: str, new: str, check: Check
) -> None:
    place = releases / "v1" / file
    text = place.read_text(encoding="utf-8")
    assert old in text
    place.write_text(text.replace(old, new), encoding="utf-8")
    done = await checked(releases.parent, "v1")
    assert done[check].result.verdict is Verdict.FAIL, done[check]


async def test_with_git_the_commit_is_checked_and_not_what_lies_in_its_folder(tmp_path: Path) -> None:
    places = Places(tmp_path, tmp_path / "haproxy", {"production": Ports(1, 2, 3), "staging": Ports(4, 5, 6)})
    write_releases(places.releases)
    write_repository(places.repository, NOW)
    (places.releases / "v2" / "shop" / "page.py").unlink()
    made = deploy_settings(places, (), "for this test", git=True)
    service = services_of(made)[0]
    site = site_of(made, tmp_path / "state", {}, service, service.environments["production"])
    checkouts = tmp_path / "checkouts"
    for revision in REVISIONS:
        commit = git(places.repository, "rev-parse", revision)
        done = await Inspection({}, Checkouts(checkouts)).before(site, revision, commit)
        assert not failed_of(done), done
        assert sum(1 for each in done if each.result.verdict is Verdict.PASS) == 5
    assert list(checkouts.iterdir()) == []


async def test_a_release_without_tests_was_not_checked(releases: Path) -> None:
    (releases / "v1" / "shop" / "test_shop.py").unlink()
    done = await checked(releases.parent, "v1")
    assert done[Check.CODE_QUALITY].result.verdict in (Verdict.NOTHING, Verdict.FAIL)


def test_what_a_visitor_changed_stays(releases: Path) -> None:
    (releases / "v1" / "VERSION").write_text("mine\n", encoding="utf-8")
    write_releases(releases)
    assert (releases / "v1" / "VERSION").read_text(encoding="utf-8") == "mine\n"
    assert sorted(each.name for each in releases.iterdir()) == list(REVISIONS), "and nothing is left beside"


def test_the_repository_has_each_release_under_its_tag(tmp_path: Path) -> None:
    folder = tmp_path / "code"
    write_repository(folder, NOW)
    assert git(folder, "tag").splitlines() == list(REVISIONS)
    assert git(folder, "fsck", "--strict") == ""
    for revision in REVISIONS:
        files = files_of(revision)
        assert set(git(folder, "ls-tree", "-r", "--name-only", revision).splitlines()) == {
            *files,
            "CHANGES.md",
        }
        for place, text in files.items():
            assert git(folder, "show", f"{revision}:{place}") == text.strip()


def test_its_history_is_worth_reading(tmp_path: Path) -> None:
    folder = tmp_path / "code"
    write_repository(folder, NOW)
    subjects = git(folder, "log", "--reverse", "--format=%s", "main").splitlines()
    assert subjects == [commit.subject for commit in COMMITS]
    assert git(folder, "log", "-1", "--format=%ct", "v5") == str(
        int((NOW - timedelta(minutes=40)).timestamp())
    )
    assert all(git(folder, "diff", "--shortstat", f"{commit}^!") for commit in ("v2", "v3", "v4", "v5"))


def test_it_is_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "code"
    write_repository(folder, NOW)
    first = git(folder, "rev-parse", "main")
    write_repository(folder, NOW + timedelta(days=3))
    assert git(folder, "rev-parse", "main") == first
    assert [each.name for each in tmp_path.iterdir()] == ["code"]


def test_a_history_that_git_does_not_take_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GitFailed):
        import_history(tmp_path / "code", b"nonsense\n")
