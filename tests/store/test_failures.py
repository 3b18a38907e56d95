"""A database that cannot be used says so in the store's own errors."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store.changes import NewAlert
from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from bot.store.store import Store
from tests.factories import alert, subject


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path / 'guardian.db'}")
    yield database
    await database.close()


async def test_a_full_disk_is_unavailable_and_reading_goes_on(sqlite: Database) -> None:
    store = Store(sqlite)
    await store.write([NewAlert(alert())])
    async with sqlite.begin() as connection:
        await connection.exec_driver_sql("PRAGMA max_page_count = 1")
    with pytest.raises(StoreUnavailable) as caught:
        for number in range(10_000):
            big = alert(id=100 + number, subject=subject(target=f"t{number}"), facts={"x": "y" * 4000})
            await store.write([NewAlert(big)])
    assert "full" in caught.value.detail
    assert await store.alert(7) == alert()


async def test_a_read_only_database_is_unavailable_without_statement_or_values(store_url: str) -> None:
    database = await Database.open(store_url)
    try:
        store = Store(database)
        await store.write([NewAlert(alert())])
        async with database.begin() as connection:
            await connection.exec_driver_sql(
                "PRAGMA query_only = ON"
                if database.is_sqlite
                else "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"
            )
        with pytest.raises(StoreUnavailable) as caught:
            await store.write([NewAlert(alert(id=8, acked_by="secret"))])
        assert "INSERT INTO" not in caught.value.detail
        assert "secret" not in caught.value.detail
        assert await store.alert(7) == alert()
    finally:
        await database.close()


async def test_a_damaged_file_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "guardian.db"
    database = await Database.open(f"sqlite+aiosqlite:///{path}")
    await Store(database).write([NewAlert(alert())])
    await database.close()
    damaged = bytearray(path.read_bytes())
    damaged[4096:] = b"\xff" * (len(damaged) - 4096)  # the header stays, and with it the look of a database
    path.write_bytes(damaged)
    with pytest.raises(StoreUnavailable) as caught:
        await Database.open(f"sqlite+aiosqlite:///{path}")
    assert "malformed" in caught.value.detail


async def test_a_locked_file_is_unavailable_when_the_wait_is_over(sqlite: Database, tmp_path: Path) -> None:
    async with sqlite.begin() as connection:
        await connection.exec_driver_sql("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(tmp_path / "guardian.db", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked"):
            await Store(sqlite).write([NewAlert(alert())])
        assert await Store(sqlite).alert(7) is None, "a reader waits for no writer"
        other.execute("COMMIT")
    finally:
        other.close()
    await Store(sqlite).write([NewAlert(alert())])


async def test_nothing_to_write_asks_nothing_of_the_database(sqlite: Database) -> None:
    async with sqlite.begin() as connection:
        await connection.exec_driver_sql("PRAGMA query_only = ON")
    await Store(sqlite).write([])
    await Store(sqlite).add_readings([])
