"""What a new release is held to, and how long it is watched (operations.md, Deploy).

Times are seconds, rates percent. The defaults are the source document's.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What Green must stay below at every stage."""

    error_rate: float = 0.1
    """percent of requests"""
    response_ms: float = 500.0
    """the 95th percentile, milliseconds"""
    cpu: float = 70.0
    """percent of the cores that it may use, on average over `Rules.usage_window`"""
    memory: float = 80.0
    """percent of the memory that it may use, likewise"""

    def __post_init__(self) -> None:
        if not 0 < self.error_rate < 100:
            raise ValueError("an error rate to stay below is between 0 and 100")
        if min(self.response_ms, self.cpu, self.memory) <= 0:
            raise ValueError("nothing stays below nothing")


@dataclass(frozen=True, slots=True)
class Rules:
    """How a stage is judged."""

    thresholds: Thresholds = field(default_factory=Thresholds)
    dwell: float = 300.0
    """how long each stage is watched at least, and once more if that tells too little"""
    usage_needed: bool = True
    """whether a stage of which CPU and memory are not known must not pass by itself"""
    blind_after: float = 5.0
    """without a look at the load balancer's counters for so long, nobody watches; that time is no dwell"""
    blind_patience: float = 60.0
    """so long a canary may go on unwatched, at one stretch or in pieces; then traffic goes back"""
    ask_for: float = 1800.0
    """how long a person has to answer; then traffic goes back"""
    probes_per_second: float = 0.0
    """own requests to Green when users send too few, at most so many; 0: none"""
    probe_early: bool = True
    """own requests begin with the extension, so that a stage with hardly any traffic ends soon, and not only
    after it"""
    probe_for: float = 300.0
    """how long own requests are sent after the extension"""

    def __post_init__(self) -> None:
        if min(self.dwell, self.blind_after, self.blind_patience, self.ask_for, self.probe_for) <= 0:
            raise ValueError("times are longer than nothing")
        if self.probes_per_second < 0:
            raise ValueError("no fewer than no requests can be sent")

    @property
    def usage_window(self) -> float:
        """Over how long CPU and memory are averaged: half a minute, or a third of a short dwell."""
        return min(30.0, self.dwell / 3)
