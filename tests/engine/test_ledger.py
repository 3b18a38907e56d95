"""What cannot be written is kept in order, and written as soon as it can be."""

from __future__ import annotations

import asyncio
import sqlite3
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from bot.domain.alerts.model import Alert, Status
from bot.domain.alerts.reasons import Reason
from bot.engine.backlog import Backlog
from bot.engine.ledger import Ledger
from bot.store.changes import ChangedAlert, DecisionMade, LetterDead, NewAlert, NewLetter
from bot.store.errors import Stale
from bot.store.store import Store
from tests.engine.support import Counter, Disk, SetClock, until
from tests.factories import T0, alert, letter, subject


async def test_it_writes_at_once_when_it_can(store: Store, clock: SetClock) -> None:
    ledger = Ledger(store, clock)
    await ledger.write([NewLetter(letter(1))])
    assert await store.queued_letters() == [letter(1)]
    assert (ledger.kept, ledger.problem) == (0, None)


async def test_what_cannot_be_written_is_kept_in_order_and_told_once(
    store: Store, clock: SetClock, disk: Disk
) -> None:
    down, back = Counter(), Counter()
    ledger = Ledger(store, clock, down, back)
    disk.read_only = True
    for number in (3, 1, 2):
        await ledger.write([NewLetter(letter(number))])
        clock.forward(seconds=1)
    assert ledger.kept == 3
    assert ledger.problem is not None
    assert "read" in ledger.problem
    assert [detail for (detail,) in down.told] == [ledger.problem]
    for _ in range(3):
        assert not await ledger.flush()
    assert await store.queued_letters() == []
    assert back.told == []
    disk.read_only = False
    await ledger.write([LetterDead(2, T0, "x")])  # about something that is itself still kept
    assert ledger.kept == 4
    assert await ledger.flush()
    assert [each.id for each in await store.queued_letters()] == [1, 3]
    assert ledger.kept == 0
    assert not ledger.problem
    assert back.told == [(T0, 4)]
    assert await ledger.flush()
    assert (len(down.told), len(back.told)) == (1, 1)


async def test_a_second_outage_is_told_again(store: Store, clock: SetClock, disk: Disk) -> None:
    down, back = Counter(), Counter()
    ledger = Ledger(store, clock, down, back)
    for number in (1, 2):
        disk.read_only = True
        await ledger.write([NewLetter(letter(number))])
        disk.read_only = False
        assert await ledger.flush()
    assert (len(down.told), [kept for _, kept in back.told]) == (2, [1, 1])


async def test_a_full_disk_keeps_what_does_not_fit(small_store: Store, clock: SetClock, disk: Disk) -> None:
    ledger = Ledger(small_store, clock)
    disk.full = True
    many = 40
    for number in range(1, many + 1):
        await ledger.write([NewLetter(letter(number, facts={"x": "y" * 8000}))])
    assert ledger.kept > 0
    assert ledger.problem == "database or disk is full"
    written = len(await small_store.queued_letters())
    assert written + ledger.kept == many
    disk.full = False
    assert await ledger.flush()
    assert [each.id for each in await small_store.queued_letters()] == list(range(1, many + 1))


async def test_it_comes_back_by_itself(store: Store, clock: SetClock, disk: Disk) -> None:
    back = Counter()
    ledger = Ledger(store, clock, on_back=back, retry_seconds=0.01)
    running = asyncio.create_task(ledger.run())
    try:
        for number in (1, 2):
            disk.read_only = True
            await ledger.write([NewLetter(letter(number))])
            disk.read_only = False
            await until(partial(_told, back, number))
        assert [each.id for each in await store.queued_letters()] == [1, 2]
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def _told(counter: Counter, times: int) -> bool:
    return len(counter.told) == times


async def test_what_somebody_else_changed_meanwhile_is_left_as_theirs(
    store: Store, clock: SetClock, disk: Disk
) -> None:
    ledger = Ledger(store, clock)
    await ledger.write([NewAlert(alert(version=1))])
    disk.read_only = True
    await ledger.write([ChangedAlert(alert(version=2, acked_by="U-kept"), 1)])
    await ledger.write([NewLetter(letter(1))])
    disk.read_only = False
    await store.write([ChangedAlert(alert(version=2, acked_by="U-theirs"), 1)])
    assert await ledger.flush()
    assert await store.alert(7) == alert(version=2, acked_by="U-theirs")
    assert await store.queued_letters() == [letter(1)]


