"""What people press on the card of an operation, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bot.domain.audit import Action
from bot.domain.operations.approval import OPEN, REASON_LIMIT, Click, Needs, State, Verdict, judge
from bot.domain.operations.record import OperationRecord
from bot.domain.operations.roles import Role, Roles
from bot.engine.operations.moves import Moves
from bot.engine.operations.parts import Parts
from bot.engine.operations.runner import Runner
from bot.engine.operations.shown import Shown
from messages.operation_facts import OperationClickFacts, OperationNoteFacts

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
    """Takes them. Raises StoreUnavailable; then nothing has changed."""

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
        record = await self._parts.store.get(number)
        if record is None:
            return None
        roles = self._parts.roles()
        needs = self._parts.needs(record.plan.operation, record.plan.subject)
        verdict = judge(click, by, shown_hash, record.pending, needs, roles, self._parts.clock(), reason)
        if verdict is Verdict.TAKEN:
            taken = await (
                self._pass_on(record, click, by)
                if click in _TO_STEPS
                else self._take(record, click, by, reason)
            )
            verdict = verdict if taken else Verdict.STALE
        elif verdict in (Verdict.NOT_ALLOWED, Verdict.SECOND_PERSON):
            action = _TO_STEPS[click] if click in _TO_STEPS else _ACTIONS[click][0]
            self._moves.note_refused(record, action, by, verdict.value)
        self._wake()
        fresh = await self._parts.store.get(number) or record
        could: tuple[str, ...] = ()
        if verdict in (Verdict.NOT_ALLOWED, Verdict.SECOND_PERSON):
            could = _who_could(click, record, needs, roles)
        return OperationClickFacts(verdict.value, click.value, self._shown.facts(fresh), could)

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
                    self._runner.stop(record.id)
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
