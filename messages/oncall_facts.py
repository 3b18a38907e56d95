"""What messages about on-call duty need to know; the same rules as in `messages.facts`.

A person is a Slack user id, or the handle as the configuration has it for somebody whom Slack does not know.
"""

from __future__ import annotations

from dataclasses import dataclass

from messages.facts import Facts


@dataclass(frozen=True, slots=True)
class OverrideFacts(Facts):
    """Somebody stands in."""

    number: int
    schedule: str
    user: str
    start: str
    end: str
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class ShiftFacts(Facts):
    """A time in which the same person is on call; `person` is None where nobody is."""

    person: str | None
    start: str
    end: str
    override: int | None


@dataclass(frozen=True, slots=True)
class DutyFacts(Facts):
    """One schedule now."""

    schedule: str
    timezone: str
    person: str | None
    override: int | None
    """the number of the override that says so"""
    until: str | None
    """when somebody else is on call, or nobody; None when that is not foreseen"""
    next_person: str | None
    """who that is; None for nobody"""
    overrides: tuple[OverrideFacts, ...]
    shifts: tuple[ShiftFacts, ...] = ()
    """the next ones, where a single schedule was asked for"""


@dataclass(frozen=True, slots=True)
class DutyListFacts(Facts):
    """All schedules, or one of them: the answer to `oncall`."""

    command: str
    """the slash command as people type it, `/guardian`"""
    schedules: tuple[DutyFacts, ...]


@dataclass(frozen=True, slots=True)
class DutyChangedFacts(Facts):
    """An override was made, or undone."""

    command: str
    override: OverrideFacts
    undone: bool
    instead_of: str | None
    """who is on call at its start without it; None for nobody"""


@dataclass(frozen=True, slots=True)
class DutyRefusedFacts(Facts):
    """Something about `oncall` could not be done."""

    code: str
    """no_schedules, need_schedule, need_person, unknown_person, need_times, over, too_long, too_far,
    need_number, unknown_number"""
    text: str
    """what was typed there; empty when nothing was"""
    known: tuple[str, ...]
    """what there is instead"""
    usage: str
    """the whole command as it should be written"""


@dataclass(frozen=True, slots=True)
class HandOverFacts(Facts):
    """Somebody else is on call."""

    schedule: str
    before: str
    after: str
    at: str
    until: str | None
    override: int | None
    why: str
    open_alerts: int


@dataclass(frozen=True, slots=True)
class UnknownPersonFacts(Facts):
    """A handle of the configuration that nobody in the workspace has."""

    reference: str
