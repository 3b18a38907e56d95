"""From one state to the next: the row, the note of who did it, the card and the lines in its thread are
written in one transaction, or none of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain.audit import Action, Deed, Detail, Outcome
from bot.domain.operations.approval import State
from bot.domain.operations.plan import JsonObject
from bot.domain.operations.record import OperationRecord, Problem
from bot.engine.operations.parts import Parts
from bot.engine.operations.shown import Shown
from bot.store.also import Also, all_of
from bot.store.changes import Change
from messages.operation_facts import OperationNoteFacts


class Moves:
    """Every method may raise StoreUnavailable; then nothing has changed."""

    def __init__(self, parts: Parts, shown: Shown) -> None:
        self._parts = parts
        self._shown = shown
        self._in_order = asyncio.Lock()
        """Cards go out in the order of what they show: one that was read before a move and written behind it
        would show for ever what is no longer so."""

    async def add(self, record: OperationRecord) -> None:
        """A new operation."""
        parts = self._parts
        letter = parts.mail.card(self._shown.facts(record), record.channel)
        deed = self._deed(record.asked_by, Action.OPERATION_ASK, record)

        async def write(changes: Sequence[Change]) -> bool:
            return await parts.audit.together(parts.store.adding(record, changes), deed)

        async with self._in_order:
            await parts.mail.send([letter], write)

    async def end(
        self,
        record: OperationRecord,
        state: State,
        action: Action,
        by: str,
        detail: Detail,
        problem: Problem | None = None,
        *,
        outcome: Outcome = Outcome.DONE,
        notes: Sequence[str] = (),
        also: Sequence[Also] = (),
    ) -> OperationRecord | None:
        """To one of its ends; what it is then, None if it is no longer where `record` has it. `notes`: lines
        in its thread."""
        now = self._parts.clock()
        after = replace(record, state=state, ended_at=now, problem=problem)
        values: dict[str, object] = {"ended_at": now, "problem": problem}
        lines = [OperationNoteFacts(note, self._shown.facts(after), record.asked_by) for note in notes]
        moved = await self.move(record, after, action, by, values, detail, lines, outcome=outcome, also=also)
        return after if moved else None

    async def move(
        self,
        record: OperationRecord,
        after: OperationRecord,
        action: Action,
        by: str,
        values: Mapping[str, object],
        detail: Detail,
        notes: Sequence[OperationNoteFacts] = (),
        *,
        broadcast: bool = False,
        outcome: Outcome = Outcome.DONE,
        also: Sequence[Also] = (),
    ) -> bool:
        """On to what `after` is, by these columns; False if it is no longer where `record` has it."""
        parts = self._parts
        deed = self._deed(by, action, record, detail, outcome)

        async def write(changes: Sequence[Change]) -> bool:
            moving = parts.store.moving(record.id, [record.state], after.state, changes, **values)
            return await parts.audit.together(all_of(moving, *also), deed)

        async with self._in_order:
            letters = [parts.mail.drawn_again(await self._shown.placed(after), record.channel)]
            letters += [parts.mail.note(note, record.channel, broadcast=broadcast) for note in notes]
            return await parts.mail.send(letters, write)

    async def draw(self, number: int) -> None:
        """The card of that operation as it is now."""
        async with self._in_order:
            record = await self._parts.store.get(number)
            if record is not None:
                facts = await self._shown.placed(record)
                await self._parts.mail.send([self._parts.mail.drawn_again(facts, record.channel)])

    async def note(self, record: OperationRecord, what: str) -> None:
        """A line in its thread."""
        facts = OperationNoteFacts(what, self._shown.facts(record), record.asked_by)
        await self._parts.mail.send([self._parts.mail.note(facts, record.channel)])

    async def call(self, number: int, what: str, detail: JsonObject) -> None:
        """Call those who asked for and approved that operation, by a line that the channel sees too."""
        record = await self._parts.store.get(number)
        if record is not None:
            facts = OperationNoteFacts("call", self._shown.facts(record), None, (), what, detail)
            await self._parts.mail.send([self._parts.mail.note(facts, record.channel, broadcast=True)])

    def note_refused(self, record: OperationRecord, action: Action, by: str, why: str) -> None:
        """Somebody tried what they may not."""
        self._note(self._deed(by, action, record, {"why": why}, Outcome.REFUSED))

    def note_done(self, record: OperationRecord, action: Action, by: str) -> None:
        """Somebody did what could not be written with its note: the note is written when it can be."""
        self._note(self._deed(by, action, record))

    def _note(self, deed: Deed) -> None:
        self._parts.audit.note(
            deed.actor, deed.action, deed.subject, deed.outcome, plan=deed.plan, detail=deed.detail
        )

    def _deed(
        self,
        by: str,
        action: Action,
        record: OperationRecord,
        detail: Detail | None = None,
        outcome: Outcome = Outcome.DONE,
    ) -> Deed:
        now: datetime = self._parts.clock()
        told = {"operation": record.plan.operation, "target": record.plan.subject, **(detail or {})}
        return Deed(now, by, action, f"operation:{record.id}", outcome, record.plan_hash, told)
