"""A stage of traffic while it is watched: look, judge, say, and do what the judge says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from pydantic import JsonValue

from bot.domain.deploy.sample import Reason
from bot.domain.deploy.slots import Slot, share_of
from bot.domain.deploy.stage import Decision, Kind, Stage, go, hold, step
from bot.domain.deploy.thresholds import Rules, Thresholds
from bot.domain.deploy.told import Told, told
from bot.engine.deploy.back import patiently
from bot.engine.deploy.sampling import Look, Sampler
from bot.engine.deploy.site import Site
from bot.engine.operations.contract import Guided, StepFailed, Stopped, Work

_BASELINE_SECONDS = 2.0
"""or as long as a stage, where that is shorter"""
_POINTS = 20
"""of a line in the card"""
_SURE = 2
"""looks in a row"""
_OFTEN, _SELDOM = 0.2, 1.0
"""seconds between two looks at least, and at most"""
_HASTY = 0.5
"""seconds that a look has to find something out when somebody has pressed a button"""
_LONG = 60.0
"""seconds, far more than a look takes"""


def rules_of(site: Site, seconds: float | None = None) -> Rules:
    """How its stages are judged. `seconds`: of the dwell, where it is another one."""
    environment, limits = site.environment, site.environment.limits
    dwell = environment.dwell.total_seconds() if seconds is None else seconds
    return Rules(
        thresholds=Thresholds(limits.error_rate, limits.response_ms, limits.cpu, limits.memory),
        dwell=dwell,
        usage_needed=not environment.no_usage,
        blind_patience=site.blind_patience,
        ask_for=environment.ask_for.total_seconds(),
        probes_per_second=environment.probes.per_second,
        probe_early=environment.probes.early,
        probe_for=max(dwell, 1.0),
    )


async def baseline(site: Site, blue: Slot, work: Work) -> dict[str, JsonValue]:
    """How Blue does now, measured for a moment. Raises StepFailed."""
    with site.listening():
        began, counted = time.monotonic(), await patiently(site, lambda: site.traffic.counters(blue))
        heard = await site.traffic.latencies(blue)
        await work.guided.wait(min(_BASELINE_SECONDS, site.environment.dwell.total_seconds()))
        seconds = time.monotonic() - began
        since = (await patiently(site, lambda: site.traffic.counters(blue))).since(counted)
        took = await site.traffic.latencies(blue)
    p95 = None if took is None or heard is None else took.minus(heard).quantile(0.95)
    return {
        "per_second": round(since.requests / seconds, 1),
        "rate": since.rate,
        "p95": None if p95 is None or p95 == float("inf") else round(p95, 1),
    }


async def watch(
    site: Site,
    stage: Stage,
    sampler: Sampler,
    work: Work,
    seconds: float,
    ends_at: float | None = None,
    taken_away: Callable[[], Awaitable[bool]] | None = None,
) -> Stage:
    """Watch a stage until it passes. `seconds` it lasts at least, for the card. `ends_at` (monotonic): a
    release that has passed already is watched until then, or until somebody presses 계속. `taken_away`:
    whether the watchdog has taken traffic back; asked at every look. Raises StepFailed when traffic has to go
    back, and Stopped when somebody wants it to."""
    guided, answered = work.guided, len(work.guided.let_go_by)
    declared, elsewhere = False, 0
    pause = min(_SELDOM, max(_OFTEN, seconds / 20))
    probes = site.environment.probes
    waits = 0.0
    while True:
        look = await _look(sampler, guided, waits)
        waits = pause
        now = time.monotonic()
        stage, decision = step(stage, look.sample, now)
        if guided.held_by is not None and stage.held_by is None:
            stage, decision = hold(stage, guided.held_by, now)
        for by in guided.let_go_by[answered:]:
            declared = declared or stage.held_by is None  # or it ends a hold, and no more
            stage, decision = go(stage, by, now)
        answered = len(guided.let_go_by)
        _tell(work, stage, seconds, ends_at, now)
        if taken_away is not None and await taken_away():
            raise StepFailed("watchdog", **figures(told(stage, now)))
        if look.b is not None:  # what is not known counts for nothing
            elsewhere = elsewhere + 1 if share_of(sampler.green, look.b) != stage.share else 0
        if elsewhere >= _SURE:
            # Somebody has taken traffic away by hand: that is not ours to fight.
            raise StepFailed("traffic_moved", **figures(told(stage, now)))
        if decision.kind is Kind.ROLL_BACK:
            raise StepFailed("judged", faults=_named(decision.reasons), **figures(told(stage, now)))
        if work.stopping:
            raise Stopped(figures(told(stage, now)))
        if guided.held_by is None and _is_over(decision, ends_at, now, declared):
            return stage
        if decision.kind is Kind.PROBE:
            sampler.probe(decision.probes, probes.paths, probes.per_second)
        elif decision.kind is Kind.ASK and ends_at is None:
            # Only for this somebody is called: that a stage takes longer, the card says.
            guided.call(decision.kind.value, {"missing": _named(decision.missing), "share": stage.share})


async def _look(sampler: Sampler, guided: Guided, waits: float) -> Look:
    """A look in so many seconds; when somebody presses a button, one at once, of what is known at once."""
    looking = asyncio.create_task(_taken(sampler, waits), name="deploy:look")
    pressing = asyncio.create_task(guided.wait(_LONG), name="deploy:pressed")
    try:
        await asyncio.wait({looking, pressing}, return_when=asyncio.FIRST_COMPLETED)
        if looking.done():
            return looking.result()
    finally:
        looking.cancel()
        pressing.cancel()
        await asyncio.gather(looking, pressing, return_exceptions=True)
    return await sampler.take(_HASTY)


async def _taken(sampler: Sampler, waits: float) -> Look:
    await asyncio.sleep(waits)
    return await sampler.take()


def _is_over(decision: Decision, ends_at: float | None, now: float, declared: bool) -> bool:
    if ends_at is None:
        return decision.kind is Kind.PASS
    return now >= ends_at or declared


def figures(seen: Told) -> dict[str, JsonValue]:
    """What is kept of a stage, and shown when it is over."""
    return {
        "share": seen.share,
        "requests": seen.green.requests,
        "errors": seen.green.errors,
        "rate": seen.green.rate,
        "p95": _finite(seen.green_p95),
        "blue_requests": seen.blue.requests,
        "blue_rate": seen.blue.rate,
        "blue_p95": _finite(seen.blue_p95),
        "probes": seen.stage_probes,
        "surely_below": round(seen.surely_below, 4),
    }


def _tell(work: Work, stage: Stage, seconds: float, ends_at: float | None, now: float) -> None:
    seen = told(stage, now)
    asked = (stage.asked_at is not None and stage.passed is None) or ends_at is not None
    if stage.held_by is not None or asked:
        controls = ["go", "stop"] if stage.held_by is not None else ["go", "hold", "stop"]
    else:
        controls = ["hold", "stop"]
    points = seen.points[-_POINTS:]
    work.guided.tell(
        {
            **figures(seen),
            "phase": seen.phase.value,
            "held": stage.held_by is not None,
            "seconds": seconds,
            "seconds_left": round(max(0.0, seen.seconds_left if ends_at is None else ends_at - now), 1),
            "outcome": seen.outcome.value,
            "reasons": _named(seen.reasons),
            "needed": seen.needed,
            "cpu": None if seen.usage is None else round(seen.usage.cpu, 1),
            "memory": None if seen.usage is None else round(seen.usage.memory, 1),
            "rates": [each.green.rate for each in points],
            "blue_rates": [each.blue.rate for each in points],
            "p95s": [_finite(each.green_p95) for each in points],
            "blue_p95s": [_finite(each.blue_p95) for each in points],
        },
        controls,
    )


def _named(reasons: tuple[Reason, ...]) -> list[JsonValue]:
    return [{"name": each.name.value, "values": dict(each.values)} for each in reasons]


def _finite(value: float | None) -> float | None:
    """JSON has no infinity."""
    return None if value is None or value == float("inf") else round(value, 1)


def kept_warm(rules: Rules) -> Rules:
    """How a release is judged that carries everything while Blue is kept warm: it has passed already, so that
    neither silence nor a load balancer that cannot be asked takes it back."""
    return replace(rules, blind_patience=float("inf"), ask_for=float("inf"), probes_per_second=0.0)
