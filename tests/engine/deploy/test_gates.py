"""Gates 1 and 2: what is found before the new release carries anything, and that nothing is left of it."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.deploy.checks import Asked, ByCommand, ByLoad, ByRequests, Check, CheckRule, Trial, TrialRule
from bot.domain.deploy.record import Outcome
from bot.domain.deploy.slots import Slot
from bot.domain.operations.approval import Click, State
from bot.domain.operations.record import Problem, StepState
from bot.engine.operations.contract import OperationRefused
from bot.store.database import Database
from messages.operation_facts import OperationRefusedFacts
from tests.engine.deploy.ground import BRISK, grounded
from tests.engine.deploy.test_deploy import is_back
from tests.engine.deploy.visitors import visitors
from tests.engine.support import SetClock, until


def by(program: str, seconds: float = 60) -> ByCommand:
    """A check that runs these lines of Python."""
    return ByCommand((sys.executable, "-c", program), timedelta(seconds=seconds))


def verdicts(checks: object) -> list[tuple[object, object]]:
    """What became of those checks."""
    assert isinstance(checks, list)
    return [(each["name"], each["verdict"]) for each in checks]


CHECKS = {
    "fails": (by("raise SystemExit('three errors')"), "fail"),
    "hangs": (by("import time; time.sleep(3600)", 1), "fail"),
    "floods": (
        by("import sys\nfor _ in range(1024): sys.stdout.write('x' * 1024 * 1024)"),
        "fail",
    ),
    "checks nothing": (by("print('0 files checked')"), "nothing"),
    "is not there": (ByCommand(("/no/such/program",), timedelta(seconds=5)), "fail"),
}


@pytest.mark.parametrize("how", CHECKS)
async def test_a_check_that_is_not_good_refuses_the_plan_and_nothing_is_started(
    small: Database, clock: SetClock, how: str
) -> None:
    rule, verdict = CHECKS[how]
    async with grounded(small, clock, environment=BRISK, checks={Check.SECURITY: rule}) as ground:
        ground.put("v2")
        asked = await ground.ask("v2")
        assert isinstance(asked, OperationRefusedFacts)
        assert asked.problem.reason == "deploy_preflight"
        assert verdicts(asked.problem.values["checks"]) == [("security", verdict)]
        assert await ground.yard.store.latest(10) == []
        assert await ground.book.store.running() == []
        assert await ground.changes() == []
        assert await ground.live() == "v1"


@pytest.mark.parametrize("how", ["fails", "hangs", "floods", "checks nothing"])
async def test_a_check_that_is_not_good_any_more_when_it_counts_ends_the_run_before_it_begins(
    small: Database, clock: SetClock, tmp_path: Path, how: str
) -> None:
    rule, verdict = CHECKS[how]
    seal = tmp_path / "sealed"
    program = (
        f"import os\nif os.path.exists({str(seal)!r}): exec({rule.command[-1]!r})\nelse: print('3 files')"
    )
    checks: dict[Check, CheckRule] = {Check.SECURITY: by(program, 5 if how == "hangs" else 60)}
    async with grounded(small, clock, environment=BRISK, checks=checks) as ground:
        ground.put("v2")
        asked = await ground.ask("v2")
        assert not isinstance(asked, OperationRefusedFacts), asked
        seal.touch()
        async with visitors(ground.balancer.url, 2) as found:
            number = await ground.begin("v2")
            over = await ground.over(number)
        assert over.state is State.UNDONE
        assert over.problem is not None
        assert over.problem.reason == "deploy_preflight"
        assert verdicts(over.problem.values["checks"]) == [("security", verdict)]
        assert len(over.steps) == 1
        assert found.failures == []
        assert set(found.answers) == {"v1"}
        await is_back(ground, number, moved=False)
        # Nothing was begun: there is no deployment to count, and nobody is told that anything changed.
        assert await ground.book.store.of_operation(number) is None
        assert await ground.changes() == []


async def test_without_a_verified_backup_there_is_no_plan(small: Database, clock: SetClock) -> None:
    environment = replace(BRISK, data=("/srv/shop",), no_data="")
    refused = OperationRefused("no_backup", target="shop")
    async with grounded(small, clock, environment=environment, backed_up=refused) as ground:
        ground.put("v2")
        asked = await ground.ask("v2")
        assert isinstance(asked, OperationRefusedFacts)
        assert asked.problem.reason == "no_backup"


TRIALS: dict[str, tuple[Trial, TrialRule]] = {
    "requests": (
        Trial.SMOKE,
        ByRequests((Asked("/", (200, 200), None), Asked("/", (200, 200), "welcome")), timedelta(seconds=5)),
    ),
    "command": (Trial.INTEGRATION, by("raise SystemExit(1)")),
    "load": (
        Trial.PERFORMANCE,
        ByLoad(("/",), 40, 200, p95_ms=0.0001, error_rate=1, timeout=timedelta(seconds=5)),
    ),
}


@pytest.mark.parametrize("how", TRIALS)
async def test_a_release_that_fails_its_tests_never_carries_anything(
    small: Database, clock: SetClock, how: str
) -> None:
    trial, rule = TRIALS[how]
    async with grounded(small, clock, environment=BRISK, trials={trial: rule}) as ground:
        ground.put("v2")
        async with visitors(ground.balancer.url, 2) as found:
            number = await ground.begin("v2")
            over = await ground.over(number)
        assert over.state is State.UNDONE
        assert over.problem is not None
        assert over.problem.reason == "deploy_tests"
        assert verdicts(over.problem.values["checks"]) == [(trial.value, "fail")]
        assert found.failures == []
        assert set(found.answers) == {"v1"}
        await is_back(ground, number, moved=False)
        row = await ground.row(number)
        assert (row.outcome, row.traffic_at, row.failed_at) == (Outcome.FAILED, None, None)
        assert await ground.changes() == []
        assert ground.yard.alerts == [(number, State.UNDONE)]


_STUBBORN = """
import sys, time, urllib.request
answered = 0
while answered < 4:
    try:
        urllib.request.urlopen(sys.argv[1]).read()
        answered += 1
    except OSError:
        time.sleep(0.05)
