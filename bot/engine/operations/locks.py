"""Locks and freezes: who keeps operations off what, from when until when, and why."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from pydantic import JsonValue

from bot.domain.audit import Action, Deed, Outcome, span
from bot.domain.maintenance import Once
from bot.domain.operations.approval import REASON_LIMIT
from bot.domain.operations.freeze import LONGEST as LONGEST_FREEZE
from bot.domain.operations.freeze import SHORTEST as SHORTEST_FREEZE
from bot.domain.operations.freeze import Freeze, frozen_by
from bot.domain.operations.locks import DEFAULT_LENGTH, LONGEST, Lock, in_the_way, may_lift
from bot.domain.operations.roles import Role, Roles
from bot.engine.audit import AuditBook
from bot.engine.clock import Clock
from bot.store.operation_locks import LockStore
from messages.operation_facts import FreezeAnswerFacts, FreezeFacts, LockAnswerFacts, LockFacts

_LONGEST_SUBJECT = 100


class LockBook:
    """All locks and freezes that hold. Every method that is a coroutine may raise StoreUnavailable."""

    def __init__(
        self,
        store: LockStore,
        audit: AuditBook,
        clock: Clock,
        roles: Callable[[], Roles],
        configured: Iterable[Freeze] = (),
        command: str = "/guardian",
        on_lifted: Callable[[], None] = lambda: None,
        subjects: Callable[[], tuple[str, ...]] = lambda: (),
    ) -> None:
        """`subjects`: what operations work on, so that a mistyped lock holds nobody up for nothing; without
        any everything can be locked. `on_lifted` is called when a lock or a freeze has gone: somebody may be
        waiting for it."""
        self.store = store
        self._audit = audit
        self._clock = clock
        self._roles = roles
        self._configured = tuple(configured)
        self._command = command
        self._on_lifted = on_lifted
        self._subjects = subjects
        self._numbering = asyncio.Lock()

    async def in_the_way(self, *subjects: str) -> Lock | None:
        """The lock that keeps a run off one of those subjects now."""
        now = self._clock()
        return in_the_way(await self.store.held(now), subjects, now)

    async def frozen(self, operation: str, subject: str) -> tuple[Freeze, datetime] | None:
        """The freeze that keeps that operation from starting now, and its end."""
        return frozen_by(await self.all_freezes(), operation, subject, self._clock())

    async def all_freezes(self) -> tuple[Freeze, ...]:
        """Those of the configuration, and those that commands made and that are not over."""
        return (*self._configured, *await self.store.freezes(self._clock()))

    async def lock(self, subject: str, by: str, length: timedelta | None, reason: str) -> LockAnswerFacts:
        """Somebody keeps all operations off that subject for a while."""
        now = self._clock()
        needed = self._may_not(by, Role.OPERATOR)
        if needed is not None:
            self._refused(by, Action.LOCK_TAKE, subject)
            return self._lock_answer("lock", "not_allowed", subject, who_could=needed)
        known = self._subjects()
        if len(subject) > _LONGEST_SUBJECT or (known and subject not in known):
            return replace(self._lock_answer("lock", "unknown_subject", subject[:40]), known=known)
        if not reason:
            return self._lock_answer("lock", "no_reason", subject)
        reason = reason[:REASON_LIMIT]
        wanted = DEFAULT_LENGTH if length is None else length
        if not timedelta(0) < wanted <= LONGEST:
            return self._lock_answer("lock", "bad_length", subject)
        lock = Lock(subject, 0, by, now, None, reason, now + wanted)
        deed = Deed(now, by, Action.LOCK_TAKE, subject, detail={**span(now, now + wanted), "reason": reason})
        if not await self._audit.together(self.store.taking(lock), deed):
            held = await self.in_the_way(subject)
            return self._lock_answer("lock", "taken", subject, held)
        return self._lock_answer("lock", "done", subject, lock)

    async def unlock(self, subject: str, by: str) -> LockAnswerFacts:
        """Somebody lifts a lock that a person took."""
        now = self._clock()
        held = await self.in_the_way(subject)
        if held is None:
            locks = tuple(map(lock_facts, await self.store.held(now)))
            return replace(self._lock_answer("unlock", "none", subject), locks=locks)
        if held.run is not None:
            return self._lock_answer("unlock", "held", subject, held)
        if not may_lift(held, by, self._roles()):
            self._refused(by, Action.LOCK_LIFT, subject)
            could = self._roles().who_could(Role.APPROVER)
            return self._lock_answer("unlock", "not_allowed", subject, held, could)
        deed = Deed(now, by, Action.LOCK_LIFT, subject, detail={"user": held.by, "reason": held.reason})
        if not await self._audit.together(self.store.releasing(subject, token=held.token), deed):
            return self._lock_answer("unlock", "none", subject)
        self._on_lifted()
        return self._lock_answer("unlock", "done", subject, held)

    async def held(self) -> tuple[Lock, ...]:
        """The locks that hold now."""
        return tuple(await self.store.held(self._clock()))

    async def freeze(
        self, subject: str, by: str, length: timedelta | None, reason: str, operations: Iterable[str] = ()
    ) -> FreezeAnswerFacts:
        """Somebody keeps operations from starting for a while."""
        now = self._clock()
        needed = self._may_not(by, Role.APPROVER)
        if needed is not None:
            self._refused(by, Action.FREEZE_ADD, subject)
            return FreezeAnswerFacts("not_allowed", self._command, who_could=needed)
        known = self._subjects()
        is_unknown = known and "*" not in subject and subject not in known
        if len(subject) > _LONGEST_SUBJECT or is_unknown:
            return FreezeAnswerFacts("unknown_subject", self._command, subject=subject[:40], known=known)
        if length is not None and not SHORTEST_FREEZE <= length <= LONGEST_FREEZE:
            return FreezeAnswerFacts("bad_length", self._command)
        if not reason:
            return FreezeAnswerFacts("no_reason", self._command)
        reason = reason[:REASON_LIMIT]
        if length is None:
            return FreezeAnswerFacts("bad_length", self._command)
        times = Once(now, now + length)
        detail = {**span(now, now + length), "reason": reason, "what": subject}
        async with self._numbering:  # or two at once would get the same number
            number = await self.store.last_freeze() + 1
            made = Freeze("", times, frozenset(operations), subject, reason, id=number, by=by)
            deed = Deed(now, by, Action.FREEZE_ADD, f"freeze:{number}", detail=detail)
            await self._audit.together(self.store.freezing(made, times, now), deed)
        return FreezeAnswerFacts("made", self._command, freeze_facts(made, now))

    async def thaw(self, number: int, by: str) -> FreezeAnswerFacts:
        """Somebody ends a freeze that a command made."""
        now = self._clock()
        needed = self._may_not(by, Role.APPROVER)
        if needed is not None:
            self._refused(by, Action.FREEZE_END, f"freeze:{number}")
            return FreezeAnswerFacts("not_allowed", self._command, who_could=needed)
        found = {freeze.id: freeze for freeze in await self.store.freezes(now)}
        deed = Deed(now, by, Action.FREEZE_END, f"freeze:{number}")
        if number not in found or not await self._audit.together(self.store.thawing(number, now, by), deed):
            known = tuple(freeze_facts(each, now) for each in found.values())
            return FreezeAnswerFacts("not_found", self._command, freezes=known)
        self._on_lifted()
        return FreezeAnswerFacts("ended", self._command, freeze_facts(found[number], now))

    async def freezes(self) -> FreezeAnswerFacts:
        """All that hold or will."""
        now = self._clock()
        shown = tuple(freeze_facts(each, now) for each in await self.all_freezes() if not each.is_over(now))
        return FreezeAnswerFacts("list", self._command, freezes=shown)

    def _refused(self, by: str, action: Action, subject: str) -> None:
        """Somebody tried what they may not."""
        detail = {"why": "not_allowed"}
        self._audit.note(by, action, subject[:_LONGEST_SUBJECT], Outcome.REFUSED, detail=detail)

    def _may_not(self, by: str, needed: Role) -> tuple[str, ...] | None:
        roles = self._roles()
        return None if roles.may(by, needed) else roles.who_could(needed)

    def _lock_answer(
        self,
        what: str,
        outcome: str,
        subject: str,
        lock: Lock | None = None,
        who_could: tuple[str, ...] = (),
    ) -> LockAnswerFacts:
        shown = None if lock is None else lock_facts(lock)
        return LockAnswerFacts(what, outcome, subject, self._command, shown, who_could=who_could)


def lock_facts(lock: Lock, operation: str | None = None) -> LockFacts:
    """A lock as messages show it; `operation`: of the run that holds it."""
    return LockFacts(
        subject=lock.subject,
        by=lock.by,
        since=lock.since.isoformat(),
        run=lock.run,
        operation=operation,
        reason=lock.reason,
        until=None if lock.until is None else lock.until.isoformat(),
    )


def frozen_values(freeze: Freeze, until: datetime) -> dict[str, JsonValue]:
    """What the sentence of a refusal names: the freeze that is in the way, why, and its end."""
    return {"ref": freeze.ref, "reason": freeze.reason or freeze.name, "until": until.isoformat()}


def freeze_facts(freeze: Freeze, now: datetime) -> FreezeFacts:
    """A freeze as messages show it."""
    until = freeze.active_until(now)
    once = freeze.times if isinstance(freeze.times, Once) else None
    return FreezeFacts(
        ref=freeze.ref,
        subject=freeze.subject,
        operations=tuple(sorted(freeze.operations)),
        reason=freeze.reason,
        by=freeze.by,
        starts_at=None if once is None else once.starts_at.isoformat(),
        ends_at=None if once is None else once.ends_at.isoformat(),
        until=None if until is None else until.isoformat(),
    )
