"""The schema: migrations make what the tables say, and what cannot be used is refused."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, insert, inspect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

import bot.store.schema as schema
from bot.domain.alerts.ladder import Policy, Target, TargetKind
from bot.store.changes import NewAlert
from bot.store.database import Database
from bot.store.errors import StoreUnavailable, StoreUnusable
from bot.store.policies import kept_policy
from bot.store.rows import ALERT_COLUMNS, LETTER_COLUMNS, alert_row, letter_row
from bot.store.store import Store
from bot.store.tables import metadata
from messages.facts import StormDigestFacts, StormDigestGroup, StormLine
from tests.factories import T0, alert, letter, subject


def script() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True}
    )
    return list(compare_metadata(context, metadata))


async def test_migrations_make_the_tables_that_the_code_knows(database: Database) -> None:
    async with database.read() as connection:
        assert await connection.run_sync(differences) == []


def shape(connection: Connection) -> dict[str, object]:
    """What a SQLite file consists of, without the order of columns, which migrations can't choose."""
    tables = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
    indexes = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'index'").all()
    columns = {
        name: sorted(tuple(row)[1:] for row in connection.exec_driver_sql(f"PRAGMA table_info({name})").all())
        for name in tables
    }
    keys = {name: connection.exec_driver_sql(f"PRAGMA foreign_key_list({name})").all() for name in tables}
    version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all()
    triggers = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE type = 'trigger'").scalars()
    return {
        "columns": columns,
        "indexes": sorted(map(tuple, indexes)),
        "keys": keys,
        "triggers": sorted(triggers.all()),
        "version": version,
    }


async def test_a_new_file_is_what_the_migrations_make() -> None:
    shapes: list[dict[str, object]] = []
    for make in (schema.create, schema.upgrade):
        engine = create_async_engine("sqlite+aiosqlite://")
        async with engine.begin() as connection:
            await connection.run_sync(make)
            shapes.append(await connection.run_sync(shape))
            assert await connection.run_sync(differences) == []
        await engine.dispose()
    assert shapes[0] == shapes[1]
    assert shapes[0]["version"] == [schema.HEAD]


def test_the_newest_migration_is_the_head() -> None:
    assert script().get_heads() == [schema.HEAD]


def test_migrations_sort_as_they_follow_each_other() -> None:
    # A newer schema is recognised by its name.
    revisions = [revision.revision for revision in script().walk_revisions()][::-1]
    assert revisions == sorted(revisions)


async def test_opening_again_finds_what_was_written(empty_store_url: str) -> None:
    for attempt in range(3):
        database = await Database.open(empty_store_url)
        try:
            store = Store(database)
            if attempt == 0:
                await store.write([NewAlert(alert())])
            assert await store.alert(7) == alert()
        finally:
            await database.close()


async def test_what_the_schema_before_knew_is_known_as_the_newest_one_has_it(empty_store_url: str) -> None:
    pager = Policy("pager", ((Target(TargetKind.PERSON, "U1"),),))
    rest = Policy("rest")
    before = [alert(id=1, policy=pager), alert(id=2, policy=rest), alert(id=3, policy=pager)]
    alerts = [each._replace(subject=subject(target=f"t{each.id}")) for each in (*before, alert(id=4))]
    engine = create_async_engine(empty_store_url)
    async with engine.begin() as connection:
        await connection.run_sync(schema.upgrade, "0002")
        for each in alerts:  # as it was written then: the text in the row
            row = dict(zip(ALERT_COLUMNS, alert_row(each), strict=True))
            row["policy"] = kept_policy(each.policy).text if each.policy else None
            await connection.execute(insert(metadata.tables["alerts"]).values(row))
        happened = [("t0", "opened"), ("t1", "resolved"), ("t2", "opened")]
        lines = [asdict(StormLine(what, 1, "error", "m", "", target, "")) for target, what in happened]
        digest = letter(9, template="storm_digest", facts={"storm": 2, "lines": lines})
        row = dict(zip(LETTER_COLUMNS, letter_row(digest), strict=True))
        await connection.execute(insert(metadata.tables["letters"]).values(row))
    await engine.dispose()
    database = await Database.open(empty_store_url)
    try:
        assert await Store(database).live_alerts(T0) == alerts
        async with database.read() as connection:
            kept = (await connection.exec_driver_sql("SELECT text FROM policies")).scalars().all()
        assert sorted(kept) == sorted(kept_policy(each).text for each in (pager, rest))
        (waiting,) = await Store(database).queued_letters()
        same = ("error", "m", "", "")
        told = (StormDigestGroup("opened", *same, ("t0", "t2")), StormDigestGroup("resolved", *same, ("t1",)))
        assert waiting.facts == StormDigestFacts(2, told).as_json()
    finally:
        await database.close()


async def test_a_newer_schema_is_refused_and_left_as_it_is(empty_store_url: str) -> None:
    database = await Database.open(empty_store_url)
    async with database.begin() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    await database.close()
    for _ in range(2):
        with pytest.raises(StoreUnusable) as caught:
            await Database.open(empty_store_url)
        assert caught.value.code == "newer_schema"
        assert "9999" in caught.value.detail


async def test_an_upgrade_that_fails_half_way_leaves_nothing(empty_store_url: str) -> None:
    engine = create_async_engine(empty_store_url)
    try:
        async with engine.begin() as connection:  # in the way of the first migration, after it made "alerts"
            await connection.exec_driver_sql("CREATE TABLE letters (id INTEGER)")
        with pytest.raises((DBAPIError, StoreUnavailable)):
            await Database.open(empty_store_url)
        async with engine.connect() as connection:
            tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        assert tables == ["letters"]
        async with engine.begin() as connection:
            await connection.exec_driver_sql("DROP TABLE letters")
    finally:
        await engine.dispose()
    database = await Database.open(empty_store_url)
    await database.close()


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "guardian.db"
    path.write_text("monitoring:\n  cpu: 70\n" * 100)
    before = path.read_bytes()
    with pytest.raises(StoreUnusable) as caught:
        await Database.open(f"sqlite+aiosqlite:///{path}")
    assert caught.value.code == "not_a_database"
    assert path.read_bytes() == before


async def test_a_folder_is_made_and_one_that_cannot_be_is_refused(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path / 'a' / 'b' / 'guardian.db'}")
    await database.close()
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnusable) as caught:
        await Database.open(f"sqlite+aiosqlite:///{tmp_path / 'file' / 'guardian.db'}")
    assert caught.value.code == "no_directory"


async def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "guardian.db").mkdir()
    with pytest.raises(StoreUnusable) as caught:
        await Database.open(f"sqlite+aiosqlite:///{tmp_path / 'guardian.db'}")
    assert caught.value.code == "cannot_open"


async def test_whoever_reads_while_the_file_is_made_is_not_kept_out(tmp_path: Path) -> None:
    path = tmp_path / "guardian.db"
    opening = asyncio.create_task(Database.open(f"sqlite+aiosqlite:///{path}"))
    while not opening.done():
        await asyncio.sleep(0)
        if path.exists():
            # In this thread: a lock kept from one turn of the loop to the next would never be given up.
            with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as beside:
                beside.execute("SELECT count(*) FROM sqlite_master").fetchall()
    await (await opening).close()


async def test_a_server_that_is_not_there_may_be_there_later(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        await Database.open(f"postgresql+psycopg://guardian@/guardian?host={tmp_path}")


async def test_it_knows_which_kind_it_is(database: Database, store_url: str) -> None:
    assert database.is_sqlite == store_url.startswith("sqlite")
