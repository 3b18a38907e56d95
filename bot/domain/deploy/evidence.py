"""All that the judge has seen in a run: sums and scores, no history. A stage takes over what the one before
it knew."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache

from bot.domain.deploy.measures import Counted, Counters, Latencies, Usage
from bot.domain.deploy.sample import Sample
from bot.domain.deploy.sequential import Comparison, RateTest, RatioTest, Suspicion
from bot.domain.deploy.thresholds import Rules, Thresholds

SLOW_SHARE = 5.0
"""percent of requests that may be slower than the threshold: what a 95th percentile means"""
SLOW_GOOD, SLOW_BAD = 0.03, 0.08
SLOW_ALPHA = 0.0001
BURST = 1 / 3
"""Of a boundary, what one look's latencies can add. Requests are slow together, in one pause: a single look
must not decide."""
COMPARABLE = 100
"""Requests of Blue's that its 95th percentile must come from."""
TIMES_BLUE, BEYOND_BLUE = 1.5, 20.0


@lru_cache
def error_test(limit: float) -> RateTest:
    """Half the threshold (percent) against five times it: 0.05 % against 0.5 % (operations.md, Deploy)."""
    share = limit / 100
    return RateTest(share / 2, min(5 * share, (1 + share) / 2))


SLOW_TEST = RateTest(SLOW_GOOD, SLOW_BAD, alpha=SLOW_ALPHA, most=BURST)
"""Evidence grows above 5.1 % slow requests and shrinks below: the threshold is a 95th percentile. 8 % fail
after about 300 requests. With 1 % against 10 % evidence would grow from 4 % on, and at 2 % the score comes to
the boundary by chance every few thousand requests; with these, hardly ever (docs/judge.md)."""
ERRORS_TEST = RatioTest()
LATENCY_TEST = RatioTest(most=1 / 5)
"""Blue's share of slow requests says how often Blue is slow, and in pauses that is seldom: each block speaks
for a fifth at most, and only a share above SLOW_SHARE counts (`verdict`), for it is two 95th percentiles that
are compared."""


@dataclass(frozen=True, slots=True)
class Side:
    """One colour, by what the load balancer counts."""

    counters: Counters | None = None
    """as last seen"""
    latencies: Latencies | None = None
    """likewise"""
    run: Counted = field(default_factory=Counted)
    """since the first look"""
    stage: Counted = field(default_factory=Counted)
    took: Latencies = field(default_factory=Latencies)
    """in this stage"""

    def seen(self, counters: Counters | None, latencies: Latencies | None) -> tuple[Side, Counted, Latencies]:
        """With a look more, and what is new by it. The first look only says where counting begins: what the
        slot carried before is another release's. A load balancer that began anew counts from 0 on, all of it
        since the last look."""
        new = Counted()
        if counters is not None and self.counters is not None:
            new = counters.since(self.counters)
        took = Latencies()
        if latencies is not None and self.latencies is not None:
            began_anew = latencies.total < self.latencies.total
            took = latencies if began_anew else latencies.minus(self.latencies)
        side = Side(
            counters or self.counters,
            latencies or self.latencies,
            self.run + new,
            self.stage + new,
            self.took.plus(took) if latencies is not None else self.took,
        )
        return side, new, took


