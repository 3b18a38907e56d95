"""What the parts of the desk of operations work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bot.domain.operations.approval import Needs, State
from bot.domain.operations.locks import Lock
from bot.domain.operations.record import OperationRecord
from bot.domain.operations.roles import Roles
from bot.engine.audit import AuditBook
from bot.engine.clock import Clock
from bot.engine.operations.locks import LockBook
from bot.engine.operations.mail import OperationMail
from bot.store.operations import OperationStore
from messages.operation_facts import RunsTroubleFacts


async def nobody(facts: RunsTroubleFacts) -> None:
    """Tell nobody."""


class Share(Protocol):
    """Puts files into threads."""

    def __call__(
        self, stream: str, name: str, content: bytes | Path, *, maybe_there: bool = False
    ) -> Coroutine[None, None, bool]:
        """Put a file (its content, or where that is) into the thread of the card of that stream; whether it
        is there. `maybe_there`: an earlier try may have done it, so it is looked for first."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """Given by the composition root."""

    store: OperationStore
    locks: LockBook
    audit: AuditBook
    mail: OperationMail
    clock: Clock
    roles: Callable[[], Roles]
    """by what is known"""
    fresh_roles: Callable[[], Awaitable[Roles]]
    """by what the workspace says now"""
    needs: Callable[[str, str], Needs]
    """of an operation on a subject"""
    command: str
    channel: str
    """where plans are shown"""
    share: Share
    """puts a file into the thread of a card"""
    know_cards: Callable[[Sequence[str]], Awaitable[None]]
    tell_alert: Callable[[OperationRecord, State], Awaitable[None]]
    """a run has ended: an alert if it should not have ended so"""
    locks_after: Callable[[OperationRecord], Sequence[Lock]] = lambda record: ()
    """a lock that is taken in the moment in which a run lets go of its own"""
    tell_runs: Callable[[RunsTroubleFacts], Awaitable[None]] = nobody
    """something is wrong with the place where runs live, or is right again: a notice"""
    runs_again: float = 10.0
    """seconds between two tries at a place where runs live that could not be used"""
