"""What a probe is and what it gives back."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import ClassVar, Protocol, runtime_checkable


class Unit(StrEnum):
    """The unit a value is in; the text is what is printed behind the number."""

    PERCENT = "%"
    MILLISECONDS = "ms"
    SECONDS = "s"
    REQUESTS_PER_SECOND = "rps"
    BYTES = "B"
    BYTES_PER_SECOND = "B/s"
    PER_SECOND = "/s"
    COUNT = ""


class ProblemKind(StrEnum):
    """Why a value could not be taken. The words for each live in messages/."""

    TIMEOUT = "timeout"
    REFUSED = "refused"
    NAME_NOT_FOUND = "name_not_found"
    TLS = "tls"
    CONNECTION = "connection"
    BAD_STATUS = "bad_status"
    BAD_BODY = "bad_body"
    NOT_FOUND = "not_found"
    PERMISSION = "permission"
    UNSUPPORTED = "unsupported"
    NONSENSE = "nonsense"
    FAILED = "failed"


_UNWRITABLE = re.compile("[\0\ud800-\udfff]")

_NO_FACTS: Mapping[str, str] = MappingProxyType({})


def printable_text(text: str) -> str:
    """`text` with U+FFFD for what no database and no message takes: halves of surrogate pairs, which Python
    makes of bytes in the names of files and processes that are not UTF-8, and NUL."""
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why there is no value: a kind to act on and a detail for people (never a secret)."""

    kind: ProblemKind
    detail: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "detail", printable_text(self.detail))


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one metric on one target at one moment.

    `value` is None exactly when it could not be taken, and then `problem` says why: absent is not zero.
    `facts` are short strings that help a reader of the alert (such as the three largest processes).
    Target and facts come from the machine and are kept as `printable_text`.
    """

    metric: str
    target: str
    value: float | None
    unit: Unit
    at: datetime
    problem: Problem | None = None
    facts: Mapping[str, str] = field(default_factory=lambda: _NO_FACTS)

    def __post_init__(self) -> None:
        if (self.value is None) != (self.problem is not None):
            raise ValueError(
                f"{self.metric} of {self.target}: either a value or a problem, not both or neither"
            )
        if self.at.tzinfo is None:
            raise ValueError(f"{self.metric} of {self.target}: a moment needs a time zone")
        object.__setattr__(self, "target", printable_text(self.target))
        if self.facts:
            facts = {printable_text(key): printable_text(text) for key, text in self.facts.items()}
            object.__setattr__(self, "facts", facts)


def measured(
    metric: str,
    target: str,
    value: float,
    unit: Unit,
    at: datetime,
    facts: Mapping[str, str] | None = None,
    *,
    low: float = 0.0,
    high: float | None = None,
) -> Reading:
    """A reading of `value`, or one with the problem `nonsense` when it cannot be true.

    Not a number, infinite, below `low` (zero) or above `high` (100 for percentages, else no limit) is
    nonsense: a source that lies must not look like a healthy one, nor raise an alert about the machine.
    """
    if high is None:
        high = 100.0 if unit is Unit.PERCENT else math.inf
    if not math.isfinite(value) or not low <= value <= high:
        return unmeasured(metric, target, unit, at, ProblemKind.NONSENSE, f"{value:g}", facts)
    return Reading(metric, target, value, unit, at, facts=_NO_FACTS if facts is None else facts)


def unmeasured(
    metric: str,
    target: str,
    unit: Unit,
    at: datetime,
    kind: ProblemKind,
    detail: str = "",
    facts: Mapping[str, str] | None = None,
) -> Reading:
    """A reading without a value, saying why."""
    return Reading(
        metric, target, None, unit, at, Problem(kind, detail), _NO_FACTS if facts is None else facts
    )


class Layer(StrEnum):
    """The five layers of the source document's health checks."""

    INFRASTRUCTURE = "infrastructure"
    APPLICATION = "application"
    DATABASE = "database"
    SECURITY = "security"
    BUSINESS = "business"


@runtime_checkable
class Probe(Protocol):
    """One check, taken every `interval` and given up after `timeout`.

    A new probe is one file with one class that has these attributes and a `read`. `read` may raise:
    the monitor turns what it raises into readings with a problem, one for each of `metrics`.
    """

    name: ClassVar[str]
    """What people call it: `guardian probe NAME`, `/guardian probes`."""
    layer: ClassVar[Layer]
    metrics: ClassVar[Mapping[str, Unit]]
    """The metrics a reading of this probe may carry, each with its unit."""

    target: str
    """What it looks at when that is one thing: a host or an address. Readings may name finer targets."""
    interval: timedelta
    timeout: timedelta


@runtime_checkable
class BlockingProbe(Probe, Protocol):
    """A probe that asks the operating system and may block; called in a thread, one call in flight."""

    def read_blocking(self, at: datetime) -> list[Reading]:
        """Take all readings of this probe, stamped `at`."""
        ...


@runtime_checkable
class AsyncProbe(Probe, Protocol):
    """A probe that waits on sockets; awaited in the loop and cancelled at its time-out."""

    async def read(self, at: datetime) -> list[Reading]:
        """Take all readings of this probe, stamped `at`."""
        ...
