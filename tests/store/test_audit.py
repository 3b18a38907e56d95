"""The audit log on each kind of database: it is only added to, and whatever else was done to it is found."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from bot.domain.audit import (
    EMPTY,
    GENESIS,
    Action,
    Deed,
    Entry,
    Head,
    Outcome,
    hash_of,
    moment_text,
)
from bot.domain.audit_faults import FaultKind, Verdict, Verifier
from bot.store.audit import AuditStore
from bot.store.database import Database
from bot.store.store import Store
from tests.factories import T0, at

GUARDS = {
    True: ["DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete", "DROP TRIGGER audit_only_behind"],
    False: ["ALTER TABLE audit DISABLE TRIGGER USER"],
}


def deed(number: int, **changes: object) -> Deed:
    """Somebody acknowledges the alert of that number."""
    values: dict[str, object] = {
        "at": T0 + timedelta(seconds=number),
        "actor": f"U{number % 3}",
        "action": Action.ALERT_ACKNOWLEDGE,
        "subject": f"alert:{number}",
        "detail": {"level": "critical", "이름": "값"},
    }
    return Deed(**{**values, **changes})  # type: ignore[arg-type]  # the test's own values, checked by use


@pytest.fixture
def audit(database: Database) -> AuditStore:
    """An empty log."""
    return AuditStore(database)


async def verdict(audit: AuditStore, *expected: Head) -> Verdict:
    verifier = Verifier(expected)
    async for entry in audit.entries():
        verifier.take(entry)
    return verifier.verdict()


async def found(audit: AuditStore, *expected: Head) -> list[tuple[FaultKind, int, int]]:
    return [(fault.kind, fault.first, fault.last) for fault in (await verdict(audit, *expected)).faults]


async def tamper(database: Database, *statements: str, **values: object) -> None:
    """What somebody does who owns the database."""
    async with database.begin() as connection:
        for statement in (*GUARDS[database.is_sqlite], *statements):
            await connection.execute(text(statement), values)


async def test_an_empty_log_is_whole(audit: AuditStore) -> None:
    assert (await audit.head(), await audit.count()) == (EMPTY, 0)
    assert (await verdict(audit, EMPTY)).is_whole


async def test_what_is_added_comes_back_in_order_with_its_hashes(audit: AuditStore) -> None:
    written = [*await audit.append([deed(1), deed(2)]), *await audit.append([deed(3, plan="ab" * 32)])]
    assert [each async for each in audit.entries()] == written
    assert [each.number for each in written] == [1, 2, 3]
    assert [each.previous for each in written] == [GENESIS, written[0].hash, written[1].hash]
    assert all(hash_of(each) == each.hash for each in written)
    assert written[2].plan == "ab" * 32
    assert (await audit.head(), await audit.count()) == (Head(3, written[2].hash), 3)
    assert (await verdict(audit, Head(2, written[1].hash), Head(3, written[2].hash))).is_whole


async def test_texts_that_no_database_takes_are_made_fit(audit: AuditStore) -> None:
    (entry,) = await audit.append([deed(1, subject="a\x00b\ud83d", detail={"x": "\x00" + "y" * 9000})])
    assert entry.subject == "a\ufffdb\ufffd"
    assert len(entry.detail) < 600
    assert [each async for each in audit.entries()] == [entry]
    assert (await verdict(audit)).is_whole


async def test_two_who_write_at_once_make_one_chain(store_url: str) -> None:
    databases = [await Database.open(store_url) for _ in range(2)]
    try:
        logs = [AuditStore(database) for database in databases]
        await asyncio.gather(*(logs[n % 2].append([deed(n), deed(n)]) for n in range(60)))
        seen = await verdict(logs[0])
        assert (seen.count, seen.faults) == (120, ())
    finally:
        for database in databases:
            await database.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'U9' WHERE number = 2",
        "DELETE FROM audit WHERE number = 3",
        "DELETE FROM audit",
        "INSERT INTO audit SELECT number + 7, at, actor, action, subject, plan, outcome, detail, hash, hash"
        " FROM audit WHERE number = 3",
        "INSERT INTO audit SELECT number + 1, at, actor, action, subject, plan, outcome, detail, previous,"
        " hash FROM audit WHERE number = 3",
    ],
)
async def test_the_database_refuses_what_is_not_added_behind_the_last(
    database: Database, audit: AuditStore, statement: str
) -> None:
    written = await audit.append([deed(1), deed(2), deed(3)])
    with pytest.raises(IntegrityError, match="only added to"):
        async with database.begin() as connection:
            await connection.execute(text(statement))
    assert [each async for each in audit.entries()] == written


async def test_the_database_refuses_what_would_replace_or_empty_it(
    database: Database, audit: AuditStore
) -> None:
    written = await audit.append([deed(1), deed(2), deed(3)])
    statement = (
        "INSERT OR REPLACE INTO audit SELECT number, at, 'U9', action, subject, plan, outcome, detail,"
        " previous, hash FROM audit WHERE number = 3"
        if database.is_sqlite
        else "TRUNCATE audit"
    )
    with pytest.raises(IntegrityError, match="only added to"):
        async with database.begin() as connection:
            await connection.execute(text(statement))
    assert [each async for each in audit.entries()] == written


async def test_the_nightly_pruning_leaves_it_alone(database: Database, audit: AuditStore) -> None:
    written = await audit.append([deed(1)])
    far = T0 + timedelta(days=10_000)
    await Store(database).prune(far, far)
    assert [each async for each in audit.entries()] == written


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", moment_text(at(9999))),
        ("at", "yesterday"),
        ("actor", "U9"),
        ("action", "silence.add"),
        ("subject", "alert:99"),
        ("plan", "ab" * 32),
        ("plan", ""),
        ("outcome", "refused"),
        ("detail", "{}"),
        ("detail", '{"level": "critical","이름":"값"}'),
        ("previous", GENESIS),
        ("hash", GENESIS),
    ],
)
@pytest.mark.parametrize("number", [1, 3, 5])
async def test_a_changed_column_is_found_and_the_entry_named(
    database: Database, audit: AuditStore, number: int, column: str, value: str
) -> None:
    if (number, column) == (1, "previous"):
        value = "ab" * 32
    await audit.append([deed(n) for n in range(1, 6)])
    await tamper(database, f"UPDATE audit SET {column} = :value WHERE number = {number}", value=value)  # noqa: S608 - the test's own words
    assert await found(audit) == [(FaultKind.CHANGED, number, number)]


async def test_a_changed_number_is_a_gap_and_an_entry_that_was_moved(
    database: Database, audit: AuditStore
) -> None:
    await audit.append([deed(n) for n in range(1, 6)])
    await tamper(database, "UPDATE audit SET number = 9 WHERE number = 3")
    assert await found(audit) == [
        (FaultKind.MISSING, 3, 3),
        (FaultKind.MISSING, 6, 8),
        (FaultKind.MOVED, 9, 9),
    ]


@pytest.mark.parametrize(("first", "last"), [(1, 1), (1, 2), (3, 3), (2, 4)])
async def test_missing_entries_are_named(
    database: Database, audit: AuditStore, first: int, last: int
) -> None:
    await audit.append([deed(n) for n in range(1, 6)])
    await tamper(database, f"DELETE FROM audit WHERE number BETWEEN {first} AND {last}")  # noqa: S608 - numbers
    assert await found(audit) == [(FaultKind.MISSING, first, last)]


async def test_a_cut_tail_is_found_beside_a_head_that_was_noted(
    database: Database, audit: AuditStore
) -> None:
    written = await audit.append([deed(n) for n in range(1, 6)])
    head = Head(5, written[-1].hash)
    await tamper(database, "DELETE FROM audit WHERE number > 3")
    assert await found(audit) == []  # what is left is whole
    assert await found(audit, head) == [(FaultKind.CUT, 4, 5)]
    await audit.append([deed(n) for n in range(6, 9)])  # and it does not help to go on
    assert await found(audit) == []
    assert await found(audit, head) == [(FaultKind.OTHER, 5, 5)]
    await tamper_again(database, "DELETE FROM audit")
    assert await found(audit, head) == [(FaultKind.CUT, 1, 5)]


async def tamper_again(database: Database, *statements: str) -> None:
    """The guards are gone already."""
    async with database.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))


@pytest.mark.parametrize(("one", "other"), [(2, 3), (1, 5), (2, 4)])
async def test_entries_that_changed_places_are_named_with_their_own_numbers(
    database: Database, audit: AuditStore, one: int, other: int
) -> None:
    await audit.append([deed(n) for n in range(1, 6)])
    await tamper(
        database,
        f"UPDATE audit SET number = 99 WHERE number = {one}",  # noqa: S608 - numbers
        f"UPDATE audit SET number = {one} WHERE number = {other}",  # noqa: S608 - numbers
        f"UPDATE audit SET number = {other} WHERE number = 99",  # noqa: S608 - numbers
    )
    faults = (await verdict(audit)).faults
    assert [(fault.kind, fault.first, fault.origin) for fault in faults] == [
        (FaultKind.MOVED, one, other),
        (FaultKind.MOVED, other, one),
    ]


INSERT = (
    "INSERT INTO audit VALUES (:number, :at, :actor, :action, :subject, :plan, :outcome, :detail, :previous,"
    " :hash)"
)


def values(entry: Entry) -> dict[str, object]:
    return {name: getattr(entry, name) for name in Entry.__slots__}


def forged(entry: Entry, **changes: object) -> Entry:
    """An entry with other values and the right hash for them."""
    made = Entry(**{**values(entry), **changes})  # type: ignore[arg-type]  # the test's own values
    return Entry(**{**values(made), "hash": hash_of(made)})  # type: ignore[arg-type]  # the same


async def put(database: Database, entry: Entry) -> None:
    await tamper(database, f"DELETE FROM audit WHERE number = {entry.number}", INSERT, **values(entry))  # noqa: S608 - a number


@pytest.mark.parametrize(
    ("number", "changes", "faults"),
    [
        (1, {"actor": "U9"}, [(FaultKind.REWRITTEN, 1, 1)]),
        (3, {"actor": "U9"}, [(FaultKind.REWRITTEN, 3, 3)]),
        (4, {"actor": "U9"}, [(FaultKind.TORN, 4, 5)]),
        (3, {"previous": "ab" * 32}, [(FaultKind.REWRITTEN, 3, 3)]),
        (1, {"previous": "ab" * 32}, [(FaultKind.REWRITTEN, 1, 1)]),
        (5, {"previous": "ab" * 32}, [(FaultKind.TORN, 4, 5)]),
        (5, {"actor": "U9"}, []),
    ],
)
async def test_an_entry_that_was_written_anew_with_its_hash_is_named(
    database: Database,
    audit: AuditStore,
    number: int,
    changes: dict[str, object],
    faults: list[tuple[FaultKind, int, int]],
) -> None:
    written = await audit.append([deed(n) for n in range(1, 6)])
    await put(database, forged(written[number - 1], **changes))
    assert await found(audit) == faults
    # The last one shows only beside a head that was noted.
    noted = (FaultKind.OTHER, 5, 5) if number == 5 else None
    assert await found(audit, Head(5, written[-1].hash)) == [*faults, *([noted] if noted else [])]


async def test_an_entry_that_was_put_in_between_is_named(database: Database, audit: AuditStore) -> None:
    written = await audit.append([deed(n) for n in range(1, 6)])
    alien = forged(written[2], actor="U9")
    await tamper(
        database,
        "UPDATE audit SET number = -number WHERE number >= 3",
        "UPDATE audit SET number = 1 - number WHERE number < 0",
    )
    async with database.begin() as connection:
        await connection.execute(text(INSERT), values(alien))
    assert await found(audit) == [
        (FaultKind.INSERTED, 3, 3),
        (FaultKind.MOVED, 4, 4),
        (FaultKind.MOVED, 5, 5),
        (FaultKind.MOVED, 6, 6),
    ]


@pytest.mark.parametrize("number", [0, -7])
async def test_an_entry_before_the_first_was_put_in(
    database: Database, audit: AuditStore, number: int
) -> None:
    written = await audit.append([deed(1), deed(2)])
    async with database.begin() as connection:
        for statement in GUARDS[database.is_sqlite]:
            await connection.execute(text(statement))
        await connection.execute(text(INSERT), values(forged(written[0], number=number)))
    assert await found(audit) == [(FaultKind.INSERTED, number, number)]


async def test_an_entry_that_was_put_behind_the_last_without_knowing_it_is_found(
    database: Database, audit: AuditStore
) -> None:
    written = await audit.append([deed(1), deed(2)])
    await put(database, forged(written[1], number=3))
    assert await found(audit) == [(FaultKind.TORN, 2, 3)]


async def test_everything_written_anew_to_the_end_shows_beside_a_noted_head(
    database: Database, audit: AuditStore
) -> None:
    written = await audit.append([deed(n) for n in range(1, 6)])
    head = Head(5, written[-1].hash)
    await tamper(database, "DELETE FROM audit WHERE number > 2")
    await audit.append([deed(n, actor="U9") for n in range(3, 6)])
    assert await found(audit) == []
    assert await found(audit, Head(2, written[1].hash), head) == [(FaultKind.OTHER, 5, 5)]


async def test_bytes_that_are_no_text_are_found_in_a_file(database: Database, audit: AuditStore) -> None:
    if not database.is_sqlite:
        return  # PostgreSQL takes none
    await audit.append([deed(n) for n in range(1, 4)])
    await tamper(database, "UPDATE audit SET actor = CAST(x'ff41' AS TEXT), at = x'00' WHERE number = 2")
    assert await found(audit) == [(FaultKind.CHANGED, 2, 2)]
    assert [each.number for each in await audit.latest(10)] == [3, 2, 1]
    await tamper_again(database, "UPDATE audit SET hash = CAST(x'ff41' AS TEXT) WHERE number = 3")
    assert (await audit.head()).number == 3
    assert await found(audit) == [(FaultKind.CHANGED, 2, 2), (FaultKind.CHANGED, 3, 3)]


async def test_the_latest_are_found_by_person_action_subject_and_outcome(audit: AuditStore) -> None:
    await audit.append(
        [
            deed(1, actor="U0ANN"),
            deed(2, actor="U0BOB", action=Action.SILENCE_ADD, subject="silence:3"),
            deed(3, actor="U0BOB", action=Action.ALERT_RESOLVE, outcome=Outcome.REFUSED),
            deed(4, actor="U0BOB", subject="100%_x"),
        ]
    )

    async def numbers(*words: str, limit: int = 10, before: int | None = None) -> Sequence[int]:
        return [each.number for each in await audit.latest(limit, words, before)]

    assert await numbers() == [4, 3, 2, 1]
    assert await numbers(limit=2) == [4, 3]
    assert await numbers(before=3) == [2, 1]
    assert await numbers("u0bob") == [4, 3, 2]
    assert await numbers("U0BOB", "silence") == [2]
    assert await numbers("refused") == [3]
    assert await numbers("alert:3") == [3]
    assert await numbers("%_") == [4]
    assert await numbers("'; DROP TABLE audit; --") == []


async def test_a_part_of_the_time_is_read(audit: AuditStore) -> None:
    await audit.append([deed(n) for n in range(1, 6)])
    since, until = moment_text(T0 + timedelta(seconds=2)), moment_text(T0 + timedelta(seconds=4))
    assert [each.number async for each in audit.entries(since, until)] == [2, 3]
    assert [each.number async for each in audit.entries(since)] == [2, 3, 4, 5]
    assert [each.number async for each in audit.entries(until=until)] == [1, 2, 3]


async def test_a_hundred_thousand_entries_are_verified_in_little_memory(
    database: Database, audit: AuditStore
) -> None:
    # The server's connection reads by the same pages: a fifth of it shows as much, in a fifth of the time.
    many = 100_000 if database.is_sqlite else 20_000
    for start in range(0, many, 10_000):
        await audit.append([deed(n) for n in range(start, start + 10_000)])
    verifier = Verifier()
    async for entry in audit.entries():
        if entry.number == many - 10_000:
            tracemalloc.start()  # what goes on growing shows in the last part too, and tracing is slow
        verifier.take(entry)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    seen = verifier.verdict()
    assert (seen.count, seen.faults) == (many, ())
    # A part of a thousand takes about 2 MB; these ten, kept, would take more than 10.
    assert peak < 6_000_000