@dataclass(frozen=True, slots=True)
class Life:
    """Whether Green runs, as last known."""

    alive: bool | None = None
    known_at: float | None = None
    restarts: int | None = None
    """when it was first looked at"""
    restarted: int | None = None
    """how often it is restarted now, if that is not what it was"""
    failed: int = 0
    """health checks in a row"""

    def seen(self, sample: Sample, now: float) -> Life:
        """With a look more."""
        first = self.restarts if self.restarts is not None else sample.restarts
        other = sample.restarts is not None and sample.restarts != first
        failed = self.failed
        if sample.healthy is not None:
            failed = 0 if sample.healthy else failed + 1
        return Life(
            self.alive if sample.alive is None else sample.alive,
            self.known_at if sample.alive is None else now,
            first,
            sample.restarts if other else self.restarted,
            failed,
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything counted, and how much speaks against Green."""

    green: Side = field(default_factory=Side)
    blue: Side = field(default_factory=Side)
    probed: Counted = field(default_factory=Counted)
    """own requests in the run. They count as Green's, but not where Green is compared with Blue: they are
    other requests and come by another door"""
    stage_probed: Counted = field(default_factory=Counted)
    """of those, this stage's"""
    total: Counted = field(default_factory=Counted)
    """Green's in the run, own requests among them"""
    stage: Counted = field(default_factory=Counted)
    """likewise in this stage"""
    took: Latencies = field(default_factory=Latencies)
    """Green's in this stage, own requests among them"""
    measured: bool = False
    """whether Green's latencies have been measured in this stage at all"""
    errors: Suspicion = field(default_factory=Suspicion)
    slow: Suspicion = field(default_factory=Suspicion)
    errors_beside: Comparison = field(default_factory=Comparison)
    slow_beside: Comparison = field(default_factory=Comparison)
    limit_beside: float | None = None
    """what counts as slow beside Blue, milliseconds; None while too little is known of Blue"""
    usage: tuple[tuple[float, Usage], ...] = ()
    """of the last while, with the moments"""
    life: Life = field(default_factory=Life)

    def for_stage(self) -> Evidence:
        """As the next stage begins with it: suspicions and the run's sums stay, what belongs to one share of
        traffic goes."""
        return replace(
            self,
            green=replace(self.green, stage=Counted(), took=Latencies()),
            blue=replace(self.blue, stage=Counted(), took=Latencies()),
            stage=Counted(),
            stage_probed=Counted(),
            took=Latencies(),
            measured=False,
            slow_beside=Comparison(),
            limit_beside=None,
            usage=(),
        )


@dataclass(frozen=True, slots=True)
class News:
    """What one look brought, for the card's small chart."""

    green: Counted = field(default_factory=Counted)
    blue: Counted = field(default_factory=Counted)
    green_took: Latencies = field(default_factory=Latencies)
    blue_took: Latencies = field(default_factory=Latencies)


def absorbed(evidence: Evidence, sample: Sample, rules: Rules, now: float) -> tuple[Evidence, News]:
    """The evidence with one look more, and what was new in it."""
    green, carried, took = evidence.green.seen(sample.green, sample.green_latencies)
    blue, beside, blue_took = evidence.blue.seen(sample.blue, sample.blue_latencies)
    counted = carried + sample.probed
    all_took = took if sample.probe_latencies is None else took.plus(sample.probe_latencies)
    thresholds = rules.thresholds
    limit = _limit_beside(evidence.blue.took)
    changed = replace(
        evidence,
        green=green,
        blue=blue,
        probed=evidence.probed + sample.probed,
        stage_probed=evidence.stage_probed + sample.probed,
        total=evidence.total + counted,
        stage=evidence.stage + counted,
        took=evidence.took.plus(all_took),
        measured=evidence.measured or all_took.total > 0,
        errors=evidence.errors.after(error_test(thresholds.error_rate), counted, beside),
        slow=evidence.slow.after(SLOW_TEST, _slow(all_took, thresholds), _slow(blue_took, thresholds)),
        errors_beside=evidence.errors_beside.after(
            ERRORS_TEST, carried, beside, both=sample.green is not None and sample.blue is not None
        ),
        slow_beside=_compared(evidence, sample, limit, took, blue_took),
        limit_beside=limit,
        usage=_recent(evidence.usage, sample.usage, rules.usage_window, now),
        life=evidence.life.seen(sample, now),
    )
    return changed, News(counted, beside, all_took, blue_took)


def slow_in(took: Latencies, thresholds: Thresholds) -> Counted:
    """How many were measured, and as its errors how many were slower than the threshold."""
    return _slow(took, thresholds)


def _slow(took: Latencies, thresholds: Thresholds) -> Counted:
    return Counted(took.total, took.over(thresholds.response_ms))


def _limit_beside(blue: Latencies) -> float | None:
    """Slower than Blue: beyond half as much again as its 95th percentile in this stage, and by 20 ms at
    least, below which nobody notices."""
    quantile = blue.quantile(0.95) if blue.total >= COMPARABLE else None
    if quantile is None or quantile == float("inf"):
        return None
    return max(TIMES_BLUE * quantile, quantile + BEYOND_BLUE)


def _compared(
    evidence: Evidence, sample: Sample, limit: float | None, took: Latencies, blue_took: Latencies
) -> Comparison:
    if limit is None:
        return evidence.slow_beside
    return evidence.slow_beside.after(
        LATENCY_TEST,
        Counted(took.total, took.over(limit)),
        Counted(blue_took.total, blue_took.over(limit)),
        both=sample.green_latencies is not None and sample.blue_latencies is not None,
    )


def _recent(
    known: tuple[tuple[float, Usage], ...], usage: Usage | None, window: float, now: float
) -> tuple[tuple[float, Usage], ...]:
    """Those within the window, and the one before: where looks are seldom, it spans the window. Each is the
    average since the look before it."""
    inside = tuple(each for each in known if now - each[0] <= window)
    kept = (*known[: len(known) - len(inside)][-1:], *inside)
    return kept if usage is None else (*kept, (now, usage))
