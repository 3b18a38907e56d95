"""Whose turn it is in one rotation, and when the rotation is on duty at all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.domain.oncall.localtime import local_day, moment_of
from bot.domain.oncall.model import Pace, Rotation, Span

_DAY = timedelta(days=1)
_MIDNIGHT = time(0)
_LOOK_AHEAD = 9
"""Days within which a restricted rotation has its next hours: a week, and the days at its two ends."""


def turn_at(rotation: Rotation, zone: ZoneInfo, moment: datetime) -> tuple[str, Span] | None:
    """Whose turn it is at that moment and how long that turn is; None before the rotation begins.

    Daily and weekly turns follow the local calendar, so that a hand-over at 09:00 stays one at 09:00 when the
    clocks are changed; turns of hours follow the time that passes.
    """
    if moment < rotation.begins:
        return None
    if rotation.pace is Pace.HOURS:
        number = (moment - rotation.begins) // rotation.length
        start = rotation.begins + number * rotation.length
        return _whose(rotation, number), Span(start, start + rotation.length)
    step = 7 if rotation.pace is Pace.WEEKLY else 1
    first, day = _hand_over_day(rotation, zone, rotation.begins), _hand_over_day(rotation, zone, moment)
    start = max(rotation.begins, moment_of(day, rotation.at, zone))
    end = moment_of(day + step * _DAY, rotation.at, zone)
    return _whose(rotation, (day - first).days // step), Span(start, end)


def on_duty(rotation: Rotation, zone: ZoneInfo, moment: datetime) -> str | None:
    """Who this rotation has on duty at that moment; None outside its hours and days."""
    if rotation.is_restricted:
        today = local_day(moment, zone)
        windows = (window_of(rotation, zone, day) for day in (today, today - _DAY))
        if not any(window is not None and window.start <= moment < window.end for window in windows):
            return None
    turn = turn_at(rotation, zone, moment)
    return None if turn is None else turn[0]


def window_of(rotation: Rotation, zone: ZoneInfo, day: date) -> Span | None:
    """The hours of a restricted rotation that begin on that day; None when none do."""
    if day.weekday() not in rotation.days:
        return None
    hours = rotation.hours
    if hours is None:
        return Span(moment_of(day, _MIDNIGHT, zone), moment_of(day + _DAY, _MIDNIGHT, zone))
    last = day + _DAY if hours.into_next_day else day
    return Span(moment_of(day, hours.start, zone), moment_of(last, hours.end, zone))


def next_change(rotation: Rotation, zone: ZoneInfo, moment: datetime) -> datetime:
    """The next moment at which this rotation may have somebody else, or nobody, on duty."""
    turn = turn_at(rotation, zone, moment)
    if turn is None:
        return rotation.begins
    if not rotation.is_restricted:
        return turn[1].end
    edges = _window_edges(rotation, zone, moment)
    return min((edge for edge in edges if moment < edge < turn[1].end), default=turn[1].end)


def _window_edges(rotation: Rotation, zone: ZoneInfo, moment: datetime) -> Iterator[datetime]:
    """Begins and ends of the hours around that moment, up to the next begin."""
    today = local_day(moment, zone)
    for offset in range(-1, _LOOK_AHEAD):
        window = window_of(rotation, zone, today + offset * _DAY)
        if window is not None:
            yield window.start
            yield window.end
            if window.start > moment:
                return


def _hand_over_day(rotation: Rotation, zone: ZoneInfo, moment: datetime) -> date:
    """The local day of the latest hand-over that is not after that moment."""
    step = 7 if rotation.pace is Pace.WEEKLY else 1
    day = local_day(moment, zone)
    if rotation.pace is Pace.WEEKLY:
        day -= (day.weekday() - rotation.weekday) % 7 * _DAY
    while moment_of(day, rotation.at, zone) > moment:
        day -= step * _DAY
    while moment_of(day + step * _DAY, rotation.at, zone) <= moment:
        day += step * _DAY
    return day


def _whose(rotation: Rotation, number: int) -> str:
    return rotation.people[number % len(rotation.people)]