print("4 requests")
"""


async def test_a_release_that_crashes_under_a_test_which_asks_again_is_found_out(
    small: Database, clock: SetClock
) -> None:
    rule = ByCommand((sys.executable, "-c", _STUBBORN, "{url}"), timedelta(seconds=60))
    async with grounded(small, clock, environment=BRISK, trials={Trial.INTEGRATION: rule}) as ground:
        ground.put("v2", dies_after=3)
        number = await ground.begin("v2")
        over = await ground.over(number)
        assert over.state is State.UNDONE
        assert over.problem is not None
        assert (over.problem.reason, dict(over.problem.values)) == ("green_restarted", {"count": 1})
        await is_back(ground, number, moved=False)


async def test_a_release_that_never_gets_healthy_never_carries_anything(
    small: Database, clock: SetClock
) -> None:
    health = replace(BRISK.health, within=timedelta(seconds=8))
    async with grounded(small, clock, environment=replace(BRISK, health=health)) as ground:
        ground.put("v2", healthy=False)
        async with visitors(ground.balancer.url, 2) as found:
            number = await ground.begin("v2")
            over = await ground.over(number)
        assert over.state is State.UNDONE
        assert over.problem is not None
        assert (over.problem.reason, over.problem.values["problem"]) == ("green_unhealthy", "health_body")
        assert found.failures == []
        await is_back(ground, number, moved=False)
        assert (await ground.row(number)).outcome is Outcome.FAILED


async def test_a_release_that_cannot_start_is_gone_again(small: Database, clock: SetClock) -> None:
    async with grounded(small, clock, environment=BRISK) as ground:
        ground.put("v2")
        (ground.folder / "releases" / "v2" / "service.py").write_text("raise SystemExit(3)")
        number = await ground.begin("v2")
        over = await ground.over(number)
        assert over.state is State.UNDONE
        assert isinstance(over.problem, Problem)
        assert over.problem.reason in ("green_unhealthy", "release_start")
        assert [step.state for step in over.steps][-1] is StepState.UNDONE
        await is_back(ground, number, moved=False)


async def test_somebody_who_stops_it_before_it_carries_anything(small: Database, clock: SetClock) -> None:
    trials: dict[Trial, TrialRule] = {Trial.SMOKE: by("import time; time.sleep(3600)", 3600)}
    async with grounded(small, clock, environment=BRISK, trials=trials) as ground:
        ground.put("v2")
        number = await ground.begin("v2")
        await ground.reaches_step(number, "verify")
        assert await ground.site.releases.find(Slot.B) is not None
        await ground.press(Click.STOP, number)
        over = await ground.over(number)
        assert (over.state, over.problem) == (State.UNDONE, None)
        await is_back(ground, number, moved=False)
        assert (await ground.row(number)).outcome is Outcome.STOPPED
        await until(lambda: ground.yard.thread(number)[-1:] == ["end"])
