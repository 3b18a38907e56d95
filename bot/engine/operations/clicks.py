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
from bot.engine.operations.shown import Shown
from messages.operation_facts import OperationClickFacts, OperationNoteFacts

_ACTIONS = {
    Click.APPROVE: (Action.OPERATION_APPROVE, State.QUEUED),
    Click.BREAK_GLASS: (Action.OPERATION_BREAK_GLASS, State.QUEUED),
    Click.DENY: (Action.OPERATION_DENY, State.DENIED),
    Click.CANCEL: (Action.OPERATION_CANCEL, State.CANCELLED),
}


class Clicks:
    """Takes them. Raises StoreUnavailable; then nothing has changed."""

    def __init__(
        self, parts: Parts, shown: Shown, moves: Moves, stop: Callable[[int], None], wake: Callable[[], None]
    ) -> None:
        """`stop` tells the step of an operation that is under way; `wake`: something may have changed."""
        self._parts = parts
        self._shown = shown
        self._moves = moves
        self._tell_step = stop
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
                self._stop(record, by) if click is Click.STOP else self._take(record, click, by, reason)
            )
            verdict = verdict if taken else Verdict.STALE
        elif verdict in (Verdict.NOT_ALLOWED, Verdict.SECOND_PERSON):
            action = Action.OPERATION_STOP if click is Click.STOP else _ACTIONS[click][0]
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

    async def _stop(self, record: OperationRecord, by: str) -> bool:
        after = replace(record, stopped_by=by)
        note = OperationNoteFacts(Click.STOP.value, self._shown.facts(after), by)
        first = [self._parts.store.stopping(record.id, by)]
        done = await self._moves.move(record, after, Action.OPERATION_STOP, by, {}, {}, [note], also=first)
        if done:
            self._tell_step(record.id)
        return done


def _who_could(click: Click, record: OperationRecord, needs: Needs, roles: Roles) -> tuple[str, ...]:
    """Whom to ask instead."""
    role = needs.approve if click in (Click.APPROVE, Click.DENY) else Role.APPROVER
    besides = [record.asked_by] if click is Click.APPROVE and needs.second_person else []
    return roles.who_could(role, besides)
