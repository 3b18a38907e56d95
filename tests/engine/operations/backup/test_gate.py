"""No work without a backup, file by file: a cleanup takes what is in the verified snapshot, nothing else."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.backup.gate import Uncovered
from bot.domain.cleanup.health import Measure
from bot.domain.cleanup.rules import FileRules, Root, Rules, Stage
from bot.domain.operations.plan import Plan
from bot.engine.operations.cleanup import Cleanup
from bot.engine.operations.contract import OperationRefused
from bot.engine.operations.health import Health
from tests.backups import fill
from tests.engine.operations.backup.conftest import Hand, Yard
from tests.engine.watching import CpuRules
from tests.tools.cleanup.trees import changed_after
from tests.waiting import eventually


class Cleaner:
    """A cleanup of everything below `uploads`, however young, behind the yard's backups."""

    def __init__(self, yard: Yard) -> None:
        self.yard = yard
        self.root = yard.folder / "uploads"
        rules = FileRules((Root(os.fsencode(self.root)),), ("*",), timedelta(0))
        self.cleanup = Cleanup(
            Rules({Stage.LOGS: rules}, zombies=False),
            "host:web-1",
            yard.folder / "lists",
            self._backed_up,
            self._troubles,
            Health(lambda: [], CpuRules(), yard.clock, pause_seconds=0),
            yard.clock,
        )

    async def plan(self, at: datetime) -> Plan:
        """The plan for that moment."""
        return await self.cleanup.plan({"stages": ["logs"]}, at)

    async def do(self, plan: Plan) -> dict[str, object]:
        """What came of its stage."""
        return dict(await self.cleanup.do(plan, plan.steps[0], Hand(7)))

    async def _backed_up(
        self, roots: Sequence[str], at: datetime | None
    ) -> Mapping[str, datetime] | OperationRefused:
        found = await self.yard.desk.covered(roots, at)
        return OperationRefused(found.reason) if isinstance(found, Uncovered) else found.saved_at

    async def _troubles(self) -> frozenset[Measure]:
        return frozenset()


@pytest.fixture
async def cleaner(yard: Yard) -> Cleaner:
    """Whose files are old enough to be in the next backup beyond doubt."""
    cleaner = Cleaner(yard)
    await settle(cleaner.root)
    return cleaner


async def settle(folder: Path) -> None:
    """Wait until what is in that folder changed longer ago than the coarsest clock of a file system shows."""
    newest = max(os.stat(folder / name).st_ctime_ns for name in os.listdir(folder))
    clock = folder.parent / "clock"

    def has_gone_on() -> bool:
        clock.touch()
        return clock.stat().st_ctime_ns > newest + 2_100_000_000

    await eventually(has_gone_on)


async def test_what_came_or_changed_after_the_snapshot_is_left(yard: Yard, cleaner: Cleaner) -> None:
    assert (await yard.now(["uploads"])).failed == []
    fill(cleaner.root, [("new.txt", b"new")])
    plan = await cleaner.plan(yard.clock())
    assert (plan.steps[0].params["count"], plan.steps[0].params["left"]) == (2, {"after_backup": 1})

    changed_after(cleaner.root / "photo.jpg", (cleaner.root / "new.txt").stat().st_ctime_ns)
    done = await cleaner.do(plan)
    assert (done["moved"], done["left"]) == (1, {"after_backup": 1})
    assert sorted(os.listdir(cleaner.root)) == [".guardian-quarantine", "new.txt", "photo.jpg"]


async def test_a_newer_backup_makes_it_no_other_plan_and_its_files_can_go_all_the_same(
    yard: Yard, cleaner: Cleaner
) -> None:
    assert (await yard.now(["uploads"])).failed == []
    fill(cleaner.root, [("new.txt", b"new")])
    at = yard.clock()
    plan = await cleaner.plan(at)
    await settle(cleaner.root)
    assert (await yard.now(["uploads"])).failed == []
    assert (await cleaner.plan(at)).hash == plan.hash
    assert (await cleaner.plan(yard.clock())).steps[0].params["count"] == 3
    assert (await cleaner.do(plan))["moved"] == 2
