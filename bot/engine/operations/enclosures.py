"""What goes into the thread of an operation beside its card: the files of its plan, the output of its steps,
and what is said beside the plan."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from pathlib import Path

import structlog

from bot.domain.operations.approval import State
from bot.domain.operations.plan import JsonObject, PlanFile
from bot.domain.operations.record import OperationRecord
from bot.engine.operations.contract import OperationRefused
from bot.engine.operations.mail import stream_of
from bot.engine.operations.moves import Moves
from bot.engine.operations.parts import Parts
from bot.store.errors import StoreUnavailable
from messages.facts import Facts

log = structlog.get_logger(__name__)

_RETRY_SECONDS = 2.0

Beside = Callable[[JsonObject], Coroutine[None, None, tuple[str, Facts]]]
"""A message (template and facts) for a request, that belongs to its plan and is not bound by it."""


class Enclosures:
    """Sends them; nobody waits for that."""

    def __init__(self, parts: Parts, beside: Mapping[str, Beside]) -> None:
        """`beside`: what else is said in the thread of a plan of that operation."""
        self._parts = parts
        self._beside = dict(beside)
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def load(self, found: Iterable[OperationRecord]) -> None:
        """Send what a process that has ended meanwhile did not: files of plans that wait for somebody, or for
        their turn. Raises StoreUnavailable."""
        self._loop = asyncio.get_running_loop()
        for record in found:
            if record.state in (State.PENDING, State.QUEUED) and record.plan.files:
                shared = await self._parts.store.shared(record.id)
                for file in record.plan.files:
                    if file.name not in shared:
                        self._spawn(self._send(record.id, file, maybe_there=True))

    def close(self) -> None:
        """Leave what is not sent yet."""
        for task in self._tasks:
            task.cancel()

    def enclose(self, record: OperationRecord) -> None:
        """Send all that belongs to a new plan."""
        if record.plan.operation in self._beside:
            self._spawn(self._say_beside(record))
        for file in record.plan.files:
            self._spawn(self._send(record.id, file))

    def attach(self, number: int, name: str, text: str) -> None:
        """A step has output for the thread; called from any thread."""
        content = text.encode(errors="replace")
        if self._loop is not None:
            self._loop.call_soon_threadsafe(lambda: self._spawn(self._attach(number, name, content)))

    def call(self, moves: Moves, number: int, what: str, detail: JsonObject) -> None:
        """A step calls those who asked for it and approved it."""
        self._spawn(self._call(moves, number, what, detail))

    async def _send(self, number: int, file: PlanFile, *, maybe_there: bool = False) -> None:
        share = self._parts.share
        if not await share(stream_of(number), file.name, Path(file.path), maybe_there=maybe_there):
            return
        at = self._parts.clock()
        while True:
            try:
                return await self._parts.store.note_shared(number, file.name, at)
            except StoreUnavailable as error:
                log.warning("file_waits_for_store", operation=number, detail=error.detail)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _attach(self, number: int, name: str, content: bytes) -> None:
        await self._parts.share(stream_of(number), name, content)

    async def _call(self, moves: Moves, number: int, what: str, detail: JsonObject) -> None:
        while True:
            try:
                return await moves.call(number, what, detail)
            except StoreUnavailable as error:
                log.warning("call_waits_for_store", operation=number, detail=error.detail)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _say_beside(self, record: OperationRecord) -> None:
        try:
            template, facts = await self._beside[record.plan.operation](record.request)
        except OperationRefused:
            return
        await self._parts.mail.send([self._parts.mail.beside(record.id, template, facts, record.channel)])

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
