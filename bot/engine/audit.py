"""The audit book: takes down who did what, and never keeps anybody waiting for it.

What was done is done, whether or not the database can be written just now: notes wait in memory, in their
order, and are written as soon as that works, like everything else (`bot.engine.ledger`). Each is in the log
too, once when it is taken and once when it is written, with its hash: a copy of the chain that whoever can
change the database need not be able to change.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Protocol

import structlog

from bot.domain.audit import Action, Deed, Detail, Entry, Head, Outcome, details_of, sealed
from bot.engine.clock import Clock
from bot.engine.uninterrupted import uninterrupted
from bot.store.also import Also, NotDone
from bot.store.audit import AuditStore
from bot.store.errors import StoreError, StoreUnavailable
from messages.audit_facts import AuditEntryFacts, AuditListFacts

log = structlog.get_logger(__name__)

RETRY_SECONDS = 2.0
_AT_ONCE = 200
_NONE: Detail = {}
_NO_CODES: Mapping[str, Collection[str]] = {}


class Audit(Protocol):
    """Where those who decide have it noted."""

    def note(
        self,
        actor: str,
        action: Action,
        subject: str,
        outcome: Outcome = Outcome.DONE,
        *,
        plan: str | None = None,
        detail: Detail = _NONE,
    ) -> None:
        """Take down that `actor` (a Slack user id, `guardian` or `cli`) did that to `subject`, now."""
        ...


class Unaudited:
    """Takes nothing down: for simulations, which nobody did."""

    def note(
        self,
        actor: str,
        action: Action,
        subject: str,
        outcome: Outcome = Outcome.DONE,
        *,
        plan: str | None = None,
        detail: Detail = _NONE,
    ) -> None:
        """Nothing."""


UNAUDITED = Unaudited()


@contextmanager
def noting_failure(
    audit: Audit, actor: str, action: Action, subject: str, detail: Detail = _NONE
) -> Iterator[None]:
    """Around what the database has to take for the deed to be done: if it can't, that is noted and raised."""
    try:
        yield
    except StoreUnavailable:
        audit.note(actor, action, subject, Outcome.FAILED, detail=detail)
        raise


