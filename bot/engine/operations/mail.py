"""The letters about an operation: its card, drawn again at every change, and lines in its thread."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from bot.domain.letters import Letter, LetterKind, Priority
from bot.engine.clock import Clock
from bot.engine.ledger import Ledger
from bot.engine.outbox import Outbox
from bot.store.changes import Change, LetterSuperseded, NewLetter
from messages.facts import Facts
from messages.operation_facts import OperationFacts, OperationNoteFacts

STREAM = "operation:"


def stream_of(number: int) -> str:
    """The stream of an operation's letters."""
    return f"{STREAM}{number}"


class OperationMail:
    """Makes letters, and sends them together with what they tell of."""

    def __init__(self, ledger: Ledger, outbox: Outbox, clock: Clock) -> None:
        self._ledger = ledger
        self._outbox = outbox
        self._clock = clock

    def card(self, facts: OperationFacts, channel: str) -> Letter:
        """The card, for the first time."""
        return self._letter(facts, channel, LetterKind.CARD, "operation", Priority.ANSWER)

    def drawn_again(self, facts: OperationFacts, channel: str) -> Letter:
        """The card as it is now."""
        return self._letter(facts, channel, LetterKind.EDIT, "operation", Priority.ANSWER)

    def note(self, facts: OperationNoteFacts, channel: str, *, broadcast: bool = False) -> Letter:
        """A line in its thread; with `broadcast` the channel sees it too."""
        return self._letter(facts, channel, LetterKind.NOTE, "operation_note", Priority.ALERT, broadcast)

    def beside(self, number: int, template: str, facts: Facts, channel: str) -> Letter:
        """Something else in its thread."""
        return self._letter_of(number, facts, channel, LetterKind.NOTE, template, Priority.INFO, False)

    async def send(
        self, letters: Sequence[Letter], write: Callable[[Sequence[Change]], Awaitable[bool]] | None = None
    ) -> bool:
        """Write the letters down, in the transaction of `write` if it is given, and send them; whether they
        were written."""
        superseded = self._outbox.superseded_by(letters)
        changes: list[Change] = [NewLetter(letter) for letter in letters]
        changes += [LetterSuperseded(old) for old in superseded]
        with self._outbox.holding(superseded):
            if write is None:
                await self._ledger.write(changes)
            elif not await write(changes):
                return False
            self._outbox.accept(letters, superseded)
        return True

    def _letter(
        self,
        facts: OperationFacts | OperationNoteFacts,
        channel: str,
        kind: LetterKind,
        template: str,
        priority: Priority,
        broadcast: bool = False,
    ) -> Letter:
        number = facts.id if isinstance(facts, OperationFacts) else facts.operation.id
        return self._letter_of(number, facts, channel, kind, template, priority, broadcast)

    def _letter_of(
        self,
        number: int,
        facts: Facts,
        channel: str,
        kind: LetterKind,
        template: str,
        priority: Priority,
        broadcast: bool,
    ) -> Letter:
        now = self._clock()
        return Letter(
            id=next(self._outbox.next_ids()),
            stream=stream_of(number),
            kind=kind,
            channel=channel,
            template=template,
            facts=facts.as_json(),
            priority=priority,
            created_at=now,
            since=now,
            broadcast=broadcast,
        )
