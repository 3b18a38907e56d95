"""What all measures of a stage say together: pass, fail, or too little is known. Never pass on no data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue

from bot.domain.deploy.certainty import is_above, needed
from bot.domain.deploy.evidence import (
    ERRORS_TEST,
    LATENCY_TEST,
    SLOW_SHARE,
    SLOW_TEST,
    Evidence,
    error_test,
    slow_in,
)
from bot.domain.deploy.measures import Counted, Usage
from bot.domain.deploy.sample import Fault, Lack, Reason
from bot.domain.deploy.thresholds import Rules

UNHEALTHY_AFTER = 2
"""Health checks that fail in a row. One may be lost on the way."""


class Outcome(StrEnum):
    """What a verdict comes to."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Faults if it fails, lacks if it is inconclusive."""

    faults: tuple[Reason, ...] = ()
    lacks: tuple[Reason, ...] = ()
    needed: int | None = None
    """further requests, all in order, until error rate and response time are certain; None if they are"""

    @property
    def outcome(self) -> Outcome:
        """A fault outweighs everything; what is lacking leaves it open."""
        if self.faults:
            return Outcome.FAIL
        return Outcome.INCONCLUSIVE if self.lacks else Outcome.PASS


def verdict(evidence: Evidence, rules: Rules, now: float, *, settled: bool = False) -> Verdict:
    """The verdict so far. `settled`: the dwell is over, so that what is surely above a threshold fails even
    where no test of single requests has found it; looked at earlier, and so more often, chance would."""
    faults = (*_life(evidence), *_errors(evidence, rules, settled), *_slow(evidence, rules, settled))
    faults += tuple(_usage(evidence, rules))
    lacks = tuple(_lacks(evidence, rules, now))
    counts = [each.values["needed"] for each in lacks if "needed" in each.values]
    return Verdict(faults, lacks, max((each for each in counts if isinstance(each, int)), default=None))


def _life(evidence: Evidence) -> Iterator[Reason]:
    life = evidence.life
    if life.alive is False:
        yield Reason(Fault.NOT_ALIVE)
    if life.restarted is not None:
        yield Reason(Fault.RESTARTED, {"restarts": life.restarted})
    if life.failed >= UNHEALTHY_AFTER:
        yield Reason(Fault.UNHEALTHY, {"failed": life.failed})


def _errors(evidence: Evidence, rules: Rules, settled: bool) -> Iterator[Reason]:
    limit = rules.thresholds.error_rate
    test = error_test(limit)
    found: tuple[Counted, Counted] | None = None
    if evidence.errors.is_enough(test):
        found = evidence.errors.since, evidence.errors.beside
    elif settled and is_above(evidence.total, limit):
        found = evidence.total, evidence.blue.run
    if found is not None:
        green, blue = found
        values = {**_rate(green), "limit": limit}
        if _suffers(blue, test.indifferent):
            yield Reason(Fault.ERROR_RATE_BOTH, {**values, "blue_rate": blue.rate})
        else:
            yield Reason(Fault.ERROR_RATE, values)
    beside = evidence.errors_beside
    if beside.is_enough(ERRORS_TEST):
        yield Reason(Fault.ERRORS_AGAINST_BLUE, {**_rate(beside.green), **_rate(beside.blue, "blue_")})


def _slow(evidence: Evidence, rules: Rules, settled: bool) -> Iterator[Reason]:
    all_took = slow_in(evidence.took, rules.thresholds)
    found: tuple[Counted, Counted] | None = None
    if evidence.slow.is_enough(SLOW_TEST):
        found = evidence.slow.since, evidence.slow.beside
    elif settled and is_above(all_took, SLOW_SHARE):
        found = all_took, slow_in(evidence.blue.took, rules.thresholds)
    if found is not None:
        green, blue = found
        values: dict[str, JsonValue] = {
            "slow": green.rate,
            "requests": green.requests,
            "limit": rules.thresholds.response_ms,
            "p95": _finite(evidence.took.quantile(0.95)),
        }
        if _suffers(blue, SLOW_TEST.indifferent):
            yield Reason(Fault.RESPONSE_BOTH, {**values, "blue_slow": blue.rate})
        else:
            yield Reason(Fault.RESPONSE, values)
    beside = evidence.slow_beside
    if beside.is_enough(LATENCY_TEST) and (beside.green.rate or 0) > SLOW_SHARE:
        yield Reason(
            Fault.RESPONSE_AGAINST_BLUE,
            {
                "slow": beside.green.rate,
                "requests": beside.green.requests,
                "blue_slow": beside.blue.rate,
                "blue_requests": beside.blue.requests,
                "limit": evidence.limit_beside,
            },
        )


def _usage(evidence: Evidence, rules: Rules) -> Iterator[Reason]:
    mean = mean_usage(evidence, rules)
    if mean is None:
        return
    if mean.cpu >= rules.thresholds.cpu:
        yield Reason(Fault.CPU, {"cpu": mean.cpu, "limit": rules.thresholds.cpu})
    if mean.memory >= rules.thresholds.memory:
        yield Reason(Fault.MEMORY, {"memory": mean.memory, "limit": rules.thresholds.memory})


def mean_usage(evidence: Evidence, rules: Rules) -> Usage | None:
    """CPU and memory, averaged over the last while; None if that is not known of most of it. A release that
    has only begun may well be busy for a moment."""
    if not evidence.usage or evidence.usage[-1][0] - evidence.usage[0][0] < rules.usage_window * 2 / 3:
        return None
    taken = [usage for _, usage in evidence.usage]
    return Usage(
        sum(each.cpu for each in taken) / len(taken), sum(each.memory for each in taken) / len(taken)
    )


def _lacks(evidence: Evidence, rules: Rules, now: float) -> Iterator[Reason]:
    if evidence.life.known_at is None or now - evidence.life.known_at > rules.blind_patience:
        yield Reason(Lack.LIFE_UNKNOWN)
    limit = rules.thresholds.error_rate
    more = needed(evidence.total, limit)
    if more is not None or evidence.stage.requests == 0:
        yield Reason(Lack.REQUESTS, {**_rate(evidence.total), "needed": more or 1, "limit": limit})
    if not evidence.measured:
        yield Reason(Lack.RESPONSE_NO_DATA, {"needed": needed(Counted(), SLOW_SHARE)})
    else:
        slow = slow_in(evidence.took, rules.thresholds)
        more = needed(slow, SLOW_SHARE)
        if more is not None:
            values: dict[str, JsonValue] = {"slow": slow.rate, "requests": slow.requests, "needed": more}
            yield Reason(Lack.RESPONSE, {**values, "limit": rules.thresholds.response_ms})
    if rules.usage_needed and mean_usage(evidence, rules) is None:
        yield Reason(Lack.USAGE_NO_DATA)


def _suffers(blue: Counted, rate: float) -> bool:
    """Whether Blue's own requests in the same span speak for "bad" too."""
    return blue.errors > 0 and blue.errors > rate * blue.requests


def _rate(counted: Counted, prefix: str = "") -> dict[str, JsonValue]:
    return {
        f"{prefix}rate": counted.rate,
        f"{prefix}requests": counted.requests,
        f"{prefix}errors": counted.errors,
    }


def _finite(value: float | None) -> float | None:
    """JSON has no infinity: beyond two minutes nothing is measured exactly."""
    return None if value is None or value == float("inf") else value
