"""Taking a reading for oneself, beside the watch: what `guardian probe` and operations do."""

from __future__ import annotations

import asyncio
import math
from datetime import datetime

from bot.domain.durations import format_duration
from bot.engine.threads import in_daemon_thread
from probes.base import AsyncProbe, BlockingProbe, Probe, Problem, ProblemKind, Reading

LONGEST_DETAIL = 300


async def take(probe: Probe, at: datetime) -> list[Reading]:
    """What the probe says, within its own time-out. Whatever it does (throws, hangs, returns nonsense)
    becomes its readings: each of its metrics without a value. The probe must not be in the watch's hands at
    the same time."""
    try:
        async with asyncio.timeout(probe.timeout.total_seconds()):
            if isinstance(probe, BlockingProbe):
                blocking = probe
                readings = await in_daemon_thread(lambda: blocking.read_blocking(at), f"probe-{probe.name}")
            elif isinstance(probe, AsyncProbe):
                readings = await probe.read(at)
            else:
                return without(probe, at, Problem(ProblemKind.UNSUPPORTED))
    except TimeoutError:
        return without(probe, at, Problem(ProblemKind.TIMEOUT, format_duration(probe.timeout)))
    except Exception as error:  # noqa: BLE001 - a probe may raise anything; here that is its answer
        detail = f"{type(error).__name__}: {error}"[:LONGEST_DETAIL]
        return without(probe, at, Problem(ProblemKind.FAILED, detail))
    wrong = nonsense(probe, readings)
    return readings if wrong is None else without(probe, at, Problem(ProblemKind.NONSENSE, wrong))


def without(probe: Probe, at: datetime, problem: Problem) -> list[Reading]:
    """What a probe that failed as a whole leaves: each of its metrics without a value."""
    return [
        Reading(metric=metric, target=probe.target, value=None, unit=unit, at=at, problem=problem)
        for metric, unit in probe.metrics.items()
    ]


def nonsense(probe: Probe, readings: object) -> str | None:
    """What is wrong with what a probe returned; None when it can be believed."""
    if not isinstance(readings, list):
        return f"returned {type(readings).__name__}, not a list of readings"
    for reading in readings:
        if not isinstance(reading, Reading):
            return f"returned a list with {type(reading).__name__} in it"
        if reading.metric not in probe.metrics:
            return f"returned the metric {reading.metric}, which it does not declare"
        if reading.value is not None and not _is_number(reading.value):
            return f"returned {reading.value!r} for {reading.metric}"[:LONGEST_DETAIL]
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
