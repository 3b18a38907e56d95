"""What the card says of a stage while it is watched."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.deploy.certainty import upper_bound
from bot.domain.deploy.chart import Point
from bot.domain.deploy.measures import Counted, Usage
from bot.domain.deploy.sample import Reason
from bot.domain.deploy.stage import Phase, Stage
from bot.domain.deploy.verdict import Outcome, mean_usage


@dataclass(frozen=True, slots=True)
class Told:
    """A stage in figures. Rates are percent, 95th percentiles milliseconds, of this stage."""

    share: int
    phase: Phase
    held_by: str | None
    seconds_left: float
    """of the dwell, of the extension, or until nobody has answered; 0 if it is over, and held or passed"""
    outcome: Outcome
    reasons: tuple[Reason, ...]
    """faults, or what is lacking"""
    needed: int | None
    """further requests until enough is certain; None if it is"""
    green: Counted
    """own requests among them"""
    blue: Counted
    green_p95: float | None
    blue_p95: float | None
    usage: Usage | None
    total: Counted
    """Green's in the whole run"""
    probes: int
    """own requests among those"""
    stage_probes: int
    """own requests among `green`"""
    surely_below: float
    """percent: Green's true error rate is below this, at 95 %"""
    points: tuple[Point, ...]


def told(stage: Stage, now: float) -> Told:
    """The stage as it stands. Of one that is rolled back, why."""
    evidence = stage.evidence
    thought = stage.verdict(now)
    outcome, reasons = thought.outcome, thought.faults or thought.lacks
    if stage.rolled_back is not None:
        outcome, reasons = Outcome.FAIL, stage.rolled_back.reasons
    return Told(
        share=stage.share,
        phase=stage.phase,
        held_by=stage.held_by,
        seconds_left=_seconds_left(stage, now),
        outcome=outcome,
        reasons=reasons,
        needed=thought.needed,
        green=evidence.stage,
        blue=evidence.blue.stage,
        green_p95=evidence.took.quantile(0.95),
        blue_p95=evidence.blue.took.quantile(0.95),
        usage=mean_usage(evidence, stage.rules),
        total=evidence.total,
        probes=evidence.probed.requests,
        stage_probes=evidence.stage_probed.requests,
        surely_below=upper_bound(evidence.total),
        points=stage.chart.points,
    )


def _seconds_left(stage: Stage, now: float) -> float:
    if stage.rolled_back is not None or stage.passed is not None:
        return 0.0
    rules = stage.rules
    since = stage.watched - stage.turned_at
    match stage.phase:
        case Phase.DWELLING | Phase.EXTENDED:
            left = rules.dwell - since
        case Phase.PROBING:
            left = rules.probe_for - since
        case Phase.ASKING:
            waits = stage.asked_at is not None and stage.held_by is None
            left = rules.ask_for - (now - (stage.asked_at or 0.0)) if waits else 0.0
    return max(0.0, left)
