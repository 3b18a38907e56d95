"""The cleanup as an operation, on real files: planned, approved, done stage by stage, undone, purged."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from aiohttp import web
from pydantic import JsonValue

from bot.config import RuleBook, Settings
from bot.domain.alerts.model import Rules as AlertRules
from bot.domain.cleanup.health import Measure
from bot.domain.cleanup.processes import Kind
from bot.domain.cleanup.reasons import Left, Risk
from bot.domain.cleanup.rules import AgeBy, CacheRules, FileRules, Root, Rules, Stage, moment_of
from bot.domain.cleanup.scan import risks_of
from bot.domain.operations.plan import JsonObject, Plan, difference, plan_of
from bot.engine.operations.cleanup import Cleanup
from bot.engine.operations.cleanup_undo import CleanupUndo
from bot.engine.operations.contract import Guided, Operation, OperationRefused, StepFailed, Stopped, Work
from bot.engine.operations.health import Health
from bot.tools.cleanup.commands import CommandFailed, Ran
from messages.render import Voice
from probes.application.http import http_session
from probes.application.response_time import ResponseTime
from probes.base import Probe, Reading
from tests.engine.probes import Blocking, percent
from tests.engine.support import SetClock
from tests.engine.watching import CpuRules
from tests.target import Target
from tests.tools.cleanup.trees import changed_after, contents, put_file, slots, snapshot

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
OLD = int((NOW - timedelta(days=60)).timestamp()) * 10**9
YOUNG = int((NOW - timedelta(days=1)).timestamp()) * 10**9


@dataclass
class Bench:
    """What a step has at hand, kept."""

    run_id: int = 7
    token: int = 1
    stopping: bool = False
    told: list[tuple[int, int | None, str]] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    on_progress: Callable[[], None] = lambda: None

    def past_return(self) -> None:
        """Nobody presses anything here."""

    def progress(self, done: int, total: int | None = None, unit: str = "") -> None:
        self.told.append((done, total, unit))
        self.on_progress()

    def attach(self, name: str, text: str) -> None:
        self.files[name] = text

    @property
    def guided(self) -> Guided:
        raise AssertionError("nobody guides this step")


class House:
    """A machine with logs, temporary files, a backup that can be missing and a health that can be bad."""

    def __init__(self, folder: Path) -> None:
        self.logs, self.temporary = folder / "log", folder / "tmp"
        for place in (self.logs, self.temporary):
            place.mkdir()
        self.lists = folder / "state"
        self.clock = SetClock(NOW)
        self.refusal: OperationRefused | None = None
        self.asked_for: list[list[str]] = []
        self.saved_at = datetime.now(UTC) + timedelta(days=1)
        """when the backup was taken; after all that the test makes"""
        self.unwell: list[set[Measure]] = []
        """what the alerts say next; then there are none"""
        self.probes: list[Probe] = [Blocking(percent(40.0))]
        self.rules_of_health: AlertRules = CpuRules()
        self.commands: list[tuple[str, ...]] = []
        self.rules = Rules(
            {
                Stage.LOGS: FileRules(
                    (Root(os.fsencode(self.logs)),), ("*.log",), timedelta(days=30), AgeBy.MODIFIED
                ),
                Stage.TEMPORARY: FileRules(
                    (Root(os.fsencode(self.temporary)),), ("*",), timedelta(days=7), AgeBy.MODIFIED
                ),
            },
            zombies=False,
        )

    async def backed_up(
        self, roots: Sequence[str], at: datetime | None
    ) -> Mapping[str, datetime] | OperationRefused:
        self.asked_for.append(list(roots))
        return self.refusal or dict.fromkeys(roots, self.saved_at)

    async def troubles(self) -> frozenset[Measure]:
        return frozenset(self.unwell.pop(0) if self.unwell else ())

    def run(self, command: Sequence[str]) -> Ran:
        self.commands.append(tuple(command))
        if command[:2] == ("npm", "cache"):
            return Ran("a:one\na:two\n" if command[2] == "ls" else "")
        raise CommandFailed(command, "not found", absent=True)

    def cleanup(self) -> Cleanup:
        health = Health(lambda: self.probes, self.rules_of_health, self.clock, pause_seconds=0)
        return Cleanup(
            self.rules, "host:web-1", self.lists, self.backed_up, self.troubles, health, self.clock, self.run
        )


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    put_file(house.logs / "shop.log", b"shop", OLD)
    put_file(house.logs / "shop.txt", b"text", OLD)
    put_file(house.logs / "young.log", b"young", YOUNG)
    put_file(house.temporary / "a", b"a", OLD)
    put_file(house.temporary / "b", b"bb", OLD)
    return house


async def planned(house: House, *stages: str) -> Plan:
    return await house.cleanup().plan({"stages": [*stages]} if stages else {}, NOW)


async def test_it_keeps_the_contract(house: House) -> None:
    operation: Operation = house.cleanup()
    work: Work = Bench()
    assert operation.name == "cleanup"
    assert work.run_id == 7


async def test_planning_changes_nothing_and_gives_the_same_hash_again(house: House) -> None:
    before = snapshot(house.logs) | snapshot(house.temporary)
    plan = await planned(house)
    house.clock.forward(minutes=14)
    assert (await planned(house)).hash == plan.hash
    assert snapshot(house.logs) | snapshot(house.temporary) == before
    assert [(step.name, step.params["count"], step.params["bytes"]) for step in plan.steps] == [
        ("clean_logs", 1, 4),
        ("clean_temporary", 2, 3),
    ]
    assert plan.shown["bytes"] == 7
    assert plan_of(plan.as_json()) == plan


async def test_a_file_that_is_new_on_the_list_makes_another_plan(house: House) -> None:
    plan = await planned(house)
    put_file(house.temporary / "c", b"c", OLD)
    again = await planned(house)
    assert again.hash != plan.hash
    assert "steps.1.params.count" in [each.path for each in difference(plan, again)]


async def test_files_that_grow_old_meanwhile_do_not(house: House) -> None:
    plan = await planned(house)
    house.clock.forward(days=40)
    assert (await planned(house)).hash == plan.hash


async def test_stages_are_done_undone_and_seen(house: House) -> None:
    cleanup, work = house.cleanup(), Bench()
    before = snapshot(house.logs) | snapshot(house.temporary)
    plan = await cleanup.plan({}, NOW)
    result = await cleanup.do(plan, plan.steps[1], work)
    assert result == {
        "dry_run": 2,
        "moved": 2,
        "bytes": 3,
        "left": {},
        "partial": result["partial"],
        "until": (NOW + timedelta(days=7)).isoformat(),
        "health": {
            "well": 1,
            "probes": ["cpu"],
            "addresses": [],
            "more": 0,
            "bad": [],
            "unknown": [],
            "unknowns": 0,
        },
    }
    assert work.told[-1] == (2, 2, "file")
    assert not (house.temporary / "a").exists()
    assert (house.logs / "shop.log").exists()
    (kept,) = await cleanup.kept()
    assert (kept.run, kept.stage, kept.count, kept.bytes) == (7, Stage.TEMPORARY, 2, 3)

    assert (await cleanup.do(plan, plan.steps[0], work))["moved"] == 1
    assert await cleanup.undo(plan, plan.steps[0], work) == {"restored": 1, "bytes": 4}
    assert (await cleanup.undo_run(7)).done == 2
    assert snapshot(house.logs) | snapshot(house.temporary) == before
    assert await cleanup.kept() == ()


async def test_a_step_that_is_done_again_after_a_crash_ends_the_same(house: House) -> None:
    plan = await planned(house)
    first = await house.cleanup().do(plan, plan.steps[1], Bench())
    again = await house.cleanup().do(plan, plan.steps[1], Bench())
    assert again["moved"] == first["moved"] == 2
    assert len(slots(house.temporary)) == 2


async def test_what_changed_since_the_approval_is_left_and_said(house: House) -> None:
    plan = await planned(house)
    put_file(house.temporary / "a", b"written since", YOUNG)
    with (house.temporary / "b").open():
        result = await house.cleanup().do(plan, plan.steps[1], Bench())
    # The process that has it open is Guardian itself here, which is protected.
    assert result["left"] == {"changed": 1, "protected": 1}
    assert sorted(os.listdir(house.temporary)) == [".guardian-quarantine", "a", "b"]


def of(*metrics: str) -> set[Measure]:
    return {Measure(metric, "web-1") for metric in metrics}


@pytest.mark.parametrize("before", [of(), of("memory_usage"), of("a", "b", "c", "d", "e", "f")])
async def test_a_critical_alert_that_came_with_a_stage_fails_it_and_it_can_be_undone(
    house: House, before: set[Measure]
) -> None:
    cleanup, work = house.cleanup(), Bench()
    plan = await cleanup.plan({}, NOW)
    house.unwell = [before, before | of("reachable")]
    with pytest.raises(StepFailed) as failed:
        await cleanup.do(plan, plan.steps[1], work)
    bad: JsonValue = [{"metric": "reachable", "target": "web-1"}]
    assert (failed.value.reason, failed.value.values) == ("cleanup_unwell", {"bad": bad})
    assert (await cleanup.undo(plan, plan.steps[1], work))["restored"] == 2


@pytest.mark.parametrize("ended", [of(), of("memory_usage")])
async def test_an_alert_that_was_there_before_is_no_failure_of_the_cleanup(
    house: House, ended: set[Measure]
) -> None:
    plan = await planned(house)
    house.unwell = [of("disk_usage") | ended, of("disk_usage")]
    result = await house.cleanup().do(plan, plan.steps[1], Bench())
    assert result["moved"] == 2
    assert health_of(result)["bad"] == [{"metric": "disk_usage", "target": "web-1"}]


def health_of(result: JsonObject) -> JsonObject:
    health = result["health"]
    assert isinstance(health, dict)
    return health


class Steps:
    """Values of a probe, one a look."""

    def __init__(self, *values: float) -> None:
        self.values = list(values)

    def __call__(self, at: datetime) -> list[Reading]:
        return percent(self.values.pop(0) if len(self.values) > 1 else self.values[0])(at)


async def test_a_machine_that_is_worse_after_a_stage_fails_it(house: House) -> None:
    plan, cleanup = await planned(house), house.cleanup()
    house.probes = [Blocking(Steps(40.0, 99.0))]
    with pytest.raises(StepFailed) as failed:
        await cleanup.do(plan, plan.steps[1], Bench())
    assert failed.value.values == {"bad": [{"metric": "cpu_usage", "target": "web-1"}]}
    assert (await cleanup.undo(plan, plan.steps[1], Bench()))["restored"] == 2


async def test_a_machine_that_was_bad_before_the_cleanup_may_stay_so(house: House) -> None:
    plan, cleanup = await planned(house), house.cleanup()
    house.probes = [Blocking(percent(99.0))]
    for step in plan.steps:
        bad = health_of(await cleanup.do(plan, step, Bench()))["bad"]
        assert bad == [{"metric": "cpu_usage", "target": "web-1"}]


async def test_what_was_before_is_what_was_before_the_first_stage_whoever_died_since(house: House) -> None:
    plan = await planned(house)
    house.probes = [Blocking(percent(40.0))]
    await house.cleanup().do(plan, plan.steps[0], Bench())
    house.probes = [Blocking(percent(99.0))]
    with pytest.raises(StepFailed):
        await house.cleanup().do(plan, plan.steps[1], Bench())
    # Another run begins with what is now.
    assert (await house.cleanup().do(plan, plan.steps[1], Bench(run_id=8)))["moved"] == 0


async def test_without_a_reading_a_stage_is_done_and_that_is_said(house: House) -> None:
    plan = await planned(house)
    house.probes[0].timeout = timedelta(0)
    result = await house.cleanup().do(plan, plan.steps[1], Bench())
    health = health_of(result)
    assert (result["moved"], health["well"], health["unknowns"]) == (2, 0, 1)
    assert health["unknown"] == [{"probe": "cpu", "target": "web-1"}]


async def test_a_service_that_needed_what_was_moved_answers_again_when_it_is_back(house: House) -> None:
    """A real address, whose service answers only while a file is there."""
    cleanup, work = house.cleanup(), Bench()
    plan = await cleanup.plan({}, NOW)
    async with Target.serving() as shop, http_session(version="0") as session:

        def answer(_request: web.Request) -> int:
            return 200 if (house.temporary / "a").exists() else 503

        shop.decide = answer
        house.probes = [ResponseTime(session=session, url=shop.url, target="shop")]
        house.rules_of_health = RuleBook(Settings(kpis={"response_time": None}))  # however slow it is here
        with pytest.raises(StepFailed) as failed:
            await cleanup.do(plan, plan.steps[1], work)
        bad = failed.value.values["bad"]
        assert isinstance(bad, list)
        assert {"metric": "reachable", "target": "shop"} in bad
        await cleanup.undo(plan, plan.steps[1], work)
        # Without that file on the list the service is none the worse.
        os.utime(house.temporary / "a")
        again = await cleanup.plan({}, NOW)
        health = health_of(await cleanup.do(again, again.steps[1], Bench(run_id=8)))
        assert (health["addresses"], health["bad"]) == (["shop"], [])


async def test_without_a_backup_there_is_no_plan_and_no_step(house: House) -> None:
    plan = await planned(house)
    house.refusal = OperationRefused("backup_stale", hours=30)
    with pytest.raises(OperationRefused) as refused:
        await planned(house, "logs")
    assert refused.value is house.refusal
    assert house.asked_for[-1] == [str(house.logs)]
    with pytest.raises(StepFailed) as failed:
        await house.cleanup().do(plan, plan.steps[0], Bench())
    assert (failed.value.reason, failed.value.values) == (
        "cleanup_no_backup",
        {"roots": str(house.logs), "why": "backup_stale"},
    )
    assert (house.logs / "shop.log").exists()


async def test_what_is_in_no_backup_is_left_and_named_on_the_plan(house: House) -> None:
    shop, other = house.logs / "shop.log", house.logs / "other.log"
    put_file(other, b"other", OLD)
    saved = shop.stat().st_ctime_ns + 10**6
    house.saved_at = moment_of(saved) + timedelta(seconds=2)
    changed_after(other, saved)
    plan = await planned(house, "logs")
    assert plan.steps[0].params["count"] == 1
    assert plan.steps[0].params["left"] == {"after_backup": 1}
    said = Voice("ko").slack_phrase("cleanup.figures.clean_logs", **plan.steps[0].params)
    assert "백업 뒤에 바뀜 1개" in said

    changed_after(shop, saved)
    result = await house.cleanup().do(plan, plan.steps[0], Bench())
    assert (result["moved"], result["left"]) == (0, {"after_backup": 1})
    with pytest.raises(OperationRefused) as refused:
        await planned(house, "logs")
    assert (refused.value.reason, refused.value.values) == ("no_backup_since", {"count": 2})


async def test_stages_can_be_chosen_and_unknown_ones_are_refused(house: House) -> None:
    assert [step.name for step in (await planned(house, "temporary")).steps] == ["clean_temporary"]
    for stage in ("caches", "everything"):
        with pytest.raises(OperationRefused) as refused:
            await planned(house, stage)
        assert refused.value.reason == "cleanup_stage"
        assert refused.value.values == {"stage": stage, "known": ["logs", "temporary"]}


async def test_nothing_to_do_is_refused(house: House) -> None:
    (house.logs / "shop.log").unlink()
    with pytest.raises(OperationRefused) as refused:
        await planned(house, "logs")
    assert refused.value.reason == "cleanup_nothing"


async def test_a_root_behind_a_link_is_refused(house: House) -> None:
    house.logs.rename(house.logs.with_name("real"))
    house.logs.symlink_to(house.logs.with_name("real"))
    with pytest.raises(OperationRefused) as refused:
        await planned(house)
    assert (refused.value.reason, refused.value.values["root"]) == ("cleanup_root", str(house.logs))


def damaged(path: Path, how: str) -> None:
    if how == "gone":
        path.unlink()
    else:
        line = path.read_bytes().splitlines(keepends=True)[0]
        path.write_bytes(path.read_bytes() + line if how == "longer" else line)


async def test_a_list_that_cannot_be_written_is_a_refusal(house: House) -> None:
    house.lists.touch()
    with pytest.raises(OperationRefused) as refused:
        await planned(house)
    assert refused.value.reason == "cleanup_files"


@pytest.mark.parametrize("damage", ["gone", "longer", "other"])
async def test_another_list_than_the_approved_one_is_not_worked_on(house: House, damage: str) -> None:
    plan = await planned(house)
    damaged(Path(plan.files[1].path), damage)
    with pytest.raises(StepFailed) as failed:
        await house.cleanup().do(plan, plan.steps[1], Bench())
    assert failed.value.reason == "cleanup_list_lost"
    assert sorted(os.listdir(house.temporary)) == ["a", "b"]


async def test_files_outside_the_roots_of_now_are_not_touched(house: House, tmp_path: Path) -> None:
    plan = await planned(house)
    (tmp_path / "other").mkdir()
    temporary = replace(house.rules.files[Stage.TEMPORARY], roots=(Root(os.fsencode(tmp_path / "other")),))
    house.rules = replace(house.rules, files={**house.rules.files, Stage.TEMPORARY: temporary})
    with pytest.raises(StepFailed) as failed:
        await house.cleanup().do(plan, plan.steps[1], Bench())
    assert failed.value.reason == "cleanup_roots_changed"
    assert (house.temporary / "a").exists()


async def test_a_quarantine_that_is_not_ours_fails_the_step(house: House) -> None:
    plan = await planned(house)
    (house.temporary / ".guardian-quarantine").mkdir(mode=0o777)
    (house.temporary / ".guardian-quarantine").chmod(0o777)
    with pytest.raises(StepFailed) as failed:
        await house.cleanup().do(plan, plan.steps[1], Bench())
    assert failed.value.reason == "cleanup_quarantine_not_ours"


async def test_stopping_ends_between_two_batches_and_says_what_was_done(house: House) -> None:
    for number in range(2500):
        put_file(house.temporary / f"many{number}", b"", OLD)
    plan, work = await planned(house), Bench()

    def stop() -> None:
        work.stopping = work.told[-1][0] >= 1000

    work.on_progress = stop
    with pytest.raises(Stopped) as stopped:
        await house.cleanup().do(plan, plan.steps[1], work)
    assert stopped.value.result["moved"] == 1000
    assert (await house.cleanup().undo(plan, plan.steps[1], work))["restored"] == 1000


async def test_a_task_that_is_cancelled_moves_nothing_any_more(house: House) -> None:
    for number in range(2500):
        put_file(house.temporary / f"many{number}", b"", OLD)
    before = snapshot(house.temporary)
    plan, work, begun, cancelled = await planned(house), Bench(), asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def hold() -> None:
        if work.told[-1][0] == 1000:
            loop.call_soon_threadsafe(begun.set)
            cancelled.wait()

    work.on_progress = hold
    cleanup = house.cleanup()
    doing = asyncio.create_task(cleanup.do(plan, plan.steps[1], work))
    await begun.wait()
    doing.cancel()
    for _ in range(5):
        await asyncio.sleep(0)  # the task hears of it
    cancelled.set()
    with pytest.raises(asyncio.CancelledError):
        await doing
    assert len(slots(house.temporary)) == 1000
    assert (await cleanup.undo_run(7)).done == 1000
    assert snapshot(house.temporary) == before


async def test_bringing_a_cleanup_back_says_how_far_it_is_and_ends_between_files_when_told_to(
    house: House,
) -> None:
    for number in range(2500):
        put_file(house.temporary / f"many{number}", b"12", OLD)
    before = snapshot(house.temporary)
    cleanup, work = house.cleanup(), Bench()
    plan = await cleanup.plan({"stages": ["temporary"]}, NOW)
    await cleanup.do(plan, plan.steps[0], Bench())
    undo: Operation = CleanupUndo(cleanup, "host:web-1")
    undoing = await undo.plan({"run": 7}, NOW)
    (step,) = undoing.steps
    assert step.params == {"run": 7, "count": 2502, "bytes": 5003}

    def stop() -> None:
        work.stopping = work.told[-1][0] >= 1000

    work.on_progress = stop
    with pytest.raises(Stopped) as stopped:
        await undo.do(undoing, step, work)
    assert work.told == [(0, 2502, "file"), (1000, 2502, "file"), (1000, 2502, "file")]
    restored = stopped.value.result["restored"]
    assert (restored, stopped.value.result["kept"]) == (1000, 1502)
    assert len(os.listdir(house.temporary)) == 1000 + 1

    rest = await undo.plan({"run": 7}, NOW)
    assert rest.steps[0].params["count"] == 1502
    later = Bench()
    assert (await undo.do(rest, rest.steps[0], later))["restored"] == 1502
    assert [done for done, _, _ in later.told] == [0, 1000, 1502]
    assert snapshot(house.temporary) == before


async def test_undo_that_finds_a_place_taken_says_so_and_keeps_both(house: House) -> None:
    cleanup = house.cleanup()
    plan = await cleanup.plan({}, NOW)
    await cleanup.do(plan, plan.steps[1], Bench())
    put_file(house.temporary / "a", b"since")
    with pytest.raises(StepFailed) as failed:
        await cleanup.undo(plan, plan.steps[1], Bench())
    assert failed.value.reason == "cleanup_not_restored"
    assert failed.value.values == {"restored": 1, "kept": 1, "left": {"occupied": 1}}
    assert (house.temporary / "a").read_bytes() == b"since"
    assert dict((await cleanup.undo_run(7)).left) == {Left.OCCUPIED: 1}


async def test_the_purge_comes_after_the_quarantine_and_ends_the_way_back(house: House) -> None:
    cleanup = house.cleanup()
    plan = await cleanup.plan({}, NOW)
    for step in plan.steps:
        await cleanup.do(plan, step, Bench())
    assert (await cleanup.purge(NOW + timedelta(days=7, seconds=-1))).done == 0
    assert len(await cleanup.kept()) == 2
    purged = await cleanup.purge(NOW + timedelta(days=7))
    assert (purged.done, purged.bytes) == (3, 7)
    assert await cleanup.kept() == ()
    assert (await cleanup.undo_run(7)).done == 0
    assert len(contents(house.logs, house.temporary)) == 2


async def test_lists_go_when_nobody_needs_them_any_more(house: House) -> None:
    plan = await planned(house)
    written = max(os.stat(file.path).st_mtime for file in plan.files)
    week = datetime.fromtimestamp(written, UTC) + timedelta(days=7)
    await house.cleanup().purge(week - timedelta(minutes=1))
    assert all(os.access(file.path, os.R_OK) for file in plan.files)
    await house.cleanup().purge(week + timedelta(minutes=1))
    assert not any(os.access(file.path, os.F_OK) for file in plan.files)


async def test_a_quarantine_that_cannot_be_reached_keeps_nobody_from_the_others(house: House) -> None:
    cleanup = house.cleanup()
    plan = await cleanup.plan({}, NOW)
    await cleanup.do(plan, plan.steps[1], Bench())
    (house.logs / ".guardian-quarantine").symlink_to(house.temporary)
    assert [kept.count for kept in await cleanup.kept()] == [2]
    assert (await cleanup.purge(NOW + timedelta(days=8))).done == 2


async def test_caches_are_emptied_by_what_was_listed_and_have_no_undo(house: House) -> None:
    house.rules = replace(house.rules, caches=CacheRules(pip=None))
    cleanup, work = house.cleanup(), Bench()
    plan = await cleanup.plan({"stages": ["caches"]}, NOW)
    (step,) = plan.steps
    caches: JsonValue = {"npm": {"count": 2, "bytes": None}}
    assert (step.params["caches"], step.params["absent"], step.undo) == (caches, ["docker"], None)
    assert house.asked_for == []
    result = await cleanup.do(plan, step, work)
    assert (result["removed"], result["gone"]) == (2, 0)
    assert ("npm", "cache", "clean", "--", "a:one", "a:two") in house.commands
    assert work.told == [(2, 2, "cache_entry")]
    assert await cleanup.undo(plan, step, work) == {}


@pytest.fixture
def zombie() -> Iterator[int]:
    """A child of this process that has ended and is not collected."""
    pid = os.posix_spawn(sys.executable, [sys.executable, "-S", "-c", ""], {})
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    yield pid
    os.waitpid(pid, 0)


_ORPHAN = """
import os, sys
if os.fork() == 0:
    os.setsid()
    open("/proc/self/comm", "w").write(sys.argv[1])
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    print(os.getpid(), flush=True)
    sys.stdin.read()
    os._exit(0)
