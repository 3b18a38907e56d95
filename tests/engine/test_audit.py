"""The audit book: what people do is taken down at once, in order, and never lost while the process lives."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from structlog.typing import EventDict

from bot.domain.alerts.model import Status
from bot.domain.audit import EMPTY, Action, Deed, Entry, Head, Outcome, details_of
from bot.domain.audit_faults import verify
from bot.domain.matcher_notation import parse
from bot.domain.oncall.model import Override
from bot.domain.silences import Silence, Wanted
from bot.engine.audit import AuditBook
from bot.engine.board import Board
from bot.engine.guardian import Guardian, Identity
from bot.engine.maintenance import Maintenance
from bot.engine.roster import Roster
from bot.engine.silences import MustConfirm, Refused, Silences
from bot.store.also import Also
from bot.store.audit import AuditStore
from bot.store.database import Database
from bot.store.duty import DutyStore
from bot.store.errors import StoreUnavailable
from bot.store.maintenance import MaintenanceStore
from bot.store.silences import SilenceStore
from bot.store.store import Store
from tests.engine.duty import WEEKLY, Table
from tests.engine.support import Disk, SetClock, until
from tests.engine.watching import CpuRules, Watch
from tests.factories import T0, at

ANN, BOB = "U0ANN", "U0BOB"


@pytest.fixture
async def book(database: Database, clock: SetClock) -> AuditBook:
    """A book as at the start of a process, which writes when it is told to."""
    book = AuditBook(AuditStore(database), clock, retry_seconds=0.01)
    await book.load()
    return book


async def entries(database: Database) -> list[Entry]:
    found = [each async for each in AuditStore(database).entries()]
    assert verify(found).is_whole
    return found


async def told(database: Database, book: AuditBook) -> list[tuple[str, str, str, str]]:
    """Who did what to what, and how it ended."""
    assert await book.flush()
    return [(each.actor, each.action, each.subject, each.outcome) for each in await entries(database)]


def events(logs: list[EventDict], name: str) -> list[EventDict]:
    return [each for each in logs if each["event"] == name]


# Writing


async def test_it_writes_by_itself_and_the_log_has_the_head(
    database: Database, book: AuditBook, logs: list[EventDict]
) -> None:
    assert [each["head"] for each in events(logs, "audit_head")] == [str(EMPTY)]
    running = asyncio.create_task(book.run())
    try:
        for number in (1, 2):
            book.note(ANN, Action.ALERT_ACKNOWLEDGE, f"alert:{number}", plan="ab" * 32)
            await until(lambda: book.kept == 0)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    written = await entries(database)
    assert [each.subject for each in written] == ["alert:1", "alert:2"]
    assert written[0].plan == "ab" * 32
    noted = [each["entry"] for each in events(logs, "audit_written")]
    assert noted == [f"{each.number}:{each.hash}" for each in written]


async def test_what_cannot_be_written_waits_in_order_with_its_own_moments(
    database: Database, book: AuditBook, disk: Disk, clock: SetClock, logs: list[EventDict]
) -> None:
    disk.read_only = True
    for number in range(1, 451):
        book.note(ANN, Action.ALERT_ACKNOWLEDGE, f"alert:{number}")
        clock.forward(seconds=1)
    for _ in range(3):
        assert not await book.flush()
    assert book.kept == 450
    assert len(events(logs, "audit_not_written")) == 1
    disk.read_only = False
    assert await book.flush()
    assert book.kept == 0
    written = await entries(database)
    assert [each.subject for each in written] == [f"alert:{number}" for number in range(1, 451)]
    assert written[449].at == "2026-03-01T09:07:29.000000Z"
    assert len(events(logs, "audit_written_again")) == 1


async def test_it_comes_back_by_itself(database: Database, book: AuditBook, disk: Disk) -> None:
    disk.read_only = True
    running = asyncio.create_task(book.run())
    try:
        book.note(ANN, Action.SILENCE_LIFT, "silence:1")
        await asyncio.sleep(0.05)
        assert book.kept == 1
        disk.read_only = False
        await until(lambda: book.kept == 0)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert len(await entries(database)) == 1


async def test_whoever_is_cancelled_in_the_middle_writes_nothing_twice(
    database: Database, book: AuditBook
) -> None:
    for number in range(20):
        book.note(ANN, Action.SILENCE_LIFT, f"silence:{number}")
        task = asyncio.create_task(book.flush())
        for _ in range(number):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert await book.flush()
    assert [each.subject for each in await entries(database)] == [f"silence:{n}" for n in range(20)]


class TakesAndFails(AuditStore):
    """A store whose connection is lost just after the commit, once."""

    failures = 1

    async def append(self, deeds: Sequence[Deed], also: Also | None = None) -> list[Entry]:
        entries = await super().append(deeds, also)
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("the connection was lost")
        return entries


async def test_what_arrived_before_the_connection_was_lost_is_not_written_twice(
    database: Database, clock: SetClock
) -> None:
    book = AuditBook(TakesAndFails(database), clock)
    await book.load()
    for number in (1, 2):
        book.note(ANN, Action.SILENCE_LIFT, f"silence:{number}")
    assert not await book.flush()
    book.note(ANN, Action.SILENCE_LIFT, "silence:3")
    assert await book.flush()
    assert [each.subject for each in await entries(database)] == ["silence:1", "silence:2", "silence:3"]


async def test_a_chain_that_was_cut_while_it_runs_is_said_in_the_log(
    database: Database, book: AuditBook, logs: list[EventDict]
) -> None:
    for number in (1, 2):
        book.note(ANN, Action.SILENCE_LIFT, f"silence:{number}")
    assert await book.flush()
    last = (await entries(database))[-1]
    async with database.begin() as connection:
        off = "DROP TRIGGER audit_no_delete"
        await connection.exec_driver_sql(
            off if database.is_sqlite else "ALTER TABLE audit DISABLE TRIGGER USER"
        )
        await connection.exec_driver_sql("DELETE FROM audit WHERE number = 2")
    assert events(logs, "audit_chain_broken") == []
    book.note(ANN, Action.SILENCE_LIFT, "silence:3")
    assert await book.flush()
    (said,) = events(logs, "audit_chain_broken")
    assert said["noted"] == str(Head(2, last.hash))


async def test_the_latest_include_what_was_noted_just_now_and_say_that_there_are_more(
    database: Database, book: AuditBook, disk: Disk
) -> None:
    for number in range(1, 6):
        book.note(ANN, Action.SILENCE_LIFT, f"silence:{number}")
    facts = await book.latest(2, (), None, "/guardian")
    assert [each.number for each in facts.entries] == [5, 4]
    assert (facts.total, facts.older_than, facts.waiting) == (5, 4, 0)
    facts = await book.latest(2, (), 3, "/guardian")
    assert ([each.number for each in facts.entries], facts.older_than) == ([2, 1], None)
    disk.read_only = True
    book.note(BOB, Action.SILENCE_LIFT, "silence:6")
    facts = await book.latest(1, (), None, "/guardian")
    assert ([each.number for each in facts.entries], facts.waiting) == ([5], 1)


# What people do


async def guarded(database: Database, book: AuditBook, clock: SetClock) -> tuple[Guardian, Watch]:
    watch = await Watch.begins(Store(database), clock)
    identity = Identity("web-1", "test", "1.0", T0)
    board = Board([], CpuRules())
    guardian = Guardian(identity, board, watch.desk, watch.outbox, watch.ledger, clock, audit=book)
    return guardian, watch


async def test_acknowledging_and_calling_resolved_and_a_false_resolve(
    database: Database, book: AuditBook, clock: SetClock
) -> None:
    guardian, watch = await guarded(database, book, clock)
    await watch.check(75, 75, 75)
    (alert,) = watch.desk.open()
    await guardian.acknowledge(alert.id, ANN, alert.version)
    await guardian.acknowledge(alert.id, BOB, alert.version)  # somebody else was first: nothing was done
    await guardian.acknowledge(99, BOB, 1)
    (acked,) = watch.desk.open()
    await guardian.resolve(alert.id, BOB, acked.version)
    await watch.check(50)
    (alert,) = watch.desk.open()
    decision, _ = await guardian.resolve(alert.id, BOB, alert.version)
    assert decision.alert is not None
    assert decision.alert.status is Status.RESOLVED
    about = f"alert:{alert.id}"
    assert await told(database, book) == [
        (ANN, "alert.acknowledge", about, "done"),
        (BOB, "alert.resolve", about, "refused"),
        (BOB, "alert.resolve", about, "done"),
    ]
    acknowledged, refused, _ = await entries(database)
    assert details_of(acknowledged) == {"level": "warning", "metric": "cpu_usage", "target": "web-1"}
    assert details_of(refused)["why"] == "still_bad"


async def test_an_acknowledgement_counts_while_the_database_cannot_be_written(
    database: Database, book: AuditBook, clock: SetClock, disk: Disk
) -> None:
    guardian, watch = await guarded(database, book, clock)
    await watch.check(75, 75, 75)
    (alert,) = watch.desk.open()
    disk.read_only = True
    await guardian.acknowledge(alert.id, ANN, alert.version)
    assert watch.desk.open()[0].acked_by == ANN
    assert not await book.flush()
    disk.read_only = False
    assert await told(database, book) == [(ANN, "alert.acknowledge", f"alert:{alert.id}", "done")]


async def test_silences(database: Database, book: AuditBook, clock: SetClock, disk: Disk) -> None:
    silences = Silences(SilenceStore(database), clock, book)
    shop = parse("service=shop")

    def wanted(hours: int, reason: str = "배포") -> Wanted:
        return Wanted(shop, clock.now, clock.now + timedelta(hours=hours), ANN, reason)

    made = await silences.add(wanted(2))
    assert isinstance(made, Silence)
    assert isinstance(await silences.add(wanted(2, "")), Refused)  # mistyped: says nothing of anybody
    assert isinstance(await silences.add(wanted(48)), Refused)
    everything = Wanted(parse("*"), clock.now, clock.now + timedelta(hours=1), ANN, "x")
    assert isinstance(await silences.add(everything), MustConfirm)
    disk.read_only = True
    with pytest.raises(StoreUnavailable):
        await silences.add(wanted(3))
    with pytest.raises(StoreUnavailable):
        await silences.lift(made.id, BOB)
    disk.read_only = False
    assert await silences.lift(made.id, BOB) is not None
    assert await silences.lift(made.id, BOB) is None
    assert await told(database, book) == [
        (ANN, "silence.add", "silence:1", "done"),
        (ANN, "silence.add", "service=shop", "refused"),
        (ANN, "silence.add", "service=shop", "failed"),
        (BOB, "silence.lift", "silence:1", "failed"),
        (BOB, "silence.lift", "silence:1", "done"),
    ]
    assert details_of((await entries(database))[0]) == {
        "from": "2026-03-01T09:00:00.000000Z",
        "matcher": "service=shop",
        "reason": "배포",
        "until": "2026-03-01T11:00:00.000000Z",
    }


async def test_windows(database: Database, book: AuditBook, clock: SetClock, disk: Disk) -> None:
    maintenance = Maintenance(MaintenanceStore(database), clock, audit=book)
    wanted = Wanted(parse("service=shop"), clock.now, at(7200), ANN, "이전")
    await maintenance.add(wanted)
    await maintenance.add(Wanted(parse("service=shop"), clock.now, at(86400 * 40), ANN, "이전"))
    disk.read_only = True
    with pytest.raises(StoreUnavailable):
        await maintenance.add(wanted)
    with pytest.raises(StoreUnavailable):
        await maintenance.end(1, BOB)
    disk.read_only = False
    assert await maintenance.end(1, BOB) is not None
    assert await maintenance.end(1, BOB) is None
    assert await told(database, book) == [
        (ANN, "maintenance.add", "maintenance:1", "done"),
        (ANN, "maintenance.add", "service=shop", "refused"),
        (ANN, "maintenance.add", "service=shop", "failed"),
        (BOB, "maintenance.end", "maintenance:1", "failed"),
        (BOB, "maintenance.end", "maintenance:1", "done"),
    ]


async def test_standing_in(database: Database, book: AuditBook, clock: SetClock, disk: Disk) -> None:
    roster = Roster({WEEKLY.name: WEEKLY}, DutyStore(database), Table(), clock, book)
    stand_in = Override(0, WEEKLY.name, BOB, at(0), at(3600), by=ANN, why="치과")
    await roster.add_override(stand_in)
    disk.read_only = True
    with pytest.raises(StoreUnavailable):
        await roster.add_override(stand_in)
    with pytest.raises(StoreUnavailable):
        await roster.remove_override(1, BOB)
    disk.read_only = False
    assert await roster.remove_override(1, BOB) is not None
    assert await roster.remove_override(1, BOB) is None
    assert await told(database, book) == [
        (ANN, "oncall.swap", "override:1", "done"),
        (ANN, "oncall.swap", f"schedule:{WEEKLY.name}", "failed"),
        (BOB, "oncall.undo", "override:1", "failed"),
        (BOB, "oncall.undo", "override:1", "done"),
    ]
    assert details_of((await entries(database))[0])["user"] == BOB


def test_a_deed_without_more_is_done() -> None:
    assert Deed(T0, ANN, Action.ALERT_RESOLVE, "alert:1").outcome is Outcome.DONE
