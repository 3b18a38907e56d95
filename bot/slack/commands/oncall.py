"""`oncall 당직`: who is on call until when, and who stands in for whom."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from datetime import timedelta
from zoneinfo import ZoneInfo

from bot.domain.oncall.model import Override, Schedule
from bot.domain.time_notation import Span, leading_end, leading_span
from bot.engine.duty_facts import duty_facts, override_facts
from bot.engine.roster import Roster
from bot.slack.command import MENTION, Answer, Asked, Command, numbered
from messages.oncall_facts import DutyChangedFacts, DutyListFacts, DutyRefusedFacts

_SHORTEST = timedelta(minutes=1)
_LONGEST = timedelta(days=90)
_FURTHEST = timedelta(days=366)
_USER = re.compile(r"[UW][A-Z0-9]{5,20}")
_WHY_LIMIT = 200
_ANY_ZONE = ZoneInfo("UTC")
_USAGE = {
    "swap": "swap SCHEDULE @person 18:00 09:00 [reason]",
    "take": "take SCHEDULE 2h [reason]",
    "undo": "undo NUMBER",
    "": "[SCHEDULE | swap | take | undo]",
}


class _Refused(Exception):
    """What was asked cannot be done: a code of `DutyRefusedFacts` with what was typed, and what there is."""

    def __init__(self, code: str, text: str = "", known: tuple[str, ...] = ()) -> None:
        super().__init__(code)
        self.code = code
        self.text = text
        self.known = known


async def _answer(asked: Asked) -> Answer:
    # A name in a mention may have blanks, at which the line was cut.
    line = MENTION.sub(r" \1 ", " ".join(asked.arguments))
    word, _, rest = line.strip().partition(" ")
    action = _ACTIONS.get(word.casefold())
    try:
        roster = asked.guardian.duty
        if roster is None or not roster.names:
            raise _Refused("no_schedules")
        if action is None:
            return _shown(asked, roster, line.strip())
        return await action[1](asked, roster, rest.strip())
    except _Refused as refused:
        usage = _USAGE["" if action is None else action[0]]
        full = f"{asked.slash} {COMMAND.name} {usage}"
        return Answer("oncall_refused", DutyRefusedFacts(refused.code, refused.text, refused.known, full))


def _shown(asked: Asked, roster: Roster, name: str) -> Answer:
    if name and roster.schedule(name) is None:
        raise _Refused("need_schedule", name, roster.names)
    names = (name,) if name else roster.names
    now = roster.now()
    schedules = tuple(duty_facts(roster, each, now, in_full=bool(name)) for each in names)
    return Answer("oncall", DutyListFacts(asked.slash, schedules))


async def _swap(asked: Asked, roster: Roster, text: str) -> Answer:
    schedule, text = _schedule(roster, text, lambda rest: _is_person(rest.partition(" ")[0]))
    person, _, text = text.partition(" ")
    if not _is_person(person):
        raise _Refused("need_person", person)
    user = roster.find(person)
    if user is None:
        raise _Refused("unknown_person", person)
    span = leading_span(text, roster.now(), schedule.zone)
    return await _stand_in(asked, roster, schedule, user, span, text)


async def _take(asked: Asked, roster: Roster, text: str) -> Answer:
    schedule, text = _schedule(roster, text, lambda rest: _is_end(roster, rest))
    span = leading_end(text, roster.now(), schedule.zone)
    return await _stand_in(asked, roster, schedule, asked.user_id, span, text)


async def _undo(asked: Asked, roster: Roster, text: str) -> Answer:
    number = numbered(text)
    known = tuple(str(each.id) for name in roster.names for each in roster.overrides(name))
    if number is None:
        raise _Refused("need_number", text, known)
    undone = await roster.remove_override(number, asked.user_id)
    if undone is None:
        raise _Refused("unknown_number", str(number), known)
    return _changed(asked, roster, undone, undone=True)


async def _stand_in(
    asked: Asked, roster: Roster, schedule: Schedule, user: str, span: Span | None, text: str
) -> Answer:
    now = roster.now()
    if span is None:
        raise _Refused("need_times", text)
    start = max(span.starts_at, now).replace(microsecond=0)
    if span.ends_at - start < _SHORTEST:
        raise _Refused("over", text)
    if span.ends_at - start > _LONGEST:
        raise _Refused("too_long", text)
    if start - now > _FURTHEST:
        raise _Refused("too_far", text)
    override = Override(
        id=0,
        schedule=schedule.name,
        user=user,
        start=start,
        end=span.ends_at,
        by=asked.user_id,
        why=span.rest[:_WHY_LIMIT],
    )
    instead_of = roster.shift_at(schedule.name, start)
    before = None if instead_of is None else instead_of.person
    added = await roster.add_override(override)
    return _changed(asked, roster, added, undone=False, before=before)


def _changed(
    asked: Asked, roster: Roster, override: Override, *, undone: bool, before: str | None = None
) -> Answer:
    if undone:
        shift = roster.shift_at(override.schedule, max(override.start, roster.now()))
        before = None if shift is None else shift.person
    known = None if before is None else roster.id_of(before) or before
    return Answer("oncall_changed", DutyChangedFacts(asked.slash, override_facts(override), undone, known))


def _schedule(roster: Roster, text: str, goes_on: Callable[[str], bool]) -> tuple[Schedule, str]:
    """The schedule that the text begins with and the rest. The only one there is needs no naming, if the text
    goes on as it should behind a name."""
    name, _, rest = text.partition(" ")
    schedule = roster.schedule(name)
    if schedule is not None:
        return schedule, rest.strip()
    alone = roster.schedule(roster.names[0])
    if alone is None or len(roster.names) > 1 or not goes_on(text):
        raise _Refused("need_schedule", name, roster.names)
    return alone, text


def _is_person(word: str) -> bool:
    return word.startswith("@") or _USER.fullmatch(word) is not None


def _is_end(roster: Roster, text: str) -> bool:
    return leading_end(text, roster.now(), _ANY_ZONE) is not None


_Action = Callable[[Asked, Roster, str], Coroutine[None, None, Answer]]
_ACTIONS: dict[str, tuple[str, _Action]] = {
    "swap": ("swap", _swap),
    "교대": ("swap", _swap),
    "take": ("take", _take),
    "맡기": ("take", _take),
    "undo": ("undo", _undo),
    "취소": ("undo", _undo),
}

COMMAND = Command(name="oncall", korean="당직", arguments="[swap|take|undo]", order=5, answer=_answer)
