"""The parts of the configuration about operations: `roles` and `operations`."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from bot.config.calling import HoursOfDay, Weekday
from bot.config.values import Channel, Duration, Name, Timezone, between
from bot.config.watching import Section
from bot.domain.alerts.ladder import TargetKind
from bot.domain.targets import parse_target

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_OPERATION = re.compile(r"[a-z][a-z_]{0,39}(@\S{1,80})?")


def _member(value: object) -> str:
    try:
        target = parse_target(value) if isinstance(value, str) else None
    except ValueError:
        target = None
    if target is None or target.kind not in (TargetKind.PERSON, TargetKind.GROUP):
        raise PydanticCustomError("member", "no member", {"text": str(value)[:80]})
    return f"group:{target.name}" if target.kind is TargetKind.GROUP else target.name


def _day(value: object) -> date:
    if isinstance(value, date):  # YAML reads 2026-01-01 as one
        return date(value.year, value.month, value.day)
    try:
        day = date.fromisoformat(value) if isinstance(value, str) and _DATE.fullmatch(value) else None
    except ValueError:
        day = None
    if day is None:
        raise PydanticCustomError("holiday", "no day", {"text": str(value)[:80]})
    return day


def _operation(value: str) -> str:
    if not _OPERATION.fullmatch(value):
        raise PydanticCustomError("operation_name", "no operation", {"text": value[:80]})
    return value


Member = Annotated[
    str,
    PlainValidator(_member),
    WithJsonSchema({"type": "string", "pattern": r"^(@\S+|[UW][A-Z0-9]{5,20}|group:(@\S+|S[A-Z0-9]+))$"}),
]
Members = Annotated[tuple[Member, ...], Field(strict=False, max_length=200)]
Day = Annotated[
    date, PlainValidator(_day), WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"})
]
OperationName = Annotated[str, AfterValidator(_operation)]


class RoleSettings(Section):
    """Who may do what; a higher role may what a lower one may, and everybody may look."""

    operator: Members = Field(default=(), description="May ask for operations.")
    approver: Members = Field(default=(), description="May approve and deny.")
    administrator: Members = Field(
        default=(), description="May do everything, and is told of emergency approvals."
    )


class FreezeSettings(Section):
    """A time in which operations must not start: every week, or on holidays."""

    name: Name = Field(description="What it is called.")
    days: Annotated[tuple[Weekday, ...], Field(strict=False)] | None = Field(
        default=None, min_length=1, description="Days on which its hours begin. Default: all."
    )
    hours: HoursOfDay | None = Field(default=None, description="Its hours, such as 18:00-09:00, local time.")
    holidays: Annotated[tuple[Day, ...], Field(strict=False)] = Field(
        default=(), max_length=500, description="Whole days, such as 2026-01-01."
    )
    timezone: Timezone | None = Field(
        default=None, description="IANA time zone of its times. Default: `timezone` of the whole."
    )
    operations: Annotated[tuple[OperationName, ...], Field(strict=False)] = Field(
        default=(), description="Operations that must not start. Default: all but backups and undoing."
    )
    subject: str = Field(
        default="*", min_length=1, max_length=100, description="What it is about; `*` stands for anything."
    )
    reason: str = Field(default="", max_length=300, description="Why.")

    @model_validator(mode="after")
    def _is_sometime(self) -> FreezeSettings:
        if (self.hours is None) == (not self.holidays):
            raise PydanticCustomError("freeze_times", "hours or holidays")
        return self


class OperationSettings(Section):
    """How operations are asked for and approved."""

    channel: Channel | None = Field(
        default=None, description="Where plans are shown. Default: slack.ops_channel."
    )
    approval_lives: Annotated[Duration, AfterValidator(between("1m", "1d"))] = Field(
        default=timedelta(minutes=15), description="How long a plan can be approved, 1m to 1d."
    )
    second_person: Annotated[tuple[OperationName, ...], Field(strict=False)] = Field(
        default=(),
        description="Operations that somebody else than who asked has to approve: cleanup, or "
        "deploy@production for one environment.",
    )
    freezes: Annotated[tuple[FreezeSettings, ...], Field(strict=False, max_length=100)] = Field(
        default=(), description="Times in which operations must not start. Default: none."
    )
