"""The part of the configuration that says who is on call: `schedules`."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from bot.config.values import Timezone
from bot.config.watching import Section
from bot.domain.durations import parse_duration
from bot.domain.oncall.model import WEEKDAYS, Hours

_PERSON = re.compile(r"[UW][A-Z0-9]{5,20}|@[\w.-]{1,80}")
_SCHEDULE = re.compile(r"[^\W_][\w.-]{0,59}")
_DAYS = {
    word: number
    for number, day in enumerate(zip(WEEKDAYS, "월화수목금토일", strict=True))
    for word in (*day, f"{day[1]}요일")
} | {
    f"{day}day": number
    for number, day in enumerate(("mon", "tues", "wednes", "thurs", "fri", "satur", "sun"))
}
_TIME = re.compile(r"(\d{1,2}):(\d{2})")
_HOURS = re.compile(r"\s*(\d{1,2}:\d{2})\s*[-–~]\s*(\d{1,2}:\d{2})\s*")
_START = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?(Z|[+-]\d{2}:?\d{2})?)?")
_FIRST_YEAR, _LAST_YEAR = 2000, 2100
_SHORTEST, _LONGEST = timedelta(hours=1), timedelta(days=31)


def _person(value: object) -> str:
    if not isinstance(value, str) or not _PERSON.fullmatch(value.strip()):
        raise PydanticCustomError("person", "no person", {"text": str(value)[:80]})
    return value.strip()


def _weekday(value: object) -> int:
    number = _DAYS.get(value.strip().casefold()) if isinstance(value, str) else None
    if number is None:
        raise PydanticCustomError("weekday", "no weekday", {"text": str(value)[:80]})
    return number


def _time_of_day(value: object) -> time:
    match = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        raise PydanticCustomError("time_of_day", "no time of day", {"text": str(value)[:80]})
    return time(int(match[1]), int(match[2]))


def _hours(value: object) -> Hours:
    match = _HOURS.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise PydanticCustomError("hours_of_day", "no hours", {"text": str(value)[:80]})
    # 24:00 is the midnight at the end of a day; as a time it is the one at which the next begins.
    start, end = _time_of_day(match[1]), time(0) if match[2] == "24:00" else _time_of_day(match[2])
    if start == end and match[2] != "24:00":
        raise PydanticCustomError("hours_empty", "no time at all", {"text": str(value)})
    return Hours(start, end)


def _turn(value: object) -> timedelta | Literal["daily", "weekly"]:
    if value == "daily" or value == "weekly":
        return value
    try:
        length = parse_duration(value) if isinstance(value, str) else None
    except ValueError:
        length = None
    if length is None:
        raise PydanticCustomError("turn", "no turn", {"text": str(value)[:80]})
    if not _SHORTEST <= length <= _LONGEST:
        raise PydanticCustomError("turn_length", "out of range", {"text": str(value)})
    return length


def _start(value: object) -> date:
    match = _START.fullmatch(value.strip()) if isinstance(value, str) else None
    try:
        moment = datetime.fromisoformat(match[0]) if match is not None else None
    except ValueError:
        moment = None
    if match is None or moment is None or not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise PydanticCustomError("rotation_start", "no start", {"text": str(value)[:80]})
    if len(match[0]) == len("2026-01-05"):
        return moment.date()
    if moment.tzinfo is None:
        raise PydanticCustomError("start_without_zone", "no zone", {"text": match[0]})
    return moment.astimezone(UTC)


def _not_empty(value: tuple[object, ...]) -> tuple[object, ...]:
    """Pydantic's own limit counts valid items only, and so complains of a list with one bad item too."""
    if not value:
        raise PydanticCustomError("list_empty", "empty")
    return value


def _schedule_name(value: str) -> str:
    if not _SCHEDULE.fullmatch(value):
        raise PydanticCustomError("schedule_name", "no name", {"text": value[:80]})
    return value


_SOME = AfterValidator(_not_empty)
_TIME_PATTERN = r"^\s*([01]?\d|2[0-3]):[0-5]\d\s*$"
Person = Annotated[
    str,
    PlainValidator(_person),
    WithJsonSchema({"type": "string", "pattern": r"^\s*([UW][A-Z0-9]{5,20}|@[\w.-]{1,80})\s*$"}),
]
Weekday = Annotated[int, PlainValidator(_weekday), WithJsonSchema({"type": "string", "enum": sorted(_DAYS)})]
TimeOfDay = Annotated[
    time, PlainValidator(_time_of_day), WithJsonSchema({"type": "string", "pattern": _TIME_PATTERN})
]
HoursOfDay = Annotated[
    Hours,
    PlainValidator(_hours),
    WithJsonSchema({"type": "string", "pattern": r"^\s*\d{1,2}:\d{2}\s*[-–~]\s*\d{1,2}:\d{2}\s*$"}),
]
Turn = Annotated[
    timedelta | Literal["daily", "weekly"],
    PlainValidator(_turn),
    WithJsonSchema({"type": "string", "pattern": r"^(daily|weekly|\s*(\d+(\.\d+)?\s*(h|d)\s*)+)$"}),
]
Start = Annotated[
    date,
    PlainValidator(_start),
    WithJsonSchema({"type": "string", "pattern": r"^\s*\d{4}-\d{2}-\d{2}([T ]\S+)?\s*$"}),
]
ScheduleName = Annotated[str, AfterValidator(_schedule_name)]


class RotationSettings(Section):
    """People who take turns."""

    people: Annotated[tuple[Person, ...], Field(strict=False), _SOME] = Field(
        max_length=100,
        description="Who takes turns, in order: `@handle` or a Slack user id; somebody may come twice.",
    )
    every: Turn = Field(description="How long a turn is: daily, weekly, or hours (12h), 1h to 31d.")
    start: Start = Field(
        description="The day on which the first turn begins, at `at`; or the moment, with its offset."
    )
    at: TimeOfDay = Field(default=time(9), description="Local time of the hand-over.")
    on: Weekday | None = Field(
        default=None, description="Day of the hand-over, with every: weekly. Default: that of `start`."
    )
    hours: HoursOfDay | None = Field(
        default=None, description="Hours on duty, such as 18:00-09:00. Default: round the clock."
    )
    days: Annotated[tuple[Weekday, ...], Field(strict=False), _SOME] | None = Field(
        default=None, description="Days on duty, on which `hours` begin. Default: all."
    )

    @model_validator(mode="after")
    def _has_a_use_for_its_day(self) -> RotationSettings:
        if self.on is not None and self.every != "weekly":
            raise PydanticCustomError("on_without_weekly", "no use for a day")
        return self


class ScheduleSettings(Section):
    """Who is on call, by rotations in layers: where two have somebody, the later one counts."""

    timezone: Timezone | None = Field(
        default=None, description="IANA time zone of all its times. Default: `timezone` of the whole."
    )
    gaps: Literal["refused", "allowed"] = Field(
        default="refused", description="Whether there may be times at which nobody is on call."
    )
    overlaps: Literal["refused", "allowed"] = Field(
        default="refused",
        description="Whether rotations with hours or days may lie upon each other; one without either is "
        "the ground for all others anyway.",
    )
    rotations: Annotated[tuple[RotationSettings, ...], Field(strict=False), _SOME] = Field(
        max_length=20, description="The layers, the last one on top."
    )


Schedules = Annotated[dict[ScheduleName, ScheduleSettings], Field(max_length=200)]
