"""The desk of operations: takes what people ask for, shows the plan, takes the approval, keeps the cards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import structlog

from bot.domain.audit import GUARDIAN, Action, Outcome
from bot.domain.operations.approval import OPEN, REASON_LIMIT, Click, Needs, State, Verdict, judge
from bot.domain.operations.plan import JsonObject, Plan
from bot.domain.operations.record import OperationRecord
from bot.domain.operations.roles import Role, Roles
from bot.engine.operations.contract import Operation, OperationRefused
from bot.engine.operations.durable import Body, Durable
from bot.engine.operations.locks import frozen_values
from bot.engine.operations.mail import stream_of
from bot.engine.operations.moves import Moves
from bot.engine.operations.parts import Parts
from bot.engine.operations.runner import Runner
from bot.engine.operations.shown import Shown
from bot.engine.operations.starter import Starter
from bot.store.errors import StoreUnavailable
from messages.facts import Facts
from messages.operation_facts import (
    OperationAskedFacts,
    OperationClickFacts,
    OperationFacts,
    OperationNoteFacts,
    OperationRefusedFacts,
    OperationsFacts,
)

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 1.0
_DRAW_SECONDS = 2.0
"""between two drawings of a card while a step tells how far it is"""
_CLOSE_SECONDS = 1.0

_ACTIONS = {
    Click.APPROVE: (Action.OPERATION_APPROVE, State.QUEUED),
    Click.BREAK_GLASS: (Action.OPERATION_BREAK_GLASS, State.QUEUED),
    Click.DENY: (Action.OPERATION_DENY, State.DENIED),
    Click.CANCEL: (Action.OPERATION_CANCEL, State.CANCELLED),
}


Beside = Callable[[JsonObject], Coroutine[None, None, tuple[str, Facts]]]
"""A message (template and facts) for a request, that belongs to its plan and is not bound by it."""


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
        self._beside = dict(beside or {})
        self._parts = parts
        self._operations = dict(operations)
        self._runner = Runner(
            parts.store,
            self._operations,
            parts.clock,
            self._changed,
            lambda record, state, problem: self._starter.ended(record, state, problem),
            self._attached,
        )
        self._durable = durable(self._runner.body)
        self.shown = Shown(parts, self._runner.live)
        self._moves = Moves(parts, self.shown)
        self._starter = Starter(parts, self.shown, self._moves, self._operations, self._durable)
        self._next = 1
        self._adding = asyncio.Lock()
        self._wake = asyncio.Event()
        self._quiet = False
        """nothing is open, as far as this process knows: there is nothing to look for"""
        self._closing = False
        self._over = asyncio.Event()
        self._over.set()
        self._undrawn: set[int] = set()
        self._progress: dict[int, int] = {}
        """how often a step had told how far it is when its card was last drawn"""
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def load(self) -> None:
        """Read what is not over, and go on with what was under way. Raises StoreUnavailable."""
        self._loop = asyncio.get_running_loop()
        self._next = await self._parts.store.last_id() + 1
        found = await self._parts.store.open()
        await self._parts.know_cards([stream_of(record.id) for record in found])
        await self._starter.resume(found)

    def names(self) -> tuple[str, ...]:
        """The operations that there are."""
        return tuple(self._operations)

    async def ask(
        self, name: str, request: JsonObject, by: str, *, approved: bool = False
    ) -> OperationAskedFacts | OperationRefusedFacts:
        """Somebody asks for an operation: its plan is shown in the channel, or why there is none. `approved`:
        whoever asks says by that that it shall be done, where their own word is enough."""
        parts, now = self._parts, self._parts.clock()
        operation, roles = self._operations.get(name), self._parts.roles()
        if operation is None:
            return self.shown.refused(name, "unknown_operation", {"known": list(self._operations)})
        needed = parts.needs(name, "").ask
        if not roles.may(by, needed):
            self._note_unasked(name, by, "role")
            return self.shown.refused(name, "role", {"role": needed.word}, roles.who_could(needed))
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

    async def press(
        self, click: Click, number: int, shown_hash: str, by: str, reason: str = ""
    ) -> OperationClickFacts | None:
        """Somebody pressed a button, or typed as much; None if there is no such operation."""
        record = await self._parts.store.get(number)
        if record is None:
            return None
        roles = self._parts.roles()
        needs = self._parts.needs(record.plan.operation, record.plan.subject)
        verdict = judge(click, by, shown_hash, record.pending, needs, roles, self._parts.clock(), reason)
        if verdict is Verdict.TAKEN:
            taken = await (
                self._stop(record, by) if click is Click.STOP else self._take(record, click, by, reason)
            )
            verdict = verdict if taken else Verdict.STALE
        elif verdict in (Verdict.NOT_ALLOWED, Verdict.SECOND_PERSON):
            action = Action.OPERATION_STOP if click is Click.STOP else _ACTIONS[click][0]
            self._moves.note_refused(record, action, by, verdict.value)
        self.wake()
        fresh = await self._parts.store.get(number) or record
        could: tuple[str, ...] = ()
        if verdict in (Verdict.NOT_ALLOWED, Verdict.SECOND_PERSON):
            could = _who_could(click, record, needs, roles)
        return OperationClickFacts(verdict.value, click.value, self.shown.facts(fresh), could)

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

    async def run(self) -> None:
        """Let plans expire, start what waits, and draw cards again, until `close`."""
        self._over.clear()
        try:
            await self._keep_looking()
        finally:
            self._over.set()

    async def _keep_looking(self) -> None:
        drawn = 0.0
        while not self._closing:
            self._wake.clear()
            try:
                await self._look()
                now = asyncio.get_running_loop().time()
                if now - drawn >= _DRAW_SECONDS:
                    drawn = now
                    self._mark_progress()
                await self._draw()
            except StoreUnavailable as error:
                log.warning("operations_not_looked_at", detail=error.detail)
            except Exception:  # one look that failed must not be the last
                log.exception("operations_not_looked_at")
            with suppress(TimeoutError):
                async with asyncio.timeout(None if self._quiet else _LOOK_SECONDS):
                    await self._wake.wait()

    async def close(self) -> None:
        """Leave runs as they are; they go on at the next start."""
        self._closing = True
        self.wake()
        self._runner.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._over.wait()
        await self._starter.close()
        for task in self._tasks:
            task.cancel()
        await self._durable.close()

    def wake(self) -> None:
        """Something has changed that somebody may be waiting for."""
        self._quiet = False
        self._wake.set()

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
        if plan.operation in self._beside:
            self._spawn(self._say_beside(record))
        for file in plan.files:
            self._spawn(self._parts.share(stream_of(number), file.name, Path(file.path)))
        return record

    async def _say_beside(self, record: OperationRecord) -> None:
        try:
            template, facts = await self._beside[record.plan.operation](record.request)
        except OperationRefused:
            return
        await self._parts.mail.send([self._parts.mail.beside(record.id, template, facts, record.channel)])

    async def redraw(self, record: OperationRecord) -> None:
        """The card once more: something that it shows has changed. Raises StoreUnavailable."""
        await self._moves.draw(record.id)

    async def _take(self, record: OperationRecord, click: Click, by: str, reason: str) -> bool:
        now = self._parts.clock()
        action, state = _ACTIONS[click]
        short, glass = reason.strip()[:REASON_LIMIT], click is Click.BREAK_GLASS
        after = replace(record, state=state, decided_by=by, decided_at=now, reason=short, glass=glass)
        values: dict[str, object] = {"decided_by": by, "decided_at": now, "reason": short, "glass": glass}
        if state not in OPEN:
            values["ended_at"], after = now, replace(after, ended_at=now)
        called = self._parts.roles().who_could(Role.ADMINISTRATOR, [by]) if glass else ()
        note = OperationNoteFacts(click.value, self.shown.facts(after), by, called)
        detail = {"reason": short} if short else {}
        return await self._moves.move(record, after, action, by, values, detail, [note], broadcast=glass)

    async def _stop(self, record: OperationRecord, by: str) -> bool:
        after = replace(record, stopped_by=by)
        note = OperationNoteFacts(Click.STOP.value, self.shown.facts(after), by)
        first = [self._parts.store.stopping(record.id, by)]
        done = await self._moves.move(record, after, Action.OPERATION_STOP, by, {}, {}, [note], also=first)
        if done:
            self._runner.stop(record.id)
        return done

    async def _look(self) -> None:
        found = await self._parts.store.open()
        await self._starter.look(found)
        self._quiet = not found and not self._undrawn

    def _changed(self, number: int) -> None:
        self._undrawn.add(number)
        self.wake()

    def _mark_progress(self) -> None:
        running = self._runner.running()
        for number, work in running.items():
            if self._progress.get(number) != work.seen:
                self._progress[number] = work.seen
                self._undrawn.add(number)
        for number in self._progress.keys() - running.keys():
            del self._progress[number]

    async def _draw(self) -> None:
        numbers, self._undrawn = self._undrawn, set()
        for number in sorted(numbers):
            record = await self._parts.store.get(number)
            if record is not None and record.state in OPEN:
                await self._moves.draw(number)

    def _note_unasked(self, name: str, by: str, why: str) -> None:
        self._parts.audit.note(by, Action.OPERATION_ASK, name, Outcome.REFUSED, detail={"why": why})

    def _attached(self, number: int, name: str, text: str) -> None:
        """A step has output for the thread; called from any thread."""
        content = text.encode(errors="replace")
        if self._loop is not None:
            self._loop.call_soon_threadsafe(
                lambda: self._spawn(self._parts.share(stream_of(number), name, content))
            )

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _who_could(click: Click, record: OperationRecord, needs: Needs, roles: Roles) -> tuple[str, ...]:
    """Whom to ask instead."""
    role = needs.approve if click in (Click.APPROVE, Click.DENY) else Role.APPROVER
    besides = [record.asked_by] if click is Click.APPROVE and needs.second_person else []
    return roles.who_could(role, besides)
