"""What is told of operations."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bot.domain.alerts.model import Condition, Reported, Subject
from bot.domain.levels import Level
from bot.engine.reports import Report, ReportOutcome, ReportsNotTaken
from bot.operating import reported
from bot.store.errors import StoreUnavailable
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
