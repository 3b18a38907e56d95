"""What the outbox asks of whoever carries its letters, and how that may fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.domain.letters import Card, Letter


@dataclass(frozen=True, slots=True)
class Arrived:
    """Where a message is."""

    channel_id: str
    ts: str


class DeliveryFailed(Exception):
    """Base of the ways in which sending fails. `detail` is the other side's own word for it."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Temporary(DeliveryFailed):
    """Nothing arrived; worth trying again. `retry_after` is how long the other side wants to be left
    alone, in seconds; None leaves it to the sender."""

    def __init__(self, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Blocked(Temporary):
    """Nothing can arrive there until people mend it: no such channel, not a member, a refused token.

    Everything else for that place has to wait too.
    """


class Ambiguous(DeliveryFailed):
    """It may have arrived: no answer came. Look before sending again."""


class Permanent(DeliveryFailed):
    """It was refused and will be refused again."""


class CardGone(DeliveryFailed):
    """The card to edit or to answer in a thread is no longer there or no longer ours to change."""


class Courier(Protocol):
    """Carries letters. Every method may raise Temporary, Ambiguous or Permanent."""

    async def post(self, letter: Letter, thread: Card | None, delivery_ms: int) -> Arrived:
        """Post a new message, into the thread of a card if given; raises CardGone when that is missing."""
        ...

    async def edit(self, letter: Letter, card: Card) -> None:
        """Draw a card again; raises CardGone."""
        ...

    async def find(self, letter: Letter, thread: Card | None) -> Arrived | None:
        """Look whether this letter has arrived; None when it has not, or nobody can tell."""
        ...
