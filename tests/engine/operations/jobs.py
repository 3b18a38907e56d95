"""An operation of the tests' own, that changes real files, and everything that the desk works with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import JsonValue

from bot.domain.operations.approval import Needs, State
from bot.domain.operations.freeze import Freeze
from bot.domain.operations.locks import Lock
from bot.domain.operations.plan import JsonObject, OnFailure, Plan, PlanFile, Step
from bot.domain.operations.record import OperationRecord
from bot.domain.operations.roles import Role, Roles
from bot.engine.audit import AuditBook
from bot.engine.ledger import Ledger
from bot.engine.operations.contract import Operation, OperationRefused, StepFailed, Stopped, Work
from bot.engine.operations.desk import OperationDesk
from bot.engine.operations.durable import Body, Durable, Run
from bot.engine.operations.locks import LockBook
from bot.engine.operations.mail import OperationMail
from bot.engine.operations.parts import Parts
from bot.engine.outbox import Outbox
from bot.store.audit import AuditStore
from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from bot.store.operation_locks import LockStore
from bot.store.operations import OperationStore
from bot.store.store import Store
from messages.operation_facts import OperationAskedFacts, RunsTroubleFacts
from tests.engine.support import CEILING_SECONDS, QUICK, FakeSlack, SetClock

ANN, BOB, CHO, DAN = "U0ANN", "U0BOB", "U0CHO", "U0DAN"
"""An operator, two approvers, and an administrator."""


class Chest:
    """An operation that puts a file for each word into a folder, and takes them out again."""

    name = "chest"

    def __init__(self, folder: Path, on_failure: OnFailure = OnFailure.UNDO_ALL) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.on_failure = on_failure
        self.facts = "as they were"
        self.refuses: str | None = None
        self.breaks: set[str] = set()
        self.stuck: set[str] = set()
        self.buggy: set[str] = set()
        self.held: dict[str, asyncio.Event] = {}
        self.undo_held: dict[str, asyncio.Event] = {}
        self.deaf = False
        """no step looks whether it is stopped"""
        self.fails_when_cancelled = False
        """as a step does whose program is ended together with ours"""
        self.reached: list[str] = []
        self.planned = 0
        self.file: Path | None = None
        """that belongs to the plan"""
        self.away = 0
        """how often a step meets a database that is away"""

    async def plan(self, request: JsonObject, at: datetime) -> Plan:
        self.planned += 1
        if self.refuses is not None:
            raise OperationRefused(self.refuses)
        words = str(request["words"]).split()
        steps = tuple(Step("put", {"word": word}, "take") for word in words)
        subject = str(request.get("subject", "chest"))
        files = () if self.file is None else (PlanFile(self.file.name, str(self.file), "a" * 64),)
        return Plan(self.name, subject, at, steps, {"facts": self.facts}, files, on_failure=self.on_failure)

    async def do(self, plan: Plan, step: Step, work: Work) -> JsonObject:
        word = str(step.params["word"])
        self.reached.append(word)
        if self.away:
            self.away -= 1
            raise StoreUnavailable("the connection was lost")
        work.progress(1, 2, "files")
        if word in self.held:
            try:
                await self.held[word].wait()
            except asyncio.CancelledError:
                if self.fails_when_cancelled:
                    raise StepFailed("ended", word=word) from None
                raise
        if work.stopping and not self.deaf:
            raise Stopped({"put": 0})
        if word in self.buggy:
            raise ZeroDivisionError
        if word in self.breaks:
            raise StepFailed("broken", word=word)
        (self.folder / word).write_text(f"{work.run_id}:{work.token}")
        return {"put": 1}

    async def undo(self, plan: Plan, step: Step, work: Work) -> JsonObject:
        word = str(step.params["word"])
        if word in self.undo_held:
            await self.undo_held[word].wait()
        if word in self.stuck:
            raise StepFailed("stuck", word=word)
        (self.folder / word).unlink(missing_ok=True)
        return {}

    def words(self) -> list[str]:
        """What is in the folder."""
        return sorted(path.name for path in self.folder.iterdir())


class Memory:
    """Runs that live no longer than the process; what they kept can be handed on to the next."""

    def __init__(self, body: Body, kept: dict[int, dict[str, JsonValue]] | None = None) -> None:
        self._body = body
        self.kept: dict[int, dict[str, JsonValue]] = {} if kept is None else kept
        self.tasks: dict[int, asyncio.Task[None]] = {}

    async def ready(self) -> None:
        """Always."""

    async def start_anew(self) -> Path:
        raise AssertionError("memory does not break")

    async def start(self, run: Run) -> None:
        if run.number not in self.tasks:
            journal = _Kept(self.kept.setdefault(run.number, {}))
            self.tasks[run.number] = asyncio.create_task(self._body(run, journal))

    async def is_over(self, run: Run) -> bool:
        task = self.tasks.get(run.number)
        return task is not None and task.done()

    async def forget(self, run: Run) -> None:
        self.kept.pop(run.number, None)

    async def close(self) -> None:
        for task in self.tasks.values():
            task.cancel()
        if self.tasks:
            await asyncio.wait(self.tasks.values())


class _Kept:
    def __init__(self, kept: dict[str, JsonValue]) -> None:
        self._kept = kept

    async def once(self, name: str, work: Callable[[], Coroutine[object, object, JsonValue]]) -> JsonValue:
        if name not in self._kept:
            self._kept[name] = await work()
        return self._kept[name]


@dataclass
class Yard:
    """A desk at work, with what it said."""

    desk: OperationDesk
    chest: Chest
    slack: FakeSlack
    clock: SetClock
    store: OperationStore
    locks: LockBook
    audit: AuditBook
    roles: Roles
    needs: Needs
    alerts: list[tuple[int, State]] = field(default_factory=list)
    shared: list[tuple[str, str, bytes | Path]] = field(default_factory=list)
    looked_for: list[str] = field(default_factory=list)
    """files of these that an earlier try may have put there"""
    no_files: bool = False
    """Slack takes none"""
    runs_told: list[RunsTroubleFacts] = field(default_factory=list)

    async def ask(self, words: str, by: str = ANN, **request: JsonValue) -> OperationRecord:
        """Ask for those words; the operation that it became."""
        asked = await self.desk.ask("chest", {"words": words, **request}, by)
        assert isinstance(asked, OperationAskedFacts), asked
        return await self.record(asked.operation.id)

    async def record(self, number: int) -> OperationRecord:
        """What is known of an operation."""
        found = await self.store.get(number)
        assert found is not None
        return found

    async def reaches(self, number: int, *states: State) -> OperationRecord:
        """Wait until an operation is in one of those states."""
        async with asyncio.timeout(CEILING_SECONDS):
            while (found := await self.record(number)).state not in states:  # noqa: ASYNC110 - as in `until`
                await asyncio.sleep(0.02)
        return found

    def card(self, number: int) -> dict[str, JsonValue]:
        """What its card shows now; nothing while it has not been posted."""
        letter = self.slack.shown(f"operation:{number}")
        return {} if letter is None else dict(letter.facts)

    def thread(self, number: int) -> list[str]:
        """The lines in its thread."""
        return [
            str(message.letter.facts["what"])
            for message in self.slack.messages
            if message.letter.stream == f"operation:{number}" and message.thread is not None
        ]


ROLES = Roles(
    {
        Role.OPERATOR: frozenset({ANN}),
        Role.APPROVER: frozenset({BOB, CHO}),
        Role.ADMINISTRATOR: frozenset({DAN}),
    },
    assigned=True,
)


@asynccontextmanager
async def open_yard(
    database: Database,
    folder: Path,
    clock: SetClock,
    *,
    chest: Chest | None = None,
    needs: Needs | None = None,
    freezes: Sequence[Freeze] = (),
    kept: dict[int, dict[str, JsonValue]] | None = None,
    slack: FakeSlack | None = None,
    runs: Callable[[Body], Durable] | None = None,
    operations: Mapping[str, Operation] | None = None,
    locks_after: Callable[[OperationRecord], Sequence[Lock]] = lambda record: (),
    ended: Callable[[OperationRecord], Awaitable[None]] | None = None,
    no_files: bool = False,
) -> AsyncIterator[Yard]:
    """A desk for as long as the block runs. `kept`: what runs of an earlier one kept. `runs`: where runs
    live, in memory by default. `operations`: others than the chest. `no_files`: Slack takes none."""
    ledger = Ledger(Store(database), clock, retry_seconds=0.01)
    courier = FakeSlack() if slack is None else slack
    outbox = Outbox(ledger, courier, clock, QUICK)
    await outbox.load()
    audit = AuditBook(AuditStore(database), clock, retry_seconds=0.01)
    await audit.load()
    yard_chest = chest or Chest(folder)
    made: list[Yard] = []

    async def share(stream: str, name: str, content: bytes | Path, *, maybe_there: bool = False) -> bool:
        if made[0].no_files:
            return False
        made[0].shared.append((stream, name, content))
        made[0].looked_for += [name] * maybe_there
        return True

    async def tell_alert(record: OperationRecord, state: State) -> None:
        if ended is not None:
            await ended(record)
        made[0].alerts.append((record.id, state))

    async def tell_runs(facts: RunsTroubleFacts) -> None:
        made[0].runs_told.append(facts)

    async def fresh_roles() -> Roles:
        return made[0].roles

    locks = LockBook(
        LockStore(database),
        audit,
        clock,
        lambda: made[0].roles,
        freezes,
        on_lifted=lambda: made[0].desk.wake(),
    )
    store = OperationStore(database)
    parts = Parts(
        store=store,
        locks=locks,
        audit=audit,
        mail=OperationMail(ledger, outbox, clock),
        clock=clock,
        roles=lambda: made[0].roles,
        fresh_roles=fresh_roles,
        needs=lambda operation, subject: made[0].needs,
        command="/guardian",
        channel="guardian-ops",
        share=share,
        know_cards=outbox.know_cards,
        tell_alert=tell_alert,
        locks_after=locks_after,
        tell_runs=tell_runs,
        runs_again=0.05,
    )
    desk = OperationDesk(
        parts, operations or {"chest": yard_chest}, runs or (lambda body: Memory(body, kept))
    )
    yard = Yard(
        desk,
        yard_chest,
        courier,
        clock,
        store,
        locks,
        audit,
        ROLES,
        needs or Needs(lives=timedelta(minutes=15)),
        no_files=no_files,
    )
    made.append(yard)
    loops = [asyncio.create_task(each) for each in (outbox.run(), audit.run(), ledger.run())]
    try:
        await desk.load()
        loops.append(asyncio.create_task(desk.run()))
        yield yard
    finally:
        await desk.close()
        for loop in loops:
            loop.cancel()
        await asyncio.wait(loops)
        await audit.flush()
        await outbox.drain(0)
        await outbox.close()
