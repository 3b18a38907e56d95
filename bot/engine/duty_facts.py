"""The roster as facts for messages."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.oncall.model import Override, Shift
from bot.engine.roster import Roster
from messages.oncall_facts import DutyFacts, OverrideFacts, ShiftFacts

_SHIFTS = 10
_SHIFTS_WITHIN = timedelta(days=42)


def duty_facts(roster: Roster, name: str, now: datetime, *, in_full: bool = False) -> DutyFacts:
    """A schedule as it is now, `in_full` with its next shifts. KeyError if there is none of that name."""
    schedule, shift = roster.schedule(name), roster.shift_at(name, now)
    if schedule is None or shift is None:
        raise KeyError(name)
    following = roster.next_hand_over(name, now)
    coming = _coming(roster, name, now) if in_full else ()
    return DutyFacts(
        schedule=name,
        timezone=schedule.zone.key,
        person=_person(roster, shift.person),
        override=shift.override,
        until=None if following is None else following.start.isoformat(),
        next_person=None if following is None else _person(roster, following.person),
        overrides=tuple(map(override_facts, roster.overrides(name))),
        shifts=tuple(_shift_facts(roster, each) for each in coming),
    )


def _coming(roster: Roster, name: str, now: datetime) -> tuple[Shift, ...]:
    """The next shifts. What only ends because nobody looks further is none, unless it is all there is."""
    horizon = now + _SHIFTS_WITHIN
    shifts = roster.shifts(name, now, horizon)
    whole = [shift for shift in shifts if shift.end < horizon]
    return tuple(whole or shifts)[:_SHIFTS]


def override_facts(override: Override) -> OverrideFacts:
    """An override as messages show it."""
    return OverrideFacts(
        number=override.id,
        schedule=override.schedule,
        user=override.user,
        start=override.start.isoformat(),
        end=override.end.isoformat(),
        by=override.by,
        why=override.why,
    )


def _shift_facts(roster: Roster, shift: Shift) -> ShiftFacts:
    return ShiftFacts(
        person=_person(roster, shift.person),
        start=shift.start.replace(microsecond=0).isoformat(),
        end=shift.end.replace(microsecond=0).isoformat(),
        override=shift.override,
    )


def _person(roster: Roster, reference: str | None) -> str | None:
    return None if reference is None else roster.id_of(reference) or reference
