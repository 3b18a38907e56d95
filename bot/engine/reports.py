"""What others report: a monitoring system by webhook, a job by its heartbeat. The desk makes alerts of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from bot.domain.alerts.model import Reported, Subject
from probes.base import Layer


class Report(NamedTuple):
    """One judgement of somebody else's. `labels` are its own; what all alerts have (environment, metric,
    target …) is the desk's to add."""

    subject: Subject
    labels: Mapping[str, str]
    event: Reported
    layer: Layer = Layer.APPLICATION


@dataclass(frozen=True, slots=True)
class ReportOutcome:
    """How many of the reports opened an alert (a reopening is one), ended one, only said again what
    was known (or that something is over of which nothing was known), or changed an open one, as its level."""

    opened: int = 0
    resolved: int = 0
    repeated: int = 0
    changed: int = 0


class ReportsNotTaken(Exception):
    """The desk can't take reports now and has taken none of these; worth sending again in `retry_after`
    seconds."""

    def __init__(self, detail: str, retry_after: int = 5) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after = retry_after


class ReportDesk(Protocol):
    """Where reports are judged."""

    async def report(self, reports: Sequence[Report]) -> ReportOutcome:
        """Judge all of them in this order, or none.

        Raises ReportsNotTaken, and StoreUnavailable where nothing can be kept meanwhile either.
        """
        ...
