"""Moments as a series may have them: ISO 8601, seconds, or a time of day."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.domain.oncall.localtime import moment_of

_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d{1,6})?))?")
_NUMBER = re.compile(r"\d{1,12}(?:\.\d{1,6})?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_FIRST_EPOCH = 1e8
"""Smaller numbers are seconds since the series' begin, larger ones since 1970."""
_HALF_A_DAY = timedelta(hours=12)
_FIRST_YEAR, _LAST_YEAR = 1990, 2100


class NoMoment(ValueError):
    """A text is no moment."""


class Moments:
    """Reads the moments of one series, in their order. `begins` is what seconds count from; a time of day is
    on its day, and on the day after once it is more than twelve hours before the last one."""

    def __init__(self, begins: datetime, zone: ZoneInfo) -> None:
        self._begins = begins
        self._zone = zone
        self._last: datetime | None = None
        self.relative = False
        """whether any was no whole date"""

    def read(self, text: str) -> datetime:
        """The moment in UTC. Raises NoMoment."""
        text = text.strip()
        moment = self._time_of_day(text) or self._seconds(text) or self._whole(text)
        if moment is None or not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            raise NoMoment(text)
        self._last = moment
        return moment

    def after(self, text: str, earliest: datetime) -> datetime:
        """The same for something beside the series: a time of day is the first one from `earliest` on."""
        match = _TIME.fullmatch(text.strip())
        if match is None:
            return Moments(self._begins, self._zone).read(text)
        moment = self._on(match, earliest)
        return moment if moment >= earliest else self._on(match, earliest + timedelta(days=1))

    def _time_of_day(self, text: str) -> datetime | None:
        match = _TIME.fullmatch(text)
        if match is None:
            return None
        self.relative = True
        base = self._last or self._begins
        moment = self._on(match, base)
        if self._last is not None and self._last - moment > _HALF_A_DAY:
            moment = self._on(match, base + timedelta(days=1))
        return moment

    def _on(self, match: re.Match[str], base: datetime) -> datetime:
        seconds = float(match[3] or 0)
        if int(match[1]) > 23 or int(match[2]) > 59 or seconds >= 60:
            raise NoMoment(match[0])
        whole = time(int(match[1]), int(match[2]))
        day = base.astimezone(self._zone).date()
        return moment_of(day, whole, self._zone) + timedelta(seconds=seconds)

    def _seconds(self, text: str) -> datetime | None:
        if not _NUMBER.fullmatch(text):
            return None
        seconds = float(text)
        if seconds < _FIRST_EPOCH:
            self.relative = True
            return self._begins + timedelta(seconds=seconds)
        try:
            # Rounded: a float of this size knows its microseconds only roughly.
            fraction, whole = math.modf(seconds)
            return datetime.fromtimestamp(int(whole), UTC) + timedelta(milliseconds=round(fraction * 1000))
        except (OverflowError, OSError, ValueError):
            return None

    def _whole(self, text: str) -> datetime | None:
        if not _DATE.match(text):
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return None
        return (moment if moment.tzinfo else moment.replace(tzinfo=self._zone)).astimezone(UTC)
