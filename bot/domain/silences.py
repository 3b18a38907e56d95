"""Silences: somebody asked not to be told of alerts for a while (alerts.md, Resolve, reopen, silence)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from bot.domain.alerts.covers import Cover, CoverKind
from bot.domain.levels import Level
from bot.domain.matcher_notation import parse_leading, refuse_contradiction
from bot.domain.matchers import Matcher
from bot.domain.time_notation import leading_end, leading_span

LONGEST = timedelta(hours=24)
REASON_LIMIT = 300


class CoverFault(StrEnum):
    """Why a silence or a maintenance window is refused; the sentence is `covers.FAULT` in the phrases."""

    TOO_LONG = "too_long"
    IN_THE_PAST = "in_the_past"
    NO_LENGTH = "no_length"
    NO_REASON = "no_reason"
    REASON_TOO_LONG = "reason_too_long"
    NO_END = "no_end"
    """what was typed does not say for how long"""
    NO_TIMES = "no_times"
    """what was typed does not say from when until when"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A silence or a maintenance window that somebody asks for. `by` is a Slack user id."""

    matcher: Matcher
    starts_at: datetime
    ends_at: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Silence:
    """One silence. `owner` and `lifted_by` are Slack user ids; `lifted_at` is None until it is lifted."""

    id: int
    matcher: Matcher
    starts_at: datetime
    ends_at: datetime
    owner: str
    reason: str
    created_at: datetime
    lifted_at: datetime | None = None
    lifted_by: str | None = None

    def is_active(self, now: datetime) -> bool:
        """Whether it holds at that moment: from its start until before its end, unless lifted."""
        return self.lifted_at is None and self.starts_at <= now < self.ends_at

    def is_over(self, now: datetime) -> bool:
        """Whether it will never hold again."""
        return self.lifted_at is not None or self.ends_at <= now

    def covers(self, labels: Mapping[str, str], level: Level, now: datetime) -> bool:
        """Whether an alert with those labels at that level is not told of now."""
        return self.is_active(now) and self.matcher.matches(labels, level)

    def cover(self, level: Level) -> Cover:
        """What lies over an alert of that level because of this."""
        return Cover(CoverKind.SILENCE, str(self.id), self.ends_at, self.owner, self.reason, level)


def wanted_silence(text: str, by: str, now: datetime, zone: ZoneInfo) -> Wanted | CoverFault:
    """What `service=shop for 2h deployment` asks for: matcher, length or end, reason. Raises
    `bot.domain.matcher_notation.MatcherInvalid`, also for a matcher that can match nothing."""
    matcher, rest = parse_leading(text)
    refuse_contradiction(matcher)
    span = leading_end(rest, now, zone)
    if span is None:
        return CoverFault.NO_END
    return Wanted(matcher, span.starts_at, span.ends_at, by, span.rest)


def wanted_window(text: str, by: str, now: datetime, zone: ZoneInfo) -> Wanted | CoverFault:
    """What `service=shop 22:00-02:00 deployment` asks for, likewise."""
    matcher, rest = parse_leading(text)
    refuse_contradiction(matcher)
    span = leading_span(rest, now, zone)
    if span is None:
        return CoverFault.NO_TIMES
    return Wanted(matcher, span.starts_at, span.ends_at, by, span.rest)


def fault_of(
    starts_at: datetime, ends_at: datetime, reason: str, now: datetime, longest: timedelta
) -> CoverFault | None:
    """What is wrong with a silence or window from that moment to the other; None if nothing is."""
    if ends_at <= starts_at:
        return CoverFault.IN_THE_PAST if ends_at <= now else CoverFault.NO_LENGTH
    if ends_at <= now:
        return CoverFault.IN_THE_PAST
    if ends_at - starts_at > longest:
        return CoverFault.TOO_LONG
    if not reason.strip():
        return CoverFault.NO_REASON
    return CoverFault.REASON_TOO_LONG if len(reason) > REASON_LIMIT else None
