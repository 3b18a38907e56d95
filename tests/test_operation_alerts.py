"""What is told of operations."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from pydantic import JsonValue

from bot.domain.alerts.model import Condition, Reported, Subject
from bot.domain.levels import Level
from bot.domain.operations.approval import State
from bot.domain.operations.plan import Plan, Step
from bot.domain.operations.record import OperationRecord, Problem, StepRecord, StepState
from bot.engine.reports import Report, ReportOutcome, ReportsNotTaken
from bot.operation_alerts import about_of, is_told, reported, title_of, was_wanted
from bot.store.errors import StoreUnavailable
from messages.render import Voice
from tests.factories import T0

REPORT = Report(
    Subject("production", "operation:cleanup", "operation", "cleanup", Condition.REPORTED),
    {},
    Reported(True, Level.ERROR, T0, "a cleanup failed", {}),
)


class Desk:
    """Takes no reports for a while."""

    def __init__(self) -> None:
        self.busy = True
        self.taken: list[Report] = []

    async def report(self, reports: Sequence[Report]) -> ReportOutcome:
        if self.busy:
            raise ReportsNotTaken("starting")
        self.taken += reports
        return ReportOutcome(opened=len(reports))


async def test_a_report_that_is_not_taken_is_not_lost_but_waited_for() -> None:
    desk = Desk()
    with pytest.raises(StoreUnavailable):
        await reported(desk, REPORT)
    desk.busy = False
    await reported(desk, REPORT)
    assert desk.taken == [REPORT]


STEPS = (
    Step("backup_check", {"place": "local"}),
    Step("backup_prove", {"source": "www"}),
    Step("backup_prove", {"source": "db"}),
    Step("backup_retention"),
    Step("backup_drill", {"source": "db"}),
)


@pytest.mark.parametrize(
    ("failed", "told", "expected"),
    [
        ({1: "not_verified"}, {"www"}, True),
        ({1: "not_verified"}, {"www", "db"}, True),
        ({1: "not_verified"}, {"db"}, False),
        ({0: "damaged", 1: "not_verified", 2: "not_verified", 3: "retention_waits"}, {"www", "db"}, True),
        ({0: "damaged", 1: "not_verified", 2: "not_verified"}, {"www"}, False),
        ({1: "not_verified", 3: "disk_full"}, {"www"}, False),
        ({3: "disk_full"}, {"www"}, False),
        ({4: "drill_needed_second"}, {"www"}, False),
        ({4: "drill_needed_second"}, set[str](), False),
    ],
)
def test_alerts_about_sources_stand_for_what_failed_for_these(
    failed: dict[int, str], told: set[str], expected: bool
) -> None:
    plan = Plan("backup", "backup", T0, STEPS)
    steps = tuple(
        StepRecord(number, StepState.FAILED, T0, T0, {}, Problem("failed", reason))
        for number, reason in failed.items()
    )
    record = OperationRecord(1, plan, plan.hash, {}, State.PARTIAL, "ops", "U0ANN", T0, T0, steps=steps)
    assert is_told(record, told) is expected


SHOWN: dict[str, JsonValue] = {"service": "shop", "revision": "v5", "environment": "production"}


@pytest.mark.parametrize(
    ("language", "operation", "state", "failed", "expected"),
    [
        (
            "ko",
            "deploy",
            State.UNDONE,
            ["Green에서 v5 시작"],
            "배포 shop v5 롤백됨 – Green에서 v5 시작",
        ),
        ("ko", "deploy", State.FAILED, [], "배포 shop v5 실패, 확인 필요"),
        ("en", "deploy", State.DONE, [], "Deployment shop v5 done"),
        ("en", "cleanup", State.PARTIAL, ["Clean old logs"], "Cleanup production: Clean old logs"),
        ("ko", "cleanup", State.DONE, [], "정리 production"),
    ],
)
def test_the_title_of_an_alert_says_what_became_of_a_release(
    language: str, operation: str, state: State, failed: list[str], expected: str
) -> None:
    plan = Plan(operation, "production", T0, (Step("green"),), SHOWN)
    record = OperationRecord(1, plan, plan.hash, {}, state, "ops", "U0ANN", T0, T0)
    voice = Voice(language)
    assert title_of(lambda key, values: voice.phrase(key, **values), record, state, failed) == expected


def _about(operation: str, subject: str, shown: dict[str, JsonValue]) -> Report:
    plan = Plan(operation, subject, T0, (Step("green"),), shown)
    return about_of(plan, "web-1", Reported(True, Level.ERROR, T0, "it failed"))


def test_a_deployment_and_a_rollback_of_one_service_in_one_place_are_about_the_same() -> None:
    deployed = _about("deploy", "production", SHOWN)
    back = _about("rollback", "production/shop", {**SHOWN, "target": "v4"})
    assert deployed.subject == back.subject
    assert deployed.subject.environment == "production"
    assert deployed.labels == back.labels == {"operation": "deploy", "service": "shop"}


@pytest.mark.parametrize("other", [{"service": "cart"}, {"environment": "staging"}])
def test_one_that_ends_well_says_nothing_about_another_service_or_place(other: dict[str, str]) -> None:
    here, there = _about("deploy", "production", SHOWN), _about("deploy", "production", {**SHOWN, **other})
    assert here.subject.key != there.subject.key


def test_what_is_no_deployment_is_told_where_the_guardian_is() -> None:
    cleanup = _about("cleanup", "host:web-1", {})
    assert (cleanup.subject.environment, cleanup.subject.target) == ("web-1", "cleanup host:web-1")
    assert cleanup.labels == {"operation": "cleanup"}


@pytest.mark.parametrize(
    ("state", "stopped_by", "wanted"),
    [
        (State.DONE, None, False),
        (State.DONE, "U0BOB", False),
        (State.UNDONE, None, False),
        (State.UNDONE, "U0BOB", True),
        (State.PARTIAL, "U0BOB", True),
        (State.STOPPED, "U0BOB", True),
        (State.FAILED, "U0BOB", False),
    ],
)
def test_what_somebody_stopped_is_told_only_if_it_could_not_be_undone(
    state: State, stopped_by: str | None, wanted: bool
) -> None:
    plan = Plan("deploy", "production", T0, (Step("green"),), SHOWN)
    record = OperationRecord(1, plan, plan.hash, {}, state, "ops", "U0ANN", T0, T0, stopped_by=stopped_by)
    assert was_wanted(record, state) is wanted
