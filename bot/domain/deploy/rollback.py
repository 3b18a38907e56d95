"""The plan of a rollback to a release that is kept: five steps, within half a minute.

It is done by the word of whoever asks: speed beats ceremony. A step that fails does not end it; the next one
is done all the same, and the end says critical.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bot.domain.deploy.plan import place_of
from bot.domain.deploy.service import Environment
from bot.domain.deploy.slots import Slot
from bot.domain.operations.locks import Lock, locked_values
from bot.domain.operations.plan import OnFailure, Plan, Step

ROLLBACK = "rollback"
JOURNAL, START, TRAFFIC, STILL, DRAIN, RECOVER = "journal", "start", "traffic", "still", "drain", "recover"
"""Steps; what one is called is in `rollback.step`."""


@dataclass(frozen=True, slots=True)
class RollbackFacts:
    """What a plan of a rollback is made of."""

    service: str
    environment: Environment
    target: str
    """the revision to go back to"""
    slot: Slot
    """where it lives, or will"""
    running: bool
    """whether it is there already, warm"""
    current: str | None
    """the revision that carries production now"""
    lock: Lock | None = None
    """on where it runs, which does not keep a rollback off; shown"""


def rollback_plan(facts: RollbackFacts, at: datetime) -> Plan:
    """The plan."""
    environment = facts.environment
    return Plan(
        operation=ROLLBACK,
        subject=place_of(facts.service, environment.name),
        at=at,
        steps=tuple(_steps(facts)),
        shown={
            "service": facts.service,
            "environment": environment.name,
            "target": facts.target,
            "current": facts.current,
            "running": facts.running,
        },
        # Nothing of it is undone, and a step that fails keeps none that follows from being done.
        on_failure=OnFailure.UNDO_STEP,
        aside={"locked": locked_values(facts.lock)},
    )


def _steps(facts: RollbackFacts) -> Iterator[Step]:
    drain = facts.environment.drain.total_seconds()
    slot, old = facts.slot.value, facts.slot.other.value
    yield Step(JOURNAL, {"target": facts.target, "current": facts.current})
    if not facts.running:
        address = facts.environment.addresses[facts.slot]
        yield Step(START, {"slot": slot, "revision": facts.target, "address": address})
    yield Step(TRAFFIC, {"slot": slot, "revision": facts.target})
    yield Step(STILL, {"slot": old})
    yield Step(DRAIN, {"slot": old, "seconds": drain})
    yield Step(RECOVER, {"slot": slot, "revision": facts.target})
