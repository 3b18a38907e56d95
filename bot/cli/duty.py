"""What `guardian check` notes of on-call schedules: times to come at which nobody is on call, and rotations
that lie upon each other where that is allowed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.cli.speech import Speaker
from bot.config import Settings
from bot.config.duty import schedules_of
from bot.domain.oncall.coverage import gaps, overlaps

DAYS = 30


def duty_notes(speaker: Speaker, settings: Settings, now: datetime) -> Iterator[str]:
    """A line for each schedule with gaps within the next days, and one for each two rotations that overlap.

    A schedule that is still to begin has a gap until then, whatever its rotations are.
    """
    until = now + timedelta(days=DAYS)
    for name, schedule in schedules_of(settings).items():
        found = gaps(schedule, (), now, until)
        if found:
            start, end = found[0].start, found[0].end
            yield speaker.phrase(
                "check.gaps",
                schedule=name,
                count=len(found),
                days=DAYS,
                at=_local(start, schedule.zone),
                end_at=_local(end, schedule.zone),
            )
        for overlap in overlaps(schedule, now, until):
            yield speaker.phrase(
                "check.overlap",
                schedule=name,
                earlier=overlap.earlier,
                later=overlap.later,
                at=_local(overlap.span.start, schedule.zone),
                end_at=_local(overlap.span.end, schedule.zone),
            )


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"
