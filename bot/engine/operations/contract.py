"""What an operation is, to the machinery that asks for approval and runs it.

A new operation is one pure plan (`bot.domain.operations`), one class here that keeps this contract, one
command and its messages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from pydantic import JsonValue

from bot.domain.operations.plan import JsonObject, Plan, Step


class Reasoned(Exception):
    """Says why by the name of a phrase, `reason`, and what that phrase names, `values`."""

    def __init__(self, reason: str, **values: JsonValue) -> None:
        super().__init__(f"{reason} {values}" if values else reason)
        self.reason = reason
        self.values: Mapping[str, JsonValue] = values


class OperationRefused(Reasoned):
    """There is no plan: what was asked for cannot or must not be done. The sentence is the phrase
    `operations.refused.REASON` with `values`; nothing was changed."""


class StepFailed(Reasoned):
    """A step could not be done. The sentence is the phrase `operations.failed.REASON` with `values`."""


class Work(Protocol):
    """What a step has at hand while it is done. All of it may be called from any thread."""

    @property
    def run_id(self) -> int:
        """The number of the run: what a step leaves outside is marked with it, so that a step that is done
        again after a crash finds what it did before."""
        ...

    @property
    def token(self) -> int:
        """The fencing token of the run's lock: it only ever grows."""
        ...

    @property
    def stopping(self) -> bool:
        """Somebody pressed 중단: a step that can end between two things ends there by `raise Stopped`."""
        ...

    def past_return(self) -> None:
        """What follows in this step cannot be stopped: who presses 중단 from now on is told that it is too
        late. Whether somebody has already is in `stopping`, to be asked right after."""
        ...

    def progress(self, done: int, total: int | None = None, unit: str = "") -> None:
        """How far it is, for the card. `unit` is a term of the phrases (`terms.unit`)."""
        ...

    def attach(self, name: str, text: str) -> None:
        """Put output into the thread of the card as a file."""
        ...

    @property
    def guided(self) -> Guided:
        """For a step that people guide while it is done."""
        ...


class Guided(Protocol):
    """How people guide a step that takes long: they hold it, let it go on, and see what it sees."""

    @property
    def held_by(self) -> str | None:
        """Who wants it to stay where it is (`hold`), until somebody says 계속 (`go`)."""
        ...

    @property
    def let_go_by(self) -> tuple[str, ...]:
        """Who has said 계속 since the step began, one after the other."""
        ...

    async def wait(self, seconds: float) -> None:
        """Wait so long, or until somebody presses a button: what they want is in `stopping`, `held_by` and
        `let_go_by`. On the loop only."""
        ...

    def tell(self, detail: JsonObject, controls: Sequence[str] = ()) -> None:
        """What the card shows of the step beside its progress, by the phrase `FAMILY.live.STEP`, and the
        buttons that it offers meanwhile: `stop`, `hold`, `go`. Without any it offers `stop`."""
        ...

    def call(self, what: str, detail: JsonObject) -> None:
        """Call those who asked and approved, by a line in the thread that the channel sees too: the phrase
        `FAMILY.call.WHAT` with `detail`."""
        ...


class Stopped(Exception):
    """A step ended early because somebody pressed 중단. `result` says what was done until then; it is undone
    as for a failure."""

    def __init__(self, result: JsonObject | None = None) -> None:
        super().__init__("stopped")
        self.result: JsonObject = result or {}


class Operation(Protocol):
    """One operation. Steps are idempotent: after a crash the step that was under way is done once more, so
    it looks before it acts."""

    @property
    def name(self) -> str:
        """`cleanup`; words under `terms.operation`."""
        ...

    async def plan(self, request: JsonObject, at: datetime) -> Plan:
        """Gather the facts, changing nothing, and make the plan for `at`. The same facts and the same moment
        give the same hash. Raises OperationRefused."""
        ...

    async def do(self, plan: Plan, step: Step, work: Work) -> JsonObject:
        """Do a step; figures for the card. Raises StepFailed, Stopped."""
        ...

    async def undo(self, plan: Plan, step: Step, work: Work) -> JsonObject:
        """Undo a step, done wholly, partly or not at all. Raises StepFailed."""
        ...