class AuditBook:
    """Takes deeds down at once and writes them in their order; answers what was written. `run` must run."""

    def __init__(self, store: AuditStore, clock: Clock, retry_seconds: float = RETRY_SECONDS) -> None:
        self._store = store
        self._clock = clock
        self._retry_seconds = retry_seconds
        self._waiting: deque[Deed] = deque()
        self._some = asyncio.Event()
        self._flushing = asyncio.Lock()
        self._fails = False
        self._head: Head | None = None
        """of what was read at the start or written last; None before"""

    @property
    def kept(self) -> int:
        """How many deeds wait in memory."""
        return len(self._waiting)

    async def load(self) -> None:
        """Read how far the log goes, and say so in ours: beside that a cut end shows. Raises
        StoreUnavailable."""
        self._head = await self._store.head()
        log.info("audit_head", head=str(self._head))

    def note(
        self,
        actor: str,
        action: Action,
        subject: str,
        outcome: Outcome = Outcome.DONE,
        *,
        plan: str | None = None,
        detail: Detail = _NONE,
    ) -> None:
        """As `Audit` has it. Waits for nothing and raises nothing."""
        self._waiting.append(Deed(self._clock(), actor, action, subject, outcome, plan, detail))
        log.info("audit", by=actor, action=action.value, subject=subject, outcome=outcome.value, plan=plan)
        self._some.set()

    async def run(self) -> None:
        """Write what is noted, for ever."""
        while True:
            await self._some.wait()
            if not await self.flush():
                await asyncio.sleep(self._retry_seconds)

    async def together(self, also: Also, deed: Deed) -> bool:
        """Write what was done and the note of it in one transaction: both are there, or neither. False if
        `also` found that it must not be done any more. Raises StoreUnavailable, and neither is there."""
        async with self._flushing:
            await self._flush()
            try:
                await uninterrupted(self._write_together(also, deed))
            except NotDone:
                return False
        log.info(
            "audit",
            by=deed.actor,
            action=deed.action.value,
            subject=deed.subject,
            outcome=deed.outcome.value,
            plan=deed.plan,
        )
        return True

    async def flush(self) -> bool:
        """Try to write everything that was noted; whether nothing waits any more."""
        async with self._flushing:
            return await self._flush()

    async def _flush(self) -> bool:
        while self._waiting:
            try:
                # To the end, whoever is cancelled: what is written and still waits would come twice.
                await uninterrupted(self._write_some())
            except StoreError as error:
                if not self._fails:
                    log.error("audit_not_written", detail=str(error), kept=self.kept)
                self._fails = True
                return False
            except Exception:  # whatever it is, a deed that was noted must not be lost for it
                if not self._fails:
                    log.exception("audit_not_written", kept=self.kept)
                self._fails = True
                return False
        self._some.clear()
        return True

    async def _write_together(self, also: Also, deed: Deed) -> None:
        try:
            entries = await self._store.append([deed], also)
        except StoreError:
            # It may have arrived all the same: without looking, the next entry would seem to break the chain.
            self._head = None
            with suppress(StoreError):
                self._head = await self._store.head()
            raise
        self._known(entries)

    async def _write_some(self) -> None:
        if self._fails:
            await self._forget_what_arrived()
        part = list(islice(self._waiting, _AT_ONCE))
        if part:
            self._written(await self._store.append(part))
        if self._fails:
            log.info("audit_written_again", kept=self.kept)
            self._fails = False

    async def _forget_what_arrived(self) -> None:
        """A connection that was lost at the end of a transaction may have taken it: what is there already,
        word for word behind the head that we know, is not written once more."""
        head = self._head
        if head is None:
            return
        for entry in await self._store.after(head.number, _AT_ONCE):
            if not self._waiting or sealed(self._waiting[0], self._head or head) != entry:
                break
            self._written([entry])

    async def latest(
        self,
        limit: int,
        words: Sequence[str],
        before: int | None,
        command: str,
        codes: Mapping[str, Collection[str]] = _NO_CODES,
    ) -> AuditListFacts:
        """The latest entries that the words describe, newest first, at most `limit`, with those that were
        noted just now. `before`: only older ones than that number; `command`: as people type it; `codes`:
        what a word stands for beside itself. Raises StoreUnavailable."""
        await self.flush()
        found = await self._store.latest(limit + 1, words, before, codes)
        shown = found[:limit]
        return AuditListFacts(
            command=command,
            entries=tuple(map(_facts, shown)),
            total=await self._store.count(),
            limit=limit,
            words=tuple(words),
            before=before,
            older_than=shown[-1].number if len(found) > limit else None,
            waiting=self.kept,
        )

    def _written(self, entries: Sequence[Entry]) -> None:
        for _ in entries:
            self._waiting.popleft()
        self._known(entries)

    def _known(self, entries: Sequence[Entry]) -> None:
        first, last = entries[0], entries[-1]
        if self._head is not None and first.previous != self._head.hash:
            # Nobody else writes: what was last a moment ago has been changed or taken away since.
            log.error(
                "audit_chain_broken", noted=str(self._head), found=f"{first.number - 1}:{first.previous}"
            )
        self._head = Head(last.number, last.hash)
        for entry in entries:
            log.info("audit_written", entry=f"{entry.number}:{entry.hash}")


def _facts(entry: Entry) -> AuditEntryFacts:
    return AuditEntryFacts(
        number=entry.number,
        at=entry.at,
        actor=entry.actor,
        action=entry.action,
        subject=entry.subject,
        plan=entry.plan,
        outcome=entry.outcome,
        detail=details_of(entry),
    )
