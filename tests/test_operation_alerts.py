"""What is told of operations."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bot.domain.alerts.model import Condition, Reported, Subject
from bot.domain.levels import Level
from bot.domain.operations.approval import State
from bot.domain.operations.plan import Plan, Step
from bot.domain.operations.record import OperationRecord, Problem, StepRecord, StepState
from bot.engine.reports import Report, ReportOutcome, ReportsNotTaken
from bot.operation_alerts import is_told, reported, title_of
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


SHOWN = {"service": "shop", "revision": "v5", "environment": "production"}


@pytest.mark.parametrize(
    ("language", "operation", "state", "failed", "expected"),
    [
        (
            "ko",
            "deploy",
            State.UNDONE,
            ["Green에서 v5 시작"],
            "배포 production: shop v5 롤백됨 – Green에서 v5 시작",
        ),
        ("ko", "deploy", State.FAILED, [], "배포 production: shop v5 실패, 확인 필요"),
        ("en", "deploy", State.DONE, [], "Deployment production: shop v5 done"),
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
