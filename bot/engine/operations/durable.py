"""Runs that survive the death of the process: the one file that knows DBOS.

DBOS keeps what each step of a run gave in tables of its own (a SQLite file beside ours, or the schema `dbos`
in PostgreSQL). After a crash it calls the run's body again; steps that are kept give what they gave, the one
that was under way is done once more, and the run goes on from there.

A step that cannot be kept, because the disk is full, ends nothing: everything is taken down as if the process
had died, and goes on as soon as it can be written there again.

It costs 15 MB and eight threads, so it is imported and started with the first run, not with the Guardian.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import shutil
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import structlog
from pydantic import JsonValue
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from bot.engine.clock import Clock, utc_now
from bot.engine.operations.broken_runs import file_of, is_damaged, put_aside, sentence_of

if TYPE_CHECKING:
    from dbos import WorkflowHandleAsync

log = structlog.get_logger(__name__)

_APPLICATION = "guardian"
_WORKFLOW = "guardian.operation"
_VERSION = "1"
"""Never the hash of the sources that DBOS would take: after an upgrade it would leave runs lying."""
_CLOSE_SECONDS = 2.0
_AGAIN_SECONDS = 1.0
_LIES_SECONDS = 10.0
_ROOM_BYTES = 1 << 20
_OVER = frozenset({"SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"})


class Journal(Protocol):
    """What a run's body keeps its steps in."""

    async def once(self, name: str, work: Callable[[], Coroutine[object, object, JsonValue]]) -> JsonValue:
        """What `work` (a coroutine function, or a partial of one) gives, now or when the run was at this step
        before. The body must come to the same
        steps in the same order whenever it is called: whatever it decides by has to come from here."""
        ...


@dataclass(frozen=True, slots=True)
class Run:
    """Names a run: the number of its operation, and the hash of the plan that was approved. Numbers begin
    again with a new database; what an older one's runs kept beside it must not count as done."""

    number: int
    plan_hash: str

    @property
    def key(self) -> str:
        """As DBOS knows it."""
        return f"operation-{self.number}-{self.plan_hash[:16]}"


Body = Callable[[Run, Journal], Coroutine[None, None, None]]
"""What a run does, and where it keeps its steps."""


