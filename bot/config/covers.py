"""The parts of the configuration that keep alerts from being told: `inhibit` and `maintenance`."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from bot.config.calling import HoursOfDay, Weekday
from bot.config.routing import LabelName, MatcherText
from bot.config.values import Name, Timezone
from bot.config.watching import Section

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:?\d{2})?")


def _moment(value: object) -> datetime:
    """The moment that was written; without an offset it is local time, of a zone that is known later."""
    match = _MOMENT.fullmatch(value.strip()) if isinstance(value, str) else None
    try:
        moment = datetime.fromisoformat(match[0]) if match is not None else None
    except ValueError:
        moment = None
    if moment is None or not 2000 <= moment.year <= 2100:
        raise PydanticCustomError("window_moment", "no moment", {"text": str(value)[:80]})
    return moment


Moment = Annotated[
    datetime,
    PlainValidator(_moment),
    WithJsonSchema({"type": "string", "pattern": r"^\s*\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}\S*\s*$"}),
]


class InhibitSettings(Section):
    """Alerts that mute others."""

    source: MatcherText = Field(description="The alerts that mute, while they are open.")
    target: MatcherText = Field(description="The alerts that are muted.")
    equal: Annotated[tuple[LabelName, ...], Field(strict=False)] = Field(
        default=(), max_length=20, description="Labels that both must have with the same value."
    )


class WindowSettings(Section):
    """A time at which trouble is expected: once, with `from` and `until`, or every week, with `hours`."""

    name: Name = Field(description="What it is called; shown on the card of an alert that it covers.")
    match: MatcherText = Field(description="Which alerts are not told meanwhile; `*`: all.")
    reason: str = Field(default="", max_length=300, description="Why.")
    begins: Moment | None = Field(
        default=None, alias="from", description="Once: from this moment, 2026-03-01 22:00, local time."
    )
    until: Moment | None = Field(default=None, description="Once: until this moment.")
    days: Annotated[tuple[Weekday, ...], Field(strict=False)] | None = Field(
        default=None, min_length=1, description="Every week: days on which it begins. Default: all."
    )
    hours: HoursOfDay | None = Field(
        default=None, description="Every week: its hours, such as 22:00-02:00, local time."
    )
    timezone: Timezone | None = Field(
        default=None, description="IANA time zone of its times. Default: `timezone` of the whole."
    )

    @model_validator(mode="after")
    def _is_one_of_the_two(self) -> WindowSettings:
        once, weekly = (self.begins, self.until), (self.days, self.hours)
        if any(each is not None for each in once):
            if None in once or any(each is not None for each in weekly):
                raise PydanticCustomError("window_times", "once or every week")
        elif self.hours is None:
            raise PydanticCustomError("window_times", "once or every week")
        if self.begins is not None and self.until is not None:
            same = (self.begins.tzinfo is None) == (self.until.tzinfo is None)
            if same and self.until <= self.begins:
                raise PydanticCustomError("window_order", "the end before the start")
        return self


Windows = Annotated[tuple[WindowSettings, ...], Field(strict=False, max_length=500)]
Inhibitions = Annotated[tuple[InhibitSettings, ...], Field(strict=False, max_length=200)]
