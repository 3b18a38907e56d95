"""What messages about operations need to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from messages.facts import Facts


@dataclass(frozen=True, slots=True)
class OperationProblemFacts(Facts):
    """Why something is not as hoped: the phrase `FAMILY.KIND.REASON`, or `operations.KIND.REASON`, with
    `values`."""

    kind: str
    reason: str
    values: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OperationStepFacts(Facts):
    """One step of a plan, and what has become of it."""

    name: str
    """the phrase `FAMILY.step.NAME`"""
    params: Mapping[str, JsonValue]
    undo: str | None
    """the phrase `FAMILY.undo.UNDO`; None when there is nothing to undo"""
    state: str | None = None
    """None while it has not begun"""
    result: Mapping[str, JsonValue] = field(default_factory=dict)
    problem: OperationProblemFacts | None = None
    began_at: str | None = None
    ended_at: str | None = None


@dataclass(frozen=True, slots=True)
class OperationProgressFacts(Facts):
    """How far the step is that is under way."""

    step: int
    """its index"""
    done: int
    total: int | None
    unit: str
    seconds_left: float | None
    detail: Mapping[str, JsonValue] = field(default_factory=dict)
    """what else the step says of itself, by the phrase `FAMILY.live.STEP`"""
    controls: tuple[str, ...] = ()
    """the buttons that it offers: `stop`, `hold`, `go`; without any `stop`"""


@dataclass(frozen=True, slots=True)
class LockFacts(Facts):
    """A lock; `run` is the number of the operation that holds it, None when a person does."""

    subject: str
    by: str
    since: str
    run: int | None
    operation: str | None
    reason: str
    until: str | None


@dataclass(frozen=True, slots=True)
class FreezeFacts(Facts):
    """A freeze. `until`: when it ends, if it holds now."""

    ref: str
    subject: str
    operations: tuple[str, ...]
    reason: str
    by: str | None
    starts_at: str | None
    ends_at: str | None
    until: str | None


@dataclass(frozen=True, slots=True)
class OperationFacts(Facts):
    """An operation: its plan, who decided, and how far it is."""

    id: int
    operation: str
    family: str
    """the file of phrases that its words are in"""
    subject: str
    state: str
    plan_hash: str
    asked_by: str
    asked_at: str
    expires_at: str
    steps: tuple[OperationStepFacts, ...]
    shown: Mapping[str, JsonValue]
    needs_second: bool
    """whether somebody else than who asked has to approve"""
    command: str
    aside: Mapping[str, JsonValue] = field(default_factory=dict)
    """what is shown with the plan and not approved, by the phrase `FAMILY.aside`"""
    decided_by: str | None = None
    decided_at: str | None = None
    reason: str = ""
    glass: bool = False
    stopped_by: str | None = None
    held_by: str | None = None
    started_at: str | None = None
    ended_at: str | None = None
    problem: OperationProblemFacts | None = None
    progress: OperationProgressFacts | None = None
    place: int | None = None
    """its place in the queue, from 1 on"""
    waits_for: LockFacts | None = None
    undo_until: str | None = None
    """until when 되돌리기 undoes what was done; None when there is nothing to undo"""
    undone_by: int | None = None
    """the number of the operation that undid it"""
    remedy: str | None = None
    """a button that helps: `backup`"""
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OperationRefusedFacts(Facts):
    """There is no plan. `who_could`: users with the role it needs, for a refusal by role."""

    operation: str
    family: str
    problem: OperationProblemFacts
    command: str
    who_could: tuple[str, ...] = ()
    remedy: str | None = None
    """a button that helps: `backup`, or `stop` for the operation `id` of the problem's values"""


@dataclass(frozen=True, slots=True)
class OperationClickFacts(Facts):
    """What became of a click on an operation's card."""

    verdict: str
    click: str
    operation: OperationFacts
    who_could: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OperationsFacts(Facts):
    """The answer to `ops`: what runs, what waits, locks, freezes, history."""

    open: tuple[OperationFacts, ...]
    locks: tuple[LockFacts, ...]
    freezes: tuple[FreezeFacts, ...]
    history: tuple[OperationFacts, ...]
    command: str


@dataclass(frozen=True, slots=True)
class OperationAskedFacts(Facts):
    """The plan is in the channel."""

    operation: OperationFacts
    channel: str


@dataclass(frozen=True, slots=True)
class OperationPlanningFacts(Facts):
    """The plan is being made, and takes longer than a moment."""

    operation: str


@dataclass(frozen=True, slots=True)
class GlassFacts(Facts):
    """What the form is about that breaks the glass."""

    operation: str
    id: int
    subject: str


@dataclass(frozen=True, slots=True)
class LockAnswerFacts(Facts):
    """What became of `lock` or `unlock`: `done`, `taken`, `held`, `none`, `not_allowed`, `no_reason`,
    `bad_length`, `no_subject`, `unknown_subject`."""

    what: str
    outcome: str
    subject: str
    command: str
    lock: LockFacts | None = None
    locks: tuple[LockFacts, ...] = ()
    who_could: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    """what can be locked"""


@dataclass(frozen=True, slots=True)
class FreezeAnswerFacts(Facts):
    """What became of `freeze`: `made`, `ended`, `list`, `not_found`, `not_allowed`, `no_reason`,
    `bad_length`, `unknown_subject`."""

    outcome: str
    command: str
    freeze: FreezeFacts | None = None
    freezes: tuple[FreezeFacts, ...] = ()
    who_could: tuple[str, ...] = ()
    subject: str = ""
    known: tuple[str, ...] = ()
    """what can be frozen"""
    typed: str = ""
    """the length of time as somebody typed it; empty if they typed none"""


@dataclass(frozen=True, slots=True)
class OperationNoteFacts(Facts):
    """A line in the thread of an operation's card: `asked`, `approved`, `started`, `turn` and so on."""

    what: str
    operation: OperationFacts
    actor: str | None = None
    administrators: tuple[str, ...] = ()
    call: str | None = None
    """the phrase `FAMILY.call.CALL` for those who asked and approved, with `detail`"""
    detail: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunsTroubleFacts(Facts):
    """How the place is where runs live: `broken` (it was damaged and is put aside), `unavailable`, `back`."""

    kind: str
    detail: str = ""
    aside: str = ""
    """where the damaged file is now"""
    lost: tuple[int, ...] = ()
    """operations that were under way, and have failed by that"""