class RunsUnavailable(Exception):
    """Where runs live cannot be used just now: nothing was changed there."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class RunsBroken(Exception):
    """The file in which runs live is damaged. It stays as it is until `start_anew`, and nothing goes on
    before that."""

    def __init__(self, file: Path, detail: str) -> None:
        super().__init__(f"{file}: {detail}")
        self.file = file
        self.detail = detail


class Durable(Protocol):
    """Where runs live. Every method but `close` may raise RunsUnavailable and RunsBroken."""

    async def ready(self) -> None:
        """Nothing, if runs can be started."""
        ...

    async def start_anew(self) -> Path:
        """Put what is broken aside, as it is, under another name beside it; that name. What was kept there of
        runs is lost."""
        ...

    async def start(self, run: Run) -> None:
        """Start that run, or go on with it; nothing if it is under way or over."""
        ...

    async def is_over(self, run: Run) -> bool:
        """Whether that run has come to its end, good or bad; False if nobody knows it."""
        ...

    async def forget(self, run: Run) -> None:
        """Delete what is kept of a run that is over."""
        ...

    async def close(self) -> None:
        """Leave everything as it is: what is under way goes on at the next start."""
        ...


class DbosRuns:
    """Runs kept by DBOS. There is one in a process: DBOS is global."""

    def __init__(self, store_url: str, body: Body, clock: Clock = utc_now) -> None:
        """`store_url`: of our own database; for a SQLite file DBOS gets one beside it, `…-runs.db`."""
        self._url = runs_url(store_url)
        self._body = body
        self._clock = clock
        self._workflow: Callable[[int, str], Coroutine[object, object, None]]
        """as DBOS knows it, once it is launched"""
        self._launched = False
        self._launching = asyncio.Lock()
        self._tasks: dict[asyncio.Task[object], Run] = {}
        """runs that are under way in this process"""
        self._handles: dict[Run, WorkflowHandleAsync[None]] = {}
        self._broken: RunsBroken | None = None
        self._starting_over: asyncio.Task[None] | None = None
        self._lying: dict[Run, float] = {}
        """since when runs are seen lying"""

    async def ready(self) -> None:
        """As `Durable` has it."""
        async with self._using():
            await self._launch()

    async def start_anew(self) -> Path:
        """As `Durable` has it."""
        file = file_of(self._url)
        if file is None:
            raise RunsUnavailable("only a file can be put aside")
        async with self._launching:
            await self._end()
            try:
                aside = await asyncio.to_thread(put_aside, file, self._clock())
            except OSError as error:
                raise RunsUnavailable(f"{file}: {error.strerror or error}") from error
            self._broken = None
        return aside

    async def start(self, run: Run) -> None:
        """As `Durable` has it."""
        from dbos import DBOS, SetWorkflowID

        async with self._using():
            await self._launch()
            with SetWorkflowID(run.key):
                self._handles[run] = await DBOS.start_workflow_async(
                    self._workflow, run.number, run.plan_hash
                )

    async def is_over(self, run: Run) -> bool:
        """As `Durable` has it."""
        from dbos import DBOS

        async with self._using():
            await self._launch()
            status = await DBOS.get_workflow_status_async(run.key)
        if status is not None and status.status == "PENDING" and run not in self._tasks.values():
            self._lies(run)
        else:
            self._lying.pop(run, None)
        return status is not None and status.status in _OVER

    async def forget(self, run: Run) -> None:
        """As `Durable` has it."""
        from dbos import DBOS

        async with self._using():
            await self._launch()
            self._handles.pop(run, None)
            await DBOS.delete_workflow_async(run.key)

    async def close(self) -> None:
        """As `Durable` has it. DBOS ends its threads too, which takes a second."""
        if self._starting_over is not None:
            self._starting_over.cancel()
            await asyncio.wait([self._starting_over])
        async with self._launching:
            await self._end()

    async def _end(self) -> None:
        if not self._launched:
            return
        from dbos import DBOS

        self._launched = False
        # Nothing may go on to its next step, or to its end, while DBOS is taken away from under it.
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_CLOSE_SECONDS)
        await asyncio.to_thread(DBOS.destroy, destroy_registry=True)
        # It has taken the loop's pool of threads along; others may still have something to do there.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())

    def _lies(self, run: Run) -> None:
        """It is begun, and nobody does it: it could not be gone on with, or its end not be written, and DBOS
        tries either once. For a moment that is so of every run."""
        now = time.monotonic()
        if now - self._lying.setdefault(run, now) >= _LIES_SECONDS:
            del self._lying[run]
            log.error("run_lies", run=run.number)
            self._start_over()

    def _start_over(self) -> None:
        """Take DBOS down, and launch it as after a crash: then it goes on with what was under way."""
        if self._starting_over is None or self._starting_over.done():
            self._starting_over = asyncio.create_task(self._end_and_launch(), name="runs:start over")

    async def _end_and_launch(self) -> None:
        async with self._launching:
            await self._end()
        while True:
            try:
                with suppress(RunsBroken):  # whoever looks after the runs finds it so
                    await self.ready()
                return
            except RunsUnavailable as error:
                log.warning("runs_not_launched", detail=error.detail)
                await asyncio.sleep(_AGAIN_SECONDS)

    @asynccontextmanager
    async def _using(self) -> AsyncIterator[None]:
        """Around whatever DBOS does: what it raises becomes one of ours. Once its file is known to be broken
        nothing more is done with it."""
        if self._broken is not None:
            raise self._broken
        try:
            yield
        except Exception as error:  # whatever it may be: DBOS, its driver, the disk; told to whoever asked
            detail = sentence_of(error)
            file = file_of(self._url)
            if file is None or not is_damaged(error):
                raise RunsUnavailable(detail) from error
            self._broken = RunsBroken(file, detail)
            async with self._launching:
                await self._end()
            raise self._broken from error

    async def _launch(self) -> None:
        async with self._launching:
            if self._launched:
                return
            from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer

            await self._see_room()
            # Before it is configured it says at each start that it was shut down, which alarms for nothing.
            logging.getLogger("dbos").setLevel(logging.ERROR)
            # One that was left behind in this process has another database.
            await asyncio.to_thread(DBOS.destroy, destroy_registry=True)
            DBOS(
                config=DBOSConfig(
                    name=_APPLICATION,
                    system_database_url=self._url,
                    application_version=_VERSION,
                    executor_id=_APPLICATION,
                    serializer=DBOSPortableJSONSerializer(),  # its default is pickle
                    # It warns of what is meant, that runs are cut short and go on, past our log and with all
                    # that a step was given.
                    log_level="ERROR",
                    notification_listener_polling_interval_sec=0.25,
                    run_migrations=True,
                )
            )
            body = self._body

            @DBOS.workflow(name=_WORKFLOW)
            async def workflow(number: int, plan_hash: str) -> None:
                task, run = asyncio.current_task(), Run(number, plan_hash)
                if task is not None:
                    self._tasks[task] = run
                    task.add_done_callback(self._tasks.pop)
                try:
                    await body(run, _DbosJournal())
                except RunsUnavailable as error:
                    log.error("run_not_kept", run=number, detail=error.detail)
                    self._start_over()
                    # DBOS would call it over, and nobody go on with it. To start over cancels this task.
                    await asyncio.Event().wait()

            self._workflow = workflow
            self._launched = True
            try:
                DBOS.launch()
            except BaseException:
                await self._end()  # its threads have begun
                raise
            log.info("runs_launched")

    async def _see_room(self) -> None:
        """Raises RunsUnavailable on a disk that is full: DBOS tries once to go on with a run, and where that
        cannot be written the run lies."""
        file = file_of(self._url)
        if file is None:
            return
        free = (await asyncio.to_thread(shutil.disk_usage, file.parent)).free
        if free < _ROOM_BYTES:
            raise RunsUnavailable(f"{file.parent}: {os.strerror(errno.ENOSPC)} ({free >> 10} KiB)")


class _DbosJournal:
    """Keeps steps in DBOS."""

    async def once(self, name: str, work: Callable[[], Coroutine[object, object, JsonValue]]) -> JsonValue:
        from dbos import DBOS

        try:
            return await DBOS.run_step_async({"name": name}, work)
        except SQLAlchemyError as error:  # what it keeps steps in: `work` raises none of these
            raise RunsUnavailable(sentence_of(error)) from error


def runs_url(store_url: str) -> str:
    """Where DBOS keeps its tables, for the database of that address."""
    url = make_url(store_url)
    if url.get_backend_name() != "sqlite":
        return url.set(drivername="postgresql").render_as_string(hide_password=False)
    if not url.database or url.database == ":memory:":
        raise ValueError("runs need a database that outlives the process")
    file = Path(url.database)
    return f"sqlite:///{file.with_name(f'{file.stem}-runs.db')}"
