"""From `schedules` in the configuration to the schedules that the roster works with, and what is wrong with
one as a whole."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bot.config.calling import RotationSettings, ScheduleSettings
from bot.config.document import Document
from bot.config.problems import ConfigProblem, Steps, path_text
from bot.config.settings import Settings
from bot.domain.oncall.coverage import hidden, lasting_gap, lasting_overlap
from bot.domain.oncall.localtime import local_day, moment_of
from bot.domain.oncall.model import ALL_DAYS, WEEKDAYS, Pace, Rotation, Schedule


def schedules_of(settings: Settings) -> dict[str, Schedule]:
    """The schedules by name, in the configuration's order."""
    return {name: _schedule(name, each, settings.timezone) for name, each in settings.schedules.items()}


def schedule_problems(
    document: Document, settings: Settings, refused: Collection[str]
) -> Iterator[ConfigProblem]:
    """Gaps, overlaps and rotations that never count, of schedules of which nothing is refused: `refused` are
    the paths of what is."""
    for name, schedule in schedules_of(settings).items():
        steps: Steps = ("schedules", name)
        own = path_text(steps)
        if not any(path == own or path.startswith((f"{own}.", f"{own}[")) for path in refused):
            yield from _problems(document, steps, schedule)


def _problems(document: Document, steps: Steps, schedule: Schedule) -> Iterator[ConfigProblem]:
    useless = hidden(schedule)
    for number in useless:
        place: Steps = (*steps, "rotations", number)
        yield ConfigProblem(path_text(place), document.line_of(place), "rotation_hidden", {})
    gap = None if schedule.gaps_allowed else lasting_gap(schedule)
    if gap is not None:
        values = {**_when(gap.start, schedule, ""), **_when(gap.end, schedule, "end_")}
        yield ConfigProblem(path_text(steps), document.line_of(steps), "schedule_gap", values)
    overlap = None if schedule.overlaps_allowed or useless else lasting_overlap(schedule)
    if overlap is not None:
        place = (*steps, "rotations", overlap.later)
        other = path_text((*steps, "rotations", overlap.earlier))
        values = {
            **_when(overlap.span.start, schedule, ""),
            **_when(overlap.span.end, schedule, "end_"),
            "other": other,
        }
        yield ConfigProblem(path_text(place), document.line_of(place), "schedule_overlap", values)


def _when(moment: datetime, schedule: Schedule, prefix: str) -> dict[str, str]:
    local = moment.astimezone(schedule.zone)
    return {f"{prefix}at": f"{local:%Y-%m-%d %H:%M}", f"{prefix}day": WEEKDAYS[local.weekday()]}


def _schedule(name: str, settings: ScheduleSettings, timezone: str) -> Schedule:
    zone = ZoneInfo(settings.timezone or timezone)
    return Schedule(
        name=name,
        zone=zone,
        rotations=tuple(_rotation(each, zone) for each in settings.rotations),
        gaps_allowed=settings.gaps == "allowed",
        overlaps_allowed=settings.overlaps == "allowed",
    )


def _rotation(settings: RotationSettings, zone: ZoneInfo) -> Rotation:
    begins = _moment(settings.start, settings, zone)
    weekday = local_day(begins, zone).weekday() if settings.on is None else settings.on
    days = ALL_DAYS if settings.days is None else frozenset(settings.days)
    rotation = Rotation(
        people=settings.people,
        pace=Pace.HOURS,
        begins=begins,
        at=settings.at,
        weekday=weekday,
        hours=settings.hours,
        days=days,
    )
    if settings.every == "daily":
        return replace(rotation, pace=Pace.DAILY)
    if settings.every == "weekly":
        return replace(rotation, pace=Pace.WEEKLY)
    return replace(rotation, length=settings.every)


def _moment(start: date, settings: RotationSettings, zone: ZoneInfo) -> datetime:
    return start if isinstance(start, datetime) else moment_of(start, settings.at, zone)