"""


@contextmanager
def orphan_with_a_zombie(name: str) -> Iterator[int]:
    """The pid of a process of that name with a zombie, which init has taken over; it ends with the block."""
    starter = subprocess.Popen(
        [sys.executable, "-c", _ORPHAN, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        starter.wait()
        yield pid
    # Its standard input has ended, and so does it.
    with suppress(psutil.NoSuchProcess):
        psutil.Process(pid).wait(60)


@pytest.mark.usefixtures("zombie")
async def test_zombies_of_guardians_own_children_are_reported_and_nobody_is_asked(house: House) -> None:
    house.rules = replace(house.rules, zombies=True, restart={"python": ("restart",), "pytest": ("restart",)})
    cleanup = house.cleanup()
    plan = await cleanup.plan({"stages": ["zombies"]}, NOW)
    (step,) = plan.steps
    parents = step.params["parents"]
    assert isinstance(parents, list)
    # Others may have zombies on this machine; of ours nobody is among those that will be asked.
    assert [each for each in parents if isinstance(each, dict) and each["pid"] == os.getpid()] == []
    nobody = replace(step, params={"count": 0, "parents": []})
    result = await cleanup.do(plan, nobody, Bench())
    reported = result["reported"]
    assert isinstance(reported, list)
    (own,) = (each for each in reported if isinstance(each, dict) and each["pid"] == os.getpid())
    assert own["protected"] is True
    assert house.commands == []


async def test_a_supervisor_is_asked_when_the_configuration_names_a_command(house: House) -> None:
    """A parent that no longer belongs to Guardian: nobody is left who started it."""
    name, command = "guardian-leaks", ("supervisorctl", "restart", "leaks")
    house.rules = replace(house.rules, zombies=True, restart={name: command})
    with orphan_with_a_zombie(name) as pid:
        cleanup = house.cleanup()
        plan = await cleanup.plan({"stages": ["zombies"]}, NOW)
        (step,) = plan.steps
        parents = step.params["parents"]
        assert isinstance(parents, list)
        (parent,) = parents
        assert isinstance(parent, dict)
        assert (parent["pid"], parent["restart"]) == (pid, list(command))
        assert (await cleanup.plan({"stages": ["zombies"]}, NOW)).hash == plan.hash
        with pytest.raises(StepFailed) as failed:
            await cleanup.do(plan, step, Bench())
    assert failed.value.reason == "cleanup_restart"
    assert house.commands == [command]


async def test_the_deep_scan_names_what_it_protects_and_what_is_risky(house: House) -> None:
    scan = await house.cleanup().deep_scan({})
    assert os.getpid() in {each.pid for each in scan.protected}
    assert [disk.path for disk in scan.disks] == [str(house.logs), str(house.temporary)]
    assert scan.at == NOW
    low = replace(scan, unseen=1, active=(Kind.EDITOR,), connections={"ESTABLISHED": 3}, sessions=())
    assert set(risks_of(low)) >= {Risk.USE_UNKNOWN, Risk.PROTECTED_ACTIVE, Risk.SERVING}
    assert not set(risks_of(replace(low, unseen=0, active=(), connections=None))) & {
        Risk.USE_UNKNOWN,
        Risk.PROTECTED_ACTIVE,
        Risk.SERVING,
        Risk.SESSIONS,
    }