@pytest.mark.parametrize("version", [2, 5], ids=["as often as we", "more often"])
async def test_of_a_kept_transaction_only_what_somebody_else_changed_is_left_as_theirs(
    store: Store, clock: SetClock, disk: Disk, version: int
) -> None:
    ledger = Ledger(store, clock)
    numbers = (1, 2, 3, 4)
    first = {number: alert(id=number, subject=subject(target=f"t{number}"), version=1) for number in numbers}
    await ledger.write([NewAlert(each) for each in first.values()])
    disk.read_only = True
    ours = {number: each._replace(version=2, acked_by="U-ours") for number, each in first.items()}
    made = [made_of(each) for each in ours.values()]
    letters = [letter(number, stream=f"alert:{number}") for number in numbers]
    changed = [ChangedAlert(each, 1) for each in ours.values()]
    await ledger.write([*changed, *made, *map(NewLetter, letters)])
    disk.read_only = False
    theirs = {number: first[number]._replace(version=version, acked_by="U-theirs") for number in (2, 3)}
    await store.write([ChangedAlert(each, 1) for each in theirs.values()])
    assert await ledger.flush()
    assert [await store.alert(number) for number in numbers] == [ours[1], theirs[2], theirs[3], ours[4]]
    assert [len(await store.decisions(number, 10)) for number in numbers] == [1, 0, 0, 1]
    assert await store.queued_letters() == letters


def made_of(after: Alert) -> DecisionMade:
    """The decision by which an alert was acknowledged."""
    status = after.status
    return DecisionMade(
        after.id, after.version, T0, "acknowledged", Reason.ACKED, status, status, after.level, None, "U1"
    )


async def test_what_can_never_be_written_does_not_hold_up_what_comes_after_it(
    store: Store, clock: SetClock, disk: Disk
) -> None:
    ledger = Ledger(store, clock)
    await ledger.write([NewLetter(letter(1))])
    disk.read_only = True
    await ledger.write([NewLetter(letter(1))])  # the same id again
    await ledger.write([NewLetter(letter(2))])
    disk.read_only = False
    assert await ledger.flush()
    assert [each.id for each in await store.queued_letters()] == [1, 2]


async def test_stale_and_impossible_changes_are_the_caller_s_to_know(store: Store, clock: SetClock) -> None:
    ledger = Ledger(store, clock)
    with pytest.raises(Stale):
        await ledger.write([ChangedAlert(alert(version=2), 1)])
    await ledger.write([NewLetter(letter(1))])
    with pytest.raises(IntegrityError):
        await ledger.write([NewLetter(letter(1))])
    assert (ledger.kept, ledger.problem) == (0, None)


async def test_writers_do_not_wait_for_a_database_that_is_slow_to_refuse(
    small_store: Store, clock: SetClock, disk: Disk, tmp_path: Path
) -> None:
    ledger = Ledger(small_store, clock)
    disk.read_only = True
    await ledger.write([NewLetter(letter(1))])
    disk.read_only = False
    other = sqlite3.connect(tmp_path / "guardian.db", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")  # the database lets nobody write, and says so after half a minute
        flushing = asyncio.create_task(ledger.flush())
        await asyncio.sleep(0)  # it begins
        for number in (2, 3):
            await ledger.write([NewLetter(letter(number))])
        assert not flushing.done()
        other.execute("COMMIT")
    finally:
        other.close()
    assert await flushing
    assert [each.id for each in await small_store.queued_letters()] == [1, 2, 3]


def test_of_figures_only_the_newest_are_kept() -> None:
    backlog = Backlog()
    one, other = alert(id=1), alert(id=2, subject=subject(target="t2"))
    for value in range(1000):
        backlog.add([ChangedAlert(one._replace(value=float(value)), one.version)])
        backlog.add([ChangedAlert(other._replace(value=float(value)), other.version)])
    assert len(backlog) == 2
    assert backlog.first() == [ChangedAlert(one._replace(value=999.0), one.version)]


def test_an_event_in_between_keeps_its_place() -> None:
    backlog = Backlog()
    before, after = alert(version=3), alert(version=4, status=Status.RESOLVED)
    backlog.add([ChangedAlert(before._replace(value=1.0), 3)])
    backlog.add([ChangedAlert(after, 3)])
    backlog.add([ChangedAlert(after._replace(value=2.0), 4)])
    backlog.add([ChangedAlert(after._replace(value=3.0), 4)])
    kept = []
    while backlog:
        kept.append(backlog.first())
        backlog.drop_first()
    assert kept == [
        [ChangedAlert(before._replace(value=1.0), 3)],
        [ChangedAlert(after, 3)],
        [ChangedAlert(after._replace(value=3.0), 4)],
    ]


def test_what_is_being_written_stays_as_it_is() -> None:
    backlog = Backlog()
    backlog.add([ChangedAlert(alert(value=1.0), 3)])
    writing = backlog.first()
    backlog.add([ChangedAlert(alert(value=2.0), 3)])
    assert writing == [ChangedAlert(alert(value=1.0), 3)]
    backlog.drop_first()
    assert backlog.first() == [ChangedAlert(alert(value=2.0), 3)]
