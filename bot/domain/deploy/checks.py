"""What is checked of a release before it carries production, and by which rules: the document's six checks
before anything acts (gate 1), and its four kinds of tests against Green alone (gate 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TypeAlias


class Check(StrEnum):
    """The document's six, in its order. What one is called: `deploy.check.name.NAME`."""

    CODE_QUALITY = "code_quality"
    SECURITY = "security"
    DEPENDENCIES = "dependencies"
    PERFORMANCE = "performance"
    COMPATIBILITY = "compatibility"
    ACCESSIBILITY = "accessibility"


class Trial(StrEnum):
    """The document's four kinds of tests of Green, in its order. What one is called:
    `deploy.trial.name.NAME`."""

    SMOKE = "smoke"
    INTEGRATION = "integration"
    PERFORMANCE = "performance"
    SECURITY = "security"


@dataclass(frozen=True, slots=True)
class ByCommand:
    """Checked by a program."""

    command: tuple[str, ...]
    """with places for values, see `bot.domain.deploy.placeholders`"""
    timeout: timedelta
    evidence: str | None = None
    """a regular expression that its output has to match; if it has a group, that must not be 0"""
    nothing_statuses: frozenset[int] = frozenset({5})
    """exit statuses that mean that nothing was checked; pytest's is 5"""
    variables: tuple[str, ...] = ()
    """of our environment, that it is given beside the usual ones"""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Not checked, for a written reason, which is shown with the plan."""

    reason: str


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, and what a good answer to it is."""

    path: str
    statuses: tuple[int, int] = (200, 299)
    """the lowest and the highest"""
    contains: str | None = None


@dataclass(frozen=True, slots=True)
class ByRequests:
    """Checked by single requests of our own: smoke."""

    requests: tuple[Asked, ...]
    timeout: timedelta


@dataclass(frozen=True, slots=True)
class ByLoad:
    """Checked by many requests of our own: performance."""

    paths: tuple[str, ...]
    count: int
    per_second: float
    p95_ms: float
    """95 % of the answers must have come within this many milliseconds"""
    error_rate: float
    """percent of the requests that may fail"""
    timeout: timedelta
    """for each request"""


CheckRule: TypeAlias = ByCommand | LeftOut
TrialRule: TypeAlias = ByCommand | LeftOut | ByRequests | ByLoad
CheckRules: TypeAlias = Mapping[Check, CheckRule]
"""All six of them, always."""
TrialRules: TypeAlias = Mapping[Trial, TrialRule]
"""All four of them, always."""
