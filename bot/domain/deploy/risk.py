"""How risky a deployment looks before it begins, and why. It refuses nothing: whoever approves shall see it.

One serious reason makes the risk high, and so do three that count each by itself. What is not known is said
and counts as little: a figure that is absent is not a good one, but no bad one either.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from bot.domain.levels import Level
from bot.domain.oncall.model import WEEKDAYS, Hours
from bot.domain.operations.plan import JsonObject

BUDGET_SPAN = timedelta(days=30)
"""what an error budget is counted over"""
_LITTLE_BUDGET = 25.0
"""percent of the error budget"""
_NIGHT = (22, 6)
"""local hours: whoever would help is asleep"""
_HUGE = 5
"""so many times what is many already"""
_MANY_MEDIUM = 3
_MANY_LEFT_OUT = 3
"""half of the document's six checks"""
_FRIDAY = 4


class RiskLevel(StrEnum):
    """What it is called: `deploy.risk.level.NAME`."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class RiskRules:
    """What counts as a risk."""

    days: frozenset[int]
    """working days, Monday is 0"""
    hours: Hours
    """working hours"""
    friday_until: int
    """the hour from which on a Friday is late"""
    zone: ZoneInfo
    availability: float
    """percent that are aimed at over `BUDGET_SPAN`"""
    files: int
    lines: int
    commits: int
    """more than these are many"""


@dataclass(frozen=True, slots=True)
class Size:
    """How much changes."""

    commits: int
    files: int
    lines: int
    """added and removed"""


@dataclass(frozen=True, slots=True)
class RiskFacts:
    """What is known of a deployment that is about to be planned."""

    expected: timedelta
    """how long it will take"""
    freeze_at: datetime | None = None
    """when the next freeze begins that is about it"""
    availability: float | None = None
    """percent, measured over `BUDGET_SPAN`"""
    alerts: int = 0
    """open ones of the environment"""
    worst: Level | None = None
    """the worst of them"""
    size: Size | None = None
    has_blue: bool = True
    """whether a release carries production now, to go back to"""
    left_out: int = 0
    """checks and tests that are not done, for a written reason"""
    backwards: bool = False
    """whether an older revision is to replace a newer one"""
    same: bool = False
    """whether the revision that is there already is to be deployed"""
    today: int | None = None
    """deployments in this environment since midnight"""
    last_went_back: bool = False
    """whether the one before this was rolled back"""


@dataclass(frozen=True, slots=True)
class RiskReason:
    """The phrase `deploy.risk.reason.NAME` with `values`, and what it counts."""

    name: str
    level: RiskLevel
    values: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Risk:
    """The risk and its reasons, the worst first."""

    level: RiskLevel
    reasons: tuple[RiskReason, ...]


def risk_of(rules: RiskRules, facts: RiskFacts, now: datetime) -> Risk:
    """How risky it is to begin now."""
    order = list(RiskLevel)
    reasons = sorted(_reasons(rules, facts, now), key=lambda reason: -order.index(reason.level))
    levels = [reason.level for reason in reasons]
    if RiskLevel.HIGH in levels or levels.count(RiskLevel.MEDIUM) >= _MANY_MEDIUM:
        level = RiskLevel.HIGH
    else:
        level = RiskLevel.MEDIUM if RiskLevel.MEDIUM in levels else RiskLevel.LOW
    return Risk(level, tuple(reasons))


def budget_left(target: float, measured: float) -> float:
    """Percent of the error budget that is left, 0 when it is used up: of 99.9 % aimed at, 99.95 % measured
    leave 50. Google's SRE workbook, chapter 2, counts so."""
    return max(0.0, min(100.0, 100.0 * (1.0 - (100.0 - measured) / (100.0 - target))))


def _reasons(rules: RiskRules, facts: RiskFacts, now: datetime) -> Iterator[RiskReason]:
    yield from _times(rules, facts, now)
    yield from _surroundings(rules, facts)
    if facts.size is None:
        yield RiskReason("size_unknown", RiskLevel.LOW)
    else:
        yield from _size(rules, facts.size)
    if not facts.has_blue:
        yield RiskReason("no_blue", RiskLevel.HIGH)
    if facts.left_out:
        level = RiskLevel.MEDIUM if facts.left_out >= _MANY_LEFT_OUT else RiskLevel.LOW
        yield RiskReason("left_out", level, {"count": facts.left_out})
    if facts.backwards:
        yield RiskReason("backwards", RiskLevel.MEDIUM)
    if facts.same:
        yield RiskReason("same", RiskLevel.LOW)
    if facts.last_went_back:
        yield RiskReason("last_went_back", RiskLevel.MEDIUM)
    if facts.today == 0:
        yield RiskReason("first_today", RiskLevel.LOW)


def _times(rules: RiskRules, facts: RiskFacts, now: datetime) -> Iterator[RiskReason]:
    local = now.astimezone(rules.zone)
    # By the clock of the place and not of the reader: what makes it night is the hour it is here.
    at, day = f"{local:%Y-%m-%d %H:%M}", WEEKDAYS[local.weekday()]
    clock: JsonObject = {"at": at, "day": day, "zone": str(rules.zone)}
    if local.hour >= _NIGHT[0] or local.hour < _NIGHT[1]:
        yield RiskReason("night", RiskLevel.HIGH, clock)
    elif local.weekday() not in rules.days:
        yield RiskReason("day_off", RiskLevel.MEDIUM, clock)
    elif not _within(rules.hours, local):
        yield RiskReason("off_hours", RiskLevel.MEDIUM, clock)
    elif local.weekday() == _FRIDAY and local.hour >= rules.friday_until:
        yield RiskReason("friday", RiskLevel.MEDIUM, clock)
    if facts.freeze_at is not None and facts.freeze_at <= now + facts.expected:
        values: JsonObject = {"at": facts.freeze_at.isoformat(), "seconds": facts.expected.total_seconds()}
        yield RiskReason("freeze_soon", RiskLevel.MEDIUM, values)


def _within(hours: Hours, local: datetime) -> bool:
    at = local.timetz().replace(tzinfo=None)
    if hours.start < hours.end:
        return hours.start <= at < hours.end
    return at >= hours.start or at < hours.end  # over midnight, or to the midnight that is written 24:00


def _surroundings(rules: RiskRules, facts: RiskFacts) -> Iterator[RiskReason]:
    target, measured = rules.availability, facts.availability
    if measured is None:
        yield RiskReason("budget_unknown", RiskLevel.LOW)
    else:
        left = budget_left(target, measured)
        values: JsonObject = {"left": round(left, 1), "target": target, "measured": round(measured, 3)}
        if left <= 0:
            yield RiskReason("budget_gone", RiskLevel.HIGH, values)
        elif left < _LITTLE_BUDGET:
            yield RiskReason("budget_low", RiskLevel.MEDIUM, values)
    if facts.alerts and facts.worst is not None:
        level = RiskLevel.LOW if facts.worst <= Level.INFO else RiskLevel.MEDIUM
        if facts.worst >= Level.CRITICAL:
            level = RiskLevel.HIGH
        yield RiskReason("alerts", level, {"count": facts.alerts, "worst": facts.worst.word})


def _size(rules: RiskRules, size: Size) -> Iterator[RiskReason]:
    shares = (size.files / rules.files, size.lines / rules.lines, size.commits / rules.commits)
    values = {"files": size.files, "lines": size.lines, "commits": size.commits}
    if max(shares) > _HUGE:
        yield RiskReason("huge", RiskLevel.HIGH, values)
    elif max(shares) > 1:
        yield RiskReason("big", RiskLevel.MEDIUM, values)
