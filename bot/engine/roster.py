"""The roster: who is on call now and next, with the overrides that people have made."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.audit import Action, span
from bot.domain.oncall.duty import next_hand_over, shifts
from bot.domain.oncall.model import Override, Schedule, Shift
from bot.engine.audit import UNAUDITED, Audit, noting_failure
from bot.engine.clock import Clock
from bot.engine.uninterrupted import uninterrupted
from bot.store.duty import DutyStore

HORIZON = timedelta(days=63)
"""How far ahead the next hand-over is looked for: two of the longest turns."""
_PLAN_BEFORE, _PLAN_AFTER = timedelta(days=1), timedelta(days=3)


class Handles(Protocol):
    """Whose the handles in a schedule and on the command line are."""

    def id_of(self, reference: str) -> str | None:
        """The Slack user id of `@handle`, or of an id itself; None if nobody is called that."""
        ...

    def find(self, reference: str) -> str | None:
        """The same for what somebody typed: if nobody is called that, no one else is told."""
        ...


class Roster:
    """Answers from memory, because the alert machine asks in the middle of its decisions. What is changed is
    in the database first. `load` before use."""

    def __init__(
        self,
        schedules: Mapping[str, Schedule],
        store: DutyStore,
        people: Handles,
        clock: Clock,
        audit: Audit = UNAUDITED,
    ) -> None:
        self._schedules = dict(schedules)
        self._store = store
        self._people = people
        self._clock = clock
        self._audit = audit
        self._overrides: list[Override] = []
        self._plans: dict[str, tuple[Shift, ...]] = {}

    async def load(self) -> None:
        """Read the overrides. Raises StoreUnavailable."""
        self._overrides = await self._store.overrides(self._clock() - _PLAN_BEFORE)
        self._plans.clear()

    def now(self) -> datetime:
        """The present moment, as the roster's clock has it."""
        return self._clock()

    @property
    def names(self) -> tuple[str, ...]:
        """The schedules' names, in the configuration's order."""
        return tuple(self._schedules)

    @property
    def references(self) -> tuple[str, ...]:
        """Everybody whom the schedules name, each once."""
        everybody = (
            person
            for schedule in self._schedules.values()
            for rotation in schedule.rotations
            for person in rotation.people
        )
        return tuple(dict.fromkeys(everybody))

    @property
    def unknown(self) -> tuple[str, ...]:
        """Those of them whom Slack does not know (yet)."""
        return tuple(person for person in self.references if self.id_of(person) is None)

    def schedule(self, name: str) -> Schedule | None:
        """The schedule of that name; None if there is none."""
        return self._schedules.get(name)

    def on_call(self, schedule: str, now: datetime) -> str | None:
        """The Slack user id of whoever is on call at that moment. None in a gap, for a schedule that does not
        exist, and for somebody whom Slack does not know."""
        shift = self.shift_at(schedule, now)
        return None if shift is None or shift.person is None else self.id_of(shift.person)

    def id_of(self, reference: str) -> str | None:
        """The Slack user id of a person as a schedule names them; None if Slack does not know them."""
        return self._people.id_of(reference)

    def find(self, reference: str) -> str | None:
        """The Slack user id of somebody whom a person has typed; None if Slack does not know them."""
        return self._people.find(reference)

    def shift_at(self, name: str, moment: datetime) -> Shift | None:
        """The shift at that moment, of nobody in a gap; its start and end are cut where the plan that is kept
        begins and ends. None if there is no such schedule."""
        schedule = self._schedules.get(name)
        if schedule is None:
            return None
        plan = self._plans.get(name, ())
        if not plan or not plan[0].start <= moment < plan[-1].end:
            since, until = moment - _PLAN_BEFORE, moment + _PLAN_AFTER
            plan = self._plans[name] = shifts(schedule, self._overrides, since, until)
        return plan[bisect_right(plan, moment, key=lambda shift: shift.start) - 1]

    def shifts(self, name: str, since: datetime, until: datetime) -> tuple[Shift, ...]:
        """The shifts of that time, gaps included; none if there is no such schedule."""
        schedule = self._schedules.get(name)
        return () if schedule is None else shifts(schedule, self._overrides, since, until)

    def next_hand_over(self, name: str, now: datetime) -> Shift | None:
        """The next shift of somebody else, or of nobody; None when none comes within `HORIZON`."""
        schedule = self._schedules.get(name)
        if schedule is None:
            return None
        return next_hand_over(schedule, self._overrides, now, now + HORIZON)

    def overrides(self, name: str) -> tuple[Override, ...]:
        """Overrides of that schedule that hold now or later, by their start."""
        now = self._clock()
        found = (each for each in self._overrides if each.schedule == name and each.end > now)
        return tuple(sorted(found, key=lambda each: (each.start, each.id)))

    def override(self, number: int) -> Override | None:
        """The override of that number, if it holds now or later."""
        now = self._clock()
        return next((each for each in self._overrides if each.id == number and each.end > now), None)

    async def add_override(self, override: Override) -> Override:
        """Let somebody stand in; it comes back with its number. Raises StoreUnavailable, nothing changed."""
        return await uninterrupted(self._added(override, self._clock()))

    async def remove_override(self, number: int, by: str) -> Override | None:
        """Take an override back; it as it was, or None if there is none of that number that is not over.
        Raises StoreUnavailable: nothing has changed."""
        found = self.override(number)
        return None if found is None else await uninterrupted(self._undone(found, by, self._clock()))

    async def _added(self, override: Override, now: datetime) -> Override:
        detail = {"user": override.user, **span(override.start, override.end), "reason": override.why}
        subject = f"schedule:{override.schedule}"
        with noting_failure(self._audit, override.by, Action.ONCALL_SWAP, subject, detail):
            added = await self._store.add_override(override, now)
        self._keep([*(each for each in self._overrides if each.end > now - _PLAN_BEFORE), added])
        detail["schedule"] = added.schedule
        self._audit.note(override.by, Action.ONCALL_SWAP, f"override:{added.id}", detail=detail)
        return added

    async def _undone(self, override: Override, by: str, now: datetime) -> Override | None:
        subject = f"override:{override.id}"
        detail = {"user": override.user, "schedule": override.schedule}
        with noting_failure(self._audit, by, Action.ONCALL_UNDO, subject, detail):
            done = await self._store.undo_override(override.id, by, now)
        if not done:
            return None
        self._keep(each for each in self._overrides if each.id != override.id)
        self._audit.note(by, Action.ONCALL_UNDO, subject, detail=detail)
        return override

    def _keep(self, overrides: Iterable[Override]) -> None:
        self._overrides = list(overrides)
        self._plans.clear()
