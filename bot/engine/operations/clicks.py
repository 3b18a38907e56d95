"""What people press on the card of an operation, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import structlog

from bot.domain.audit import Action
from bot.domain.operations.approval import OPEN, REASON_LIMIT, Click, Needs, State, Verdict, judge
from bot.domain.operations.record import OperationRecord
from bot.domain.operations.roles import Role, Roles
from bot.engine.operations.moves import Moves
from bot.engine.operations.parts import Parts
from bot.engine.operations.runner import Runner
from bot.engine.operations.shown import Shown
from bot.store.errors import StoreUnavailable
from messages.operation_facts import OperationClickFacts, OperationNoteFacts

log = structlog.get_logger(__name__)

_ACTIONS = {
    Click.APPROVE: (Action.OPERATION_APPROVE, State.QUEUED),
    Click.BREAK_GLASS: (Action.OPERATION_BREAK_GLASS, State.QUEUED),
    Click.DENY: (Action.OPERATION_DENY, State.DENIED),
    Click.CANCEL: (Action.OPERATION_CANCEL, State.CANCELLED),
}
_TO_STEPS = {
    Click.STOP: Action.OPERATION_STOP,
    Click.HOLD: Action.OPERATION_HOLD,
    Click.GO: Action.OPERATION_GO,
}
"""These change nothing about where an operation is: its step is told, and acts on it."""


class Clicks:
    """Takes them. Raises StoreUnavailable; then nothing has changed. 중단 alone waits for no database: the
    step that is under way is told all the same."""

    def __init__(
        self, parts: Parts, shown: Shown, moves: Moves, runner: Runner, wake: Callable[[], None]
    ) -> None:
        """`wake`: something may have changed."""
        self._parts = parts
        self._shown = shown
        self._moves = moves
        self._runner = runner
        self._wake = wake

    async def press(
        self, click: Click, number: int, shown_hash: str, by: str, reason: str = ""
    ) -> OperationClickFacts | None:
        """Somebody pressed a button, or typed as much; None if there is no such operation."""
        try:
            record = await self._parts.store.get(number)
        except StoreUnavailable:
            record = self._runner.record(number) if click is Click.STOP else None
            if record is None:
                raise
        if record is None:
            return None
        roles = self._parts.roles()
        needs = self._parts.needs(record.plan.operation, record.plan.subject)
        verdict = judge(click, by, shown_hash, record.pending, needs, roles, self._parts.clock(), reason)
        if verdict is Verdict.TAKEN:
            try:
                taken = await (
                    self._pass_on(record, click, by)
                    if click in _TO_STEPS
                    else self._take(record, click, by, reason)
                )
            except StoreUnavailable as error:
                if click is not Click.STOP or not self._runner.stop(record.id, by):
                    raise
                log.warning("stopped_and_not_written", operation=record.id, by=by, detail=error.detail)
                self._moves.note_done(record, _TO_STEPS[click], by)
                return OperationClickFacts(Verdict.UNWRITTEN.value, click.value, self._shown.facts(record))
            verdict = verdict if taken else Verdict.STALE
        elif verdict in (Verdict.NOT_ALLOWED, Verdict.SECOND_PERSON):
            action = _TO_STEPS[click] if click in _TO_STEPS else _ACTIONS[click][0]
            self._moves.note_refused(record, action, by, verdict.value)
        self._wake()
        fresh = await self._now(record)
        could: tuple[str, ...] = ()
        if verdict in (Verdict.NOT_ALLOWED, Verdict.SECOND_PERSON):
            could = _who_could(click, record, needs, roles)
        return OperationClickFacts(verdict.value, click.value, self._shown.facts(fresh), could)

    async def stop(self, record: OperationRecord, by: str) -> bool:
        """Stop that run, as its button does; False where it comes too late. Raises StoreUnavailable."""
        return await self._pass_on(record, Click.STOP, by)

    async def _now(self, record: OperationRecord) -> OperationRecord:
        """What it is after a click; what it was where that cannot be read: the click is decided already."""
        try:
            return await self._parts.store.get(record.id) or record
        except StoreUnavailable:
            return record

    async def _take(self, record: OperationRecord, click: Click, by: str, reason: str) -> bool:
        now = self._parts.clock()
        action, state = _ACTIONS[click]
        short, glass = reason.strip()[:REASON_LIMIT], click is Click.BREAK_GLASS
        after = replace(record, state=state, decided_by=by, decided_at=now, reason=short, glass=glass)
        values: dict[str, object] = {"decided_by": by, "decided_at": now, "reason": short, "glass": glass}
        if state not in OPEN:
            values["ended_at"], after = now, replace(after, ended_at=now)
        called = self._parts.roles().who_could(Role.ADMINISTRATOR, [by]) if glass else ()
        note = OperationNoteFacts(click.value, self._shown.facts(after), by, called)
        detail = {"reason": short} if short else {}
        return await self._moves.move(record, after, action, by, values, detail, [note], broadcast=glass)

    async def _pass_on(self, record: OperationRecord, click: Click, by: str) -> bool:
        """Write down who pressed it, and then tell the step that is under way: one that begins meanwhile
        reads it. False where it comes too late."""
        store = self._parts.store
        if click is Click.STOP and self._runner.is_past_return(record.id):
            return False
        match click:
            case Click.STOP:
                after, first = replace(record, stopped_by=by), store.stopping(record.id, by)
            case Click.HOLD:
                after, first = replace(record, held_by=by), store.holding(record.id, by)
            case _:
                after, first = replace(record, held_by=None), store.holding(record.id, None)
        note = OperationNoteFacts(click.value, self._shown.facts(after), by)
        done = await self._moves.move(record, after, _TO_STEPS[click], by, {}, {}, [note], also=[first])
        if done:
            match click:
                case Click.STOP:
                    self._runner.stop(record.id, by)
                case Click.HOLD:
                    self._runner.hold(record.id, by)
                case _:
                    self._runner.go(record.id, by)
        return done


def _who_could(click: Click, record: OperationRecord, needs: Needs, roles: Roles) -> tuple[str, ...]:
    """Whom to ask instead."""
    asked = {Click.APPROVE: needs.approve, Click.DENY: needs.approve, Click.GO: needs.approve}
    asked |= {Click.STOP: needs.stop or Role.APPROVER, Click.HOLD: needs.ask}
    role = asked.get(click, Role.APPROVER)
    besides = [record.asked_by] if click is Click.APPROVE and needs.second_person else []
    return roles.who_could(role, besides)
