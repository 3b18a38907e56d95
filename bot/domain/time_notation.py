"""Times as people type them in a command: `for 2h`, `2시간 동안`, `until 18:30`, `22:00-02:00`.

A time of day is one of the time zone of the Guardian's messages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.domain.oncall.localtime import local_day, moment_of

_UNITS = {
    "hours": 3600, "hour": 3600, "hrs": 3600, "hr": 3600, "h": 3600, "시간": 3600,
    "minutes": 60, "minute": 60, "mins": 60, "min": 60, "m": 60, "분": 60,
    "seconds": 1, "second": 1, "secs": 1, "sec": 1, "s": 1, "초": 1,
    "days": 86400, "day": 86400, "d": 86400, "일": 86400,
}  # fmt: skip
_PART = rf"[0-9]{{1,9}}(?:\.[0-9]{{1,3}})?\s*(?:{'|'.join(_UNITS)})(?=[0-9\s,.]|동안|$)"
_LENGTH = re.compile(rf"\s*(?:for\s+)?((?:{_PART}\s*)+)(?:동안)?(?=[\s,]|$)[\s,]*", re.IGNORECASE)
_ONE_PART = re.compile(rf"([0-9]+(?:\.[0-9]+)?)\s*({'|'.join(_UNITS)})", re.IGNORECASE)
_MOMENT = re.compile(
    r"\s*(?:(now|지금)|(?:([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})[T\s]\s*)?([0-9]{1,2}):([0-9]{2}))"
    r"(?:부터|까지)?(?=[\s,~–-]|$)[\s,]*",
    re.IGNORECASE,
)
_FROM = re.compile(r"\s*from\s+", re.IGNORECASE)
_UNTIL = re.compile(r"\s*(?:until\s+|till\s+|to\s+|[~–-])\s*", re.IGNORECASE)
_LONGEST = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Span:
    """From one moment until another, and what stands behind them in the text."""

    starts_at: datetime
    ends_at: datetime
    rest: str


def leading_length(text: str) -> tuple[timedelta, str] | None:
    """The length of time at the beginning of `text` and the rest; None if there is none."""
    found = _LENGTH.match(text)
    if found is None:
        return None
    seconds = sum(float(count) * _UNITS[unit.lower()] for count, unit in _ONE_PART.findall(found[1]))
    return min(timedelta(seconds=min(seconds, 1e9)), _LONGEST), text[found.end() :].strip()


def leading_end(text: str, now: datetime, zone: ZoneInfo) -> Span | None:
    """From now until the end at the beginning of `text`, a length of time or a moment; None if there is none.

    A time of day is the next one that comes. A moment with its date may lie in the past.
    """
    length = leading_length(text)
    if length is not None:
        return Span(now, now + length[0], length[1])
    until = _UNTIL.match(text)
    found = _MOMENT.match(text, until.end() if until is not None else 0)
    ends_at = None if found is None else _moment(found, now, now, zone)
    return None if found is None or ends_at is None else Span(now, ends_at, text[found.end() :].strip())


def leading_span(text: str, now: datetime, zone: ZoneInfo) -> Span | None:
    """The two moments, or a moment and a length, at the beginning of `text`; None if there are none.

    A time of day is today's, if it is over when the span is; the end's is the next after the start.
    """
    begin = _FROM.match(text)
    first = _MOMENT.match(text, begin.end() if begin is not None else 0)
    if first is None:
        return None
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    span = _span_from(text, first, midnight, now, zone)
    is_time_of_day = first[2] is None and first[1] is None
    if span is not None and is_time_of_day and span.ends_at <= now:
        return _span_from(text, first, midnight + timedelta(days=1), now, zone)
    return span


def _span_from(
    text: str, first: re.Match[str], earliest: datetime, now: datetime, zone: ZoneInfo
) -> Span | None:
    starts_at = _moment(first, earliest - timedelta(microseconds=1), now, zone)
    if starts_at is None:
        return None
    behind = text[first.end() :]
    length = leading_length(behind)
    if length is not None:
        return Span(starts_at, starts_at + length[0], length[1])
    until = _UNTIL.match(behind)
    second = _MOMENT.match(behind, until.end() if until is not None else 0)
    ends_at = None if second is None else _moment(second, starts_at, now, zone)
    if second is None or ends_at is None:
        return None
    return Span(starts_at, ends_at, behind[second.end() :].strip())


def _moment(found: re.Match[str], after: datetime, now: datetime, zone: ZoneInfo) -> datetime | None:
    """The moment that was written; a time of day is the first one behind `after`. None if it is none."""
    word, year, month, day, hour, minute = found.groups()
    if word is not None:
        return now
    try:
        if year is not None:
            return moment_of(date(int(year), int(month), int(day)), time(int(hour), int(minute)), zone)
        today, at = local_day(after, zone), time(int(hour), int(minute))
        moments = (moment_of(today + timedelta(days=days), at, zone) for days in range(3))
        return next((moment for moment in moments if moment > after), None)
    except (ValueError, OverflowError):
        return None
