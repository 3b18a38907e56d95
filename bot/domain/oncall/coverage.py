"""What is wrong with a schedule as a whole: times with nobody, rotations that lie upon each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.oncall.duty import shifts
from bot.domain.oncall.model import Override, Rotation, Schedule, Span
from bot.domain.oncall.turns import next_change, on_duty

PERIOD = timedelta(days=15)
"""Hours and days repeat every week: what is not wrong within two of them never is."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two rotations, by their positions, that both have somebody; the `later` one counts."""

    earlier: int
    later: int
    span: Span


def gaps(
    schedule: Schedule, overrides: Sequence[Override], since: datetime, until: datetime
) -> tuple[Span, ...]:
    """The times from `since` to `until` at which nobody is on call."""
    return tuple(
        Span(shift.start, shift.end)
        for shift in shifts(schedule, overrides, since, until)
        if shift.person is None
    )


def lasting_gap(schedule: Schedule) -> Span | None:
    """The first gap once all rotations have begun; None when there is none, and so never will be.

    Of a gap that does not end, the end is that of the two weeks looked at.
    """
    since = max(rotation.begins for rotation in schedule.rotations)
    found = gaps(schedule, (), since, since + PERIOD)
    return found[0] if found else None


def overlaps(schedule: Schedule, since: datetime, until: datetime) -> tuple[Overlap, ...]:
    """Where rotations with hours or days of their own lie upon each other between `since` and `until`, the
    first time for each two of them.

    A rotation without them is the ground that others are meant to lie upon. One that another has replaced
    altogether from a later day on is meant too.
    """
    found: list[Overlap] = []
    layers = list(enumerate(schedule.rotations))
    for number, earlier in layers:
        for other, later in layers[number + 1 :]:
            if not (earlier.is_restricted and later.is_restricted):
                continue
            start = max(since, earlier.begins, later.begins)
            both, only_earlier = _compare(schedule, earlier, later, start, until)
            if both and only_earlier:
                found.append(Overlap(number, other, both[0]))
    return tuple(found)


def lasting_overlap(schedule: Schedule) -> Overlap | None:
    """The first such overlap once all rotations have begun; None when there is none."""
    since = max(rotation.begins for rotation in schedule.rotations)
    found = overlaps(schedule, since, since + PERIOD)
    return min(found, key=lambda overlap: overlap.span.start, default=None)


def hidden(schedule: Schedule) -> tuple[int, ...]:
    """The positions of rotations that never have anybody on call, because later ones always do.

    Later rotations only ever begin and never end: one that is hidden for two weeks is hidden for good.
    """
    found: list[int] = []
    for number, rotation in enumerate(schedule.rotations):
        above = schedule.rotations[number + 1 :]
        since = rotation.begins
        if above and not any(
            on_duty(rotation, schedule.zone, start) is not None
            and all(on_duty(each, schedule.zone, start) is None for each in above)
            for start in _starts(schedule, (rotation, *above), since, since + PERIOD)
        ):
            found.append(number)
    return tuple(found)


def _compare(
    schedule: Schedule, earlier: Rotation, later: Rotation, since: datetime, until: datetime
) -> tuple[list[Span], bool]:
    """The times at which both are on duty, and whether there are any at which only the earlier one is."""
    both: list[Span] = []
    only_earlier = False
    starts = _starts(schedule, (earlier, later), since, until)
    for start, end in zip(starts, [*starts[1:], until], strict=True):
        on = [on_duty(each, schedule.zone, start) is not None for each in (earlier, later)]
        if all(on):
            if both and both[-1].end == start:
                both[-1] = Span(both[-1].start, end)
            else:
                both.append(Span(start, end))
        only_earlier = only_earlier or on == [True, False]
    return both, only_earlier


def _starts(
    schedule: Schedule, rotations: Sequence[Rotation], since: datetime, until: datetime
) -> list[datetime]:
    """`since`, and every moment from there to `until` at which one of the rotations may change."""
    found: list[datetime] = []
    moment = since
    while moment < until:
        found.append(moment)
        moment = min(next_change(rotation, schedule.zone, moment) for rotation in rotations)
    return found
