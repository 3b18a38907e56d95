"""A real database: dumped into a backup, restored from it, and the same."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import psycopg
import pytest

from bot.domain.backup.sources import Dump, Source, SourceKind
from bot.engine.operations.backup.restore import RestoreBackup
from tests.components import missing, postgres_programs
from tests.engine.operations.backup.conftest import Yard
from tests.postgres import Cluster

pytestmark = pytest.mark.postgres


@pytest.fixture
def programs() -> Path:
    """Where pg_dump and psql are."""
    found = postgres_programs()
    if found is None:
        missing("PostgreSQL", "apt-get install postgresql")
    return found


def sql(cluster: Cluster, database: str, text: str) -> list[tuple[object, ...]]:
    """Run it and give what comes back."""
    with psycopg.connect(cluster.conninfo(database), autocommit=True) as connection:
        cursor = connection.execute(text.encode())
        return cursor.fetchall() if cursor.description else []


async def test_a_database_comes_back_as_it_was(
    yard: Yard, postgres_cluster: Cluster, programs: Path
) -> None:  # fmt: skip
    for name in ("shop", "shop_again"):
        sql(postgres_cluster, "postgres", f"DROP DATABASE IF EXISTS {name}")
        sql(postgres_cluster, "postgres", f"CREATE DATABASE {name}")
    orders = "SELECT n, md5(n::text) AS what FROM generate_series(1, 20000) n"
    sql(postgres_cluster, "shop", f"CREATE TABLE orders AS {orders}")
    dump = Dump((str(programs / "pg_dump"), postgres_cluster.conninfo("shop")), "shop.sql")
    yard.sources = [Source("shop", SourceKind.DATABASE, dump=dump)]
    assert (await yard.now()).failed == []
    target = yard.folder / "restored"
    request = {"source": "shop", "target": str(target)}
    assert (await yard.run(RestoreBackup(yard.vault), request)).failed == []

    psql = [str(programs / "psql"), "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-f", str(target / "shop.sql")]
    load = [*psql, postgres_cluster.conninfo("shop_again")]
    await asyncio.to_thread(subprocess.run, load, check=True, capture_output=True)
    digest = "SELECT count(*), md5(string_agg(what, '' ORDER BY n)) FROM orders"
    assert sql(postgres_cluster, "shop_again", digest) == sql(postgres_cluster, "shop", digest)


async def test_a_database_that_goes_away_during_the_dump_leaves_no_backup(
    yard: Yard, postgres_cluster: Cluster, programs: Path
) -> None:
    dump = Dump((str(programs / "pg_dump"), postgres_cluster.conninfo("no_such")), "no_such.sql")
    yard.sources = [Source("no_such", SourceKind.DATABASE, dump=dump)]
    ran = await yard.now()
    assert ran.reasons["backup_take"] == "dump_failed"
    assert "no_such" in str(ran.failed[0][1].values["said"])
    assert await yard.restic.snapshots(yard.local) == []
