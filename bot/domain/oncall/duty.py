"""Who is on call in a schedule: an override counts before a later rotation, that before an earlier one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain.oncall.model import Override, Schedule, Shift
from bot.domain.oncall.turns import next_change, on_duty


def on_call(
    schedule: Schedule, overrides: Sequence[Override], moment: datetime
) -> tuple[str | None, int | None]:
    """The person on call at that moment (None in a gap), and the number of the override that says so."""
    standing_in = [each for each in overrides if _holds(each, schedule, moment)]
    if standing_in:
        latest = max(standing_in, key=lambda each: each.id)
        return latest.user, latest.id
    for rotation in reversed(schedule.rotations):
        person = on_duty(rotation, schedule.zone, moment)
        if person is not None:
            return person, None
    return None, None


def shifts(
    schedule: Schedule, overrides: Sequence[Override], since: datetime, until: datetime
) -> tuple[Shift, ...]:
    """The shifts from `since` to `until` in order and without a hole: a gap is a shift of nobody."""
    found: list[Shift] = []
    for shift in _pieces(schedule, overrides, since, until):
        last = found[-1] if found else None
        if last is not None and (last.person, last.override) == (shift.person, shift.override):
            found[-1] = replace(last, end=shift.end)
        else:
            found.append(shift)
    return tuple(found)


def next_hand_over(
    schedule: Schedule, overrides: Sequence[Override], moment: datetime, until: datetime
) -> Shift | None:
    """The next shift of another person than the one on call at that moment, or of nobody; None when that is
    not before `until`."""
    now = on_call(schedule, overrides, moment)[0]
    pieces = _pieces(schedule, overrides, moment, until)
    first = next((piece for piece in pieces if piece.person != now), None)
    if first is None:
        return None
    for piece in pieces:
        if (piece.person, piece.override) != (first.person, first.override):
            break
        first = replace(first, end=piece.end)
    return first


def _pieces(
    schedule: Schedule, overrides: Sequence[Override], since: datetime, until: datetime
) -> Iterator[Shift]:
    """The time from `since` to `until`, cut at every moment at which somebody else may be on call."""
    own = [each for each in overrides if each.schedule == schedule.name]
    start = since
    while start < until:
        person, number = on_call(schedule, own, start)
        changes = [next_change(rotation, schedule.zone, start) for rotation in schedule.rotations]
        changes += [edge for each in own for edge in (each.start, each.end) if edge > start]
        end = min([*changes, until])
        yield Shift(person, start, end, number)
        start = end


def _holds(override: Override, schedule: Schedule, moment: datetime) -> bool:
    return override.schedule == schedule.name and override.start <= moment < override.end
