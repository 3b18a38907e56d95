"""A desk that only keeps book, and can be away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.engine.reports import Report, ReportOutcome


@dataclass
class ReportBook:
    """Every report taken, and which subjects are open. `away` is what it raises instead."""

    reports: list[Report] = field(default_factory=list)
    open: set[str] = field(default_factory=set)
    away: Exception | None = None
    calls: int = 0

    async def report(self, reports: Sequence[Report]) -> ReportOutcome:
        """Judge by the key alone."""
        self.calls += 1
        if self.away is not None:
            raise self.away
        opened = resolved = 0
        for report in reports:
            self.reports.append(report)
            known = report.subject.key in self.open
            if report.event.firing and not known:
                opened += 1
                self.open.add(report.subject.key)
            elif not report.event.firing and known:
                resolved += 1
                self.open.discard(report.subject.key)
        return ReportOutcome(opened, resolved, len(reports) - opened - resolved)

    def taken(self) -> list[Report]:
        """The reports since this was asked last."""
        taken, self.reports = self.reports, []
        return taken
