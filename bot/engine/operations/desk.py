"""The desk of operations: takes what people ask for, shows the plan, and takes what they press."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

from bot.domain.audit import GUARDIAN, Action, Outcome
from bot.domain.operations.approval import Click, State
from bot.domain.operations.plan import JsonObject, Plan
from bot.domain.operations.record import OperationRecord
from bot.engine.operations.clicks import Clicks
from bot.engine.operations.contract import Operation, OperationRefused
from bot.engine.operations.durable import Body, Durable
from bot.engine.operations.enclosures import Beside, Enclosures
from bot.engine.operations.locks import frozen_values
from bot.engine.operations.looking import Looking
from bot.engine.operations.mail import stream_of
from bot.engine.operations.moves import Moves
from bot.engine.operations.parts import Parts
from bot.engine.operations.runner import Runner
from bot.engine.operations.shown import Shown
from bot.engine.operations.starter import Starter
from messages.operation_facts import (
    OperationAskedFacts,
    OperationClickFacts,
    OperationFacts,
    OperationRefusedFacts,
    OperationsFacts,
)


class OperationDesk:
    """Every coroutine that people wait for may raise StoreUnavailable. `run` must run."""

    def __init__(
        self,
        parts: Parts,
        operations: Mapping[str, Operation],
        durable: Callable[[Body], Durable],
        beside: Mapping[str, Beside] | None = None,
    ) -> None:
        """`durable` makes the place where runs live, of what a run does. `beside`: what else is said in the
        thread of a plan of that operation."""
        self._parts = parts
        self._operations = dict(operations)
        self._enclosures = Enclosures(parts, beside or {})
        self._runner = Runner(
            parts.store,
            self._operations,
            parts.clock,
            lambda number: self._looking.changed(number),
            lambda record, state, problem: self._starter.ended(record, state, problem),
            self._enclosures.attach,
            lambda number, what, detail: self._enclosures.call(self._moves, number, what, detail),
        )
        self._durable = durable(self._runner.body)
        self.shown = Shown(parts, self._runner.live)
        self._moves = Moves(parts, self.shown)
        self._clicks = Clicks(parts, self.shown, self._moves, self._runner, self.wake)
        self._starter = Starter(
            parts, self.shown, self._moves, self._operations, self._durable, self._clicks.stop
        )
        self._looking = Looking(parts.store, self._starter, self._moves, self._runner.running)
        self._next = 1
        self._adding = asyncio.Lock()

    async def load(self) -> None:
        """Read what is not over, and go on with what was under way. Raises StoreUnavailable."""
        self._next = await self._parts.store.last_id() + 1
        found = await self._parts.store.open()
        await self._parts.know_cards([stream_of(record.id) for record in found])
        await self._enclosures.load(found)
        await self._starter.going.resume(found)

    async def run(self) -> None:
        """Let plans expire, start what waits, and draw cards again, until `close`."""
        await self._looking.run()

    def wake(self) -> None:
        """Something has changed that somebody may be waiting for."""
        self._looking.wake()

    async def close(self) -> None:
        """Leave runs as they are; they go on at the next start."""
        self._looking.end()
        self._runner.close()
        await self._looking.close()
        await self._starter.close()
        self._enclosures.close()
        await self._durable.close()

    def names(self) -> tuple[str, ...]:
        """The operations that there are."""
        return tuple(self._operations)

    async def ask(
        self, name: str, request: JsonObject, by: str, *, approved: bool = False
    ) -> OperationAskedFacts | OperationRefusedFacts:
        """Somebody asks for an operation: its plan is shown in the channel, or why there is none. `approved`:
        whoever asks says by that that it shall be done, where their own word is enough."""
        parts, now = self._parts, self._parts.clock()
        operation = self._operations.get(name)
        if operation is None:
            return self.shown.refused(name, "unknown_operation", {"known": list(self._operations)})
        not_for = self.not_for(name, by)
        if not_for is not None:
            return not_for
        try:
            plan = await operation.plan(request, now)
        except OperationRefused as refused:
            self._note_unasked(name, by, refused.reason)
            return self.shown.refused(name, refused.reason, refused.values)
        frozen = await parts.locks.frozen(name, plan.subject)
        if frozen is not None:
            self._note_unasked(name, by, "frozen")
            return self.shown.refused(name, "frozen", frozen_values(*frozen))
        alone = by == GUARDIAN or not parts.needs(name, plan.subject).second_person
        async with self._adding:  # or two who ask at once would not see each other's plan
            waiting = await self._waiting(plan, request) if approved and alone else None
            if waiting is not None:
                return OperationAskedFacts(await self.shown.placed(waiting), waiting.channel)
            record = await self._add(plan, request, by, now)
        if approved and alone:
            clicked = await self.press(Click.APPROVE, record.id, record.plan_hash, by)
            if clicked is not None:
                return OperationAskedFacts(clicked.operation, record.channel)
        return OperationAskedFacts(self.shown.facts(record), record.channel)

    def not_for(self, name: str, by: str) -> OperationRefusedFacts | None:
        """That their role doesn't let them ask for that operation; None if it does. A refusal is noted."""
        needed, roles = self._parts.needs(name, "").ask, self._parts.roles()
        if roles.may(by, needed):
            return None
        self._note_unasked(name, by, "role")
        return self.shown.refused(name, "role", {"role": needed.word}, roles.who_could(needed))

    async def press(
        self, click: Click, number: int, shown_hash: str, by: str, reason: str = ""
    ) -> OperationClickFacts | None:
        """Somebody pressed a button, or typed as much; None if there is no such operation."""
        return await self._clicks.press(click, number, shown_hash, by, reason)

    async def overview(self) -> OperationsFacts:
        """What runs and waits, who keeps whom off what, and what was."""
        return await self.shown.overview()

    async def one(self, number: int) -> OperationFacts | None:
        """An operation as its card shows it; None if there is none of that number."""
        record = await self._parts.store.get(number)
        return None if record is None else await self.shown.placed(record)

    async def record(self, number: int) -> OperationRecord | None:
        """What is known of an operation; None if there is none of that number."""
        return await self._parts.store.get(number)

    async def redraw(self, record: OperationRecord) -> None:
        """The card once more: something that it shows has changed. Raises StoreUnavailable."""
        await self._moves.draw(record.id)

    async def _waiting(self, plan: Plan, request: JsonObject) -> OperationRecord | None:
        """The same, approved and waiting for its turn already: it stands for whoever asks once more, or a
        schedule that is quicker than its runs would make the line longer for ever."""
        for each in await self._parts.store.open():
            same = (each.plan.operation, each.plan.subject) == (plan.operation, plan.subject)
            if each.state is State.QUEUED and same and dict(each.request) == dict(request):
                return each
        return None

    async def _add(self, plan: Plan, request: JsonObject, by: str, now: datetime) -> OperationRecord:
        parts = self._parts
        for older in await parts.store.open():
            if older.state is State.PENDING and plan.replaces(older.plan):
                detail = {"why": State.SUPERSEDED.value}
                await self._moves.end(older, State.SUPERSEDED, Action.OPERATION_CANCEL, by, detail)
        number, self._next = self._next, self._next + 1
        record = OperationRecord(
            id=number,
            plan=plan,
            plan_hash=plan.hash,
            request=request,
            state=State.PENDING,
            channel=parts.channel,
            asked_by=by,
            asked_at=now,
            # From when it is shown: to make a plan may take longer than one lives.
            expires_at=parts.clock() + parts.needs(plan.operation, plan.subject).lives,
        )
        await self._moves.add(record)
        self.wake()
        self._enclosures.enclose(record)
        return record

    def _note_unasked(self, name: str, by: str, why: str) -> None:
        self._parts.audit.note(by, Action.OPERATION_ASK, name, Outcome.REFUSED, detail={"why": why})
