"""Two who plan the same deployment at once get the checks of one run."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.deploy.checks import Check
from bot.engine.deploy.checked import CheckedOnce
from bot.engine.deploy.checkouts import Checkouts
from bot.engine.deploy.checks import Done
from bot.engine.deploy.inspection import Inspection, failed_of
from bot.engine.deploy.site import Site
from tests.engine.deploy.checked_site import site_checked_by
from tests.waiting import eventually

_RUNS = """
import os, sys, time
folder, revision, status = sys.argv[1:]
name = str(len(os.listdir(folder))) + "-" + revision
open(os.path.join(folder, name), "x").close()
while not os.path.exists(folder + ".go"): time.sleep(0.01)
print("3 files checked")
sys.exit(int(status))
"""


class Stage:
    """A check that waits until it may go on, and notes each of its runs."""

    def __init__(self, folder: Path, status: int = 0) -> None:
        self.runs = folder / "runs"
        self.runs.mkdir()
        words = [_RUNS, str(self.runs), "{revision}", str(status)]
        self.site: Site = site_checked_by(folder, None, {Check.SECURITY: words})
        self.checked = CheckedOnce(Inspection({}, Checkouts(folder / "checkouts")))

    def ask(self, revision: str = "v2") -> asyncio.Task[tuple[Done, ...]]:
        """Somebody plans that deployment."""
        return asyncio.create_task(self.checked.of(self.site, revision, None))

    async def began(self, count: int) -> list[str]:
        """Which runs have begun, once there are so many."""
        await eventually(lambda: len(list(self.runs.iterdir())) >= count)
        return sorted(path.name for path in self.runs.iterdir())

    def go(self) -> None:
        Path(f"{self.runs}.go").touch()


async def all_of(tasks: Sequence[asyncio.Task[tuple[Done, ...]]]) -> list[tuple[Done, ...]]:
    return list(await asyncio.gather(*tasks))


@pytest.mark.parametrize("status", [0, 1])
async def test_one_run_serves_all_who_ask_meanwhile_also_where_it_fails(tmp_path: Path, status: int) -> None:
    stage = Stage(tmp_path, status)
    tasks = [stage.ask(), stage.ask(), stage.ask()]
    await stage.began(1)
    stage.go()
    first, *others = await all_of(tasks)
    assert all(each is first for each in others)
    assert bool(failed_of(first)) is bool(status)
    assert await stage.began(1) == ["0-v2"]


async def test_what_was_good_is_kept_and_what_was_not_is_run_again(tmp_path: Path) -> None:
    for status, runs in ((0, 1), (1, 2)):
        folder = tmp_path / str(status)
        folder.mkdir()
        stage = Stage(folder, status)
        stage.go()
        await stage.ask()
        await stage.ask()
        assert len(await stage.began(1)) == runs


async def test_other_revisions_do_not_wait_for_each_other(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    tasks = [stage.ask("v2"), stage.ask("v3")]
    assert {name[2:] for name in await stage.began(2)} == {"v2", "v3"}
    stage.go()
    await all_of(tasks)


async def test_where_the_first_is_cancelled_the_next_runs_them(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    first, second = stage.ask(), stage.ask()
    await stage.began(1)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await stage.began(2)
    stage.go()
    assert not failed_of(await second)


async def test_what_was_good_in_one_place_is_kept_beside_that_of_another(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.go()
    production = stage.site
    staging = replace(production, environment=replace(production.environment, name="staging"))
    first = await stage.checked.of(production, "v2", None)
    await stage.checked.of(staging, "v2", None)
    assert len(await stage.began(2)) == 2
    assert await stage.checked.of(production, "v2", None) is first
    # Of one place only the latest is kept.
    await stage.checked.of(production, "v3", None)
    assert await stage.checked.of(production, "v2", None) is not first
