"""A canary on a virtual clock: what the load balancer counts of both colours, a look each second."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bot.domain.deploy.measures import Counted, Counters, Latencies, Usage
from bot.domain.deploy.sample import Fault, Lack, Sample
from bot.domain.deploy.stage import Decision, Kind, Stage, first_stage, go, hold, next_stage, step
from bot.domain.deploy.thresholds import Rules

FAST, SLOW = 20.0, 900.0
CALM = Usage(30.0, 40.0)


RULES = Rules(dwell=60.0, ask_for=120.0, blind_patience=20.0)
"""A dwell of a minute."""


@dataclass(slots=True)
class Balancer:
    """Counts one colour, as HAProxy does."""

    requests: int = 0
    errors: int = 0
    epoch: str = "1"
    took: Latencies = field(default_factory=Latencies)

    def carry(self, counted: Counted, milliseconds: Sequence[float]) -> None:
        """So many requests more."""
        self.requests += counted.requests
        self.errors += counted.errors
        self.took = self.took.plus(Latencies.of(milliseconds))

    def restart(self, epoch: str) -> None:
        """Count from nothing."""
        self.requests, self.errors, self.epoch = 0, 0, epoch

    @property
    def counters(self) -> Counters:
        """As the driver gives them."""
        return Counters(self.requests, self.errors, self.epoch)


@dataclass(slots=True)
class Canary:
    """A stage that is looked at."""

    stage: Stage
    now: float = 1000.0
    green: Balancer = field(default_factory=Balancer)
    blue: Balancer = field(default_factory=Balancer)
    usage: Usage | None = CALM
    alive: bool | None = True
    restarts: int | None = 0
    healthy: bool | None = True
    latencies: bool = True
    """whether somebody measures them"""
    answering: bool = True
    """whether the load balancer tells anything"""
    kinds: list[Kind] = field(default_factory=list)
    """of every look"""
    to_probe: int = 0

    def look(
        self,
        green: Counted | None = None,
        blue: Counted | None = None,
        *,
        green_ms: Sequence[float] | None = None,
        blue_ms: Sequence[float] | None = None,
        seconds: float = 1.0,
    ) -> Decision:
        """Time passes, requests come, and a look is taken. Own requests that were asked for are in order."""
        for side, counted, took in ((self.green, green, green_ms), (self.blue, blue, blue_ms)):
            counted = counted or Counted()
            side.carry(counted, [FAST] * counted.requests if took is None else took)
        self.now += seconds
        sample = Sample(
            self.green.counters if self.answering else None,
            self.blue.counters if self.answering else None,
            self.green.took if self.latencies and self.answering else None,
            self.blue.took if self.latencies and self.answering else None,
            self.usage,
            self.alive,
            self.restarts,
            self.healthy,
            Counted(self.to_probe, 0),
            Latencies.of([FAST] * self.to_probe) if self.to_probe else None,
        )
        self.stage, decision = step(self.stage, sample, self.now)
        self.to_probe = decision.probes
        self.kinds.append(decision.kind)
        return decision

    def looks(self, count: int, green: Counted | None = None, blue: Counted | None = None) -> Decision:
        """So many looks alike, or fewer if traffic goes back."""
        return self.until(lambda decision: decision.kind is Kind.ROLL_BACK, green, blue, count)

    def until(
        self,
        done: Callable[[Decision], bool],
        green: Counted | None = None,
        blue: Counted | None = None,
        most: int = 10_000,
    ) -> Decision:
        """Looks alike until one is as awaited."""
        for _ in range(most):
            decision = self.look(green, blue)
            if done(decision):
                break
        return decision

    def wait_for(self, kind: Kind, green: Counted | None = None, blue: Counted | None = None) -> Decision:
        """Looks until that follows; AssertionError if it never does."""
        decision = self.until(lambda each: each.kind is kind, green, blue, 5000)
        assert decision.kind is kind
        return decision

    def hold(self, by: str = "U1") -> Decision:
        """Somebody presses 중단."""
        self.stage, decision = hold(self.stage, by, self.now)
        return decision

    def go(self, by: str = "U1") -> Decision:
        """Somebody presses 계속."""
        self.stage, decision = go(self.stage, by, self.now)
        return decision

    def next(self, share: int) -> None:
        """The next stage begins."""
        self.stage = next_stage(self.stage, share, self.now)


def canary(given: Rules = RULES, share: int = 10) -> Canary:
    """One that begins now, with counters that are not at 0."""
    made = Canary(first_stage(given, share, 1000.0))
    made.green.carry(Counted(5000, 4000), [SLOW] * 5000)
    made.blue.carry(Counted(90_000, 9), [FAST] * 90)
    return made


def faults(decision: Decision) -> set[Fault | Lack]:
    """The names of its reasons."""
    return {each.name for each in decision.reasons}


def lacks(decision: Decision) -> set[Fault | Lack]:
    """The names of what is missing."""
    return {each.name for each in decision.missing}
