"""Which commands share a service's traffic, and what they have to answer, in JSON.

`share` prints `{"b": 25}`. `shift` has `{percent}` as a word of its own, and status 0 when slot b carries
that much. `metrics` prints for each slot what it has carried since `epoch` began:

    {"a": {"requests": 100, "errors": 0, "epoch": "1", "in_flight": 2,
           "durations": [{"up_to_ms": 5, "count": 90}, {"up_to_ms": 100, "count": 10}]}, "b": {…}}

`in_flight` and `durations` may be left out. `cut`, which may be left out, has `{slot}` as a word of its own
and prints `{"cut": 3}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

PERCENT, SLOT = "{percent}", "{slot}"


@dataclass(frozen=True, slots=True)
class CommandConfiguration:
    """The argument lists. Raises ValueError for a `shift` that doesn't say how much, or a `cut` that doesn't
    say where."""

    share: tuple[str, ...]
    shift: tuple[str, ...]
    metrics: tuple[str, ...]
    cut: tuple[str, ...] | None = None
    timeout: float = 10.0
    """seconds for each"""
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """for the commands, besides what any command gets. No secrets: a lease holds this"""

    def __post_init__(self) -> None:
        """Checks the words."""
        if not self.share or not self.metrics:
            raise ValueError("a command has at least one word")
        if PERCENT not in self.shift[1:]:
            raise ValueError(f"shift needs {PERCENT} as a word of its own")
        if self.cut is not None and SLOT not in self.cut[1:]:
            raise ValueError(f"cut needs {SLOT} as a word of its own")
        if not 0 < self.timeout <= 600:
            raise ValueError("the time-out must be from 0 to 600 seconds")
