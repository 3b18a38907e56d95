"""What drivers and health checks say, as failures of steps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bot.engine.operations.contract import StepFailed
from bot.tools.releases.contract import ReleaseFailed
from bot.tools.releases.health import Health
from bot.tools.traffic.contract import TrafficFailed


@contextmanager
def as_failures() -> Iterator[None]:
    """What a driver could not do as a step's failure."""
    try:
        yield
    except (ReleaseFailed, TrafficFailed) as failed:
        raise StepFailed(failed.reason, detail=failed.detail) from None


def unhealthy(reason: str, health: Health) -> StepFailed:
    """That a release does not get healthy, and the last thing that was wrong with it."""
    problem = health.problem
    return StepFailed(
        reason,
        seconds=round(health.seconds, 1),
        problem="" if problem is None else problem.name,
        values={} if problem is None else dict(problem.values),
    )
