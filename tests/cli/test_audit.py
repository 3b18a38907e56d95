"""`guardian audit`: what it says of a log that is whole, and of one that somebody changed."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.audit import EMPTY, Action, Deed, Entry, Head
from bot.store.audit import AuditStore
from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from bot.store.schema import HEAD
from tests.cli.conftest import Result
from tests.factories import T0

Guardian = Callable[..., Result]
DOCUMENT = Path(__file__).parents[2] / "docs" / "audit.md"


def write(url: str, count: int, **changes: object) -> list[Entry]:
    """A log of so many entries, an hour apart from 2026-03-01 18:00 in Seoul on."""

    def deed(number: int) -> Deed:
        values: dict[str, object] = {
            "at": T0 + timedelta(hours=number),
            "actor": "U1",
            "action": Action.SILENCE_ADD,
            "subject": f"silence:{number}",
            "detail": {"reason": "배포"},
        }
        return Deed(**{**values, **changes})  # type: ignore[arg-type]  # the test's own values

    async def work() -> list[Entry]:
        database = await Database.open(url)
        try:
            return await AuditStore(database).append([deed(number) for number in range(count)])
        finally:
            await database.close()

    return asyncio.run(work())


@pytest.fixture
def url(store_url: str, guardian: Guardian, monkeypatch: pytest.MonkeyPatch) -> str:
    """The database that the configuration names."""
    monkeypatch.setenv("DATABASE_URL", store_url)
    return store_url


def change(url: str, statement: str) -> None:
    """What somebody does who owns the database."""

    async def work() -> None:
        database = await Database.open(url)
        try:
            async with database.begin() as connection:
                if database.is_sqlite:
                    for name in ("no_update", "no_delete", "only_behind"):
                        await connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS audit_{name}")
                else:
                    await connection.exec_driver_sql("ALTER TABLE audit DISABLE TRIGGER USER")
                await connection.exec_driver_sql(statement)
        finally:
            await database.close()

    asyncio.run(work())


def test_a_whole_log_is_said_to_be_whole_with_its_head(guardian: Guardian, url: str) -> None:
    written = write(url, 3)
    head = Head(3, written[-1].hash)
    result = guardian("audit", "verify")
    assert (result.code, result.out, result.err) == (0, f"이상 없음: 기록 3건, 머리 {head}\n", "")
    result = guardian("audit", "verify", "--expect", str(head), "--expect", f"2:{written[1].hash}")
    assert result.code == 0
    assert guardian("audit", "verify", "--expect", str(EMPTY)).code == 0
    assert "Whole: entries 3" in guardian("--language", "en", "audit", "verify").out


def test_faults_are_named(guardian: Guardian, url: str) -> None:
    written = write(url, 6)
    change(url, "UPDATE audit SET actor = 'U9' WHERE number = 2")
    change(url, "DELETE FROM audit WHERE number IN (4, 6)")
    result = guardian("audit", "verify", "--expect", f"6:{written[-1].hash}")
    assert result.code == 1
    lines = result.out.splitlines()
    assert lines[0].startswith("#2: 쓴 뒤에 내용이 바뀌었습니다. 지금 내용: 2026-03-01T10:00:00.000000Z · U9")
    assert lines[1] == "#4: 없어졌습니다 (1건)."
    assert lines[2] == f"#6: 끝이 잘렸습니다 (1건). 적어 둔 머리: 6:{written[-1].hash}"
    assert lines[3] == f"이상 3가지: 기록 4건, 머리 5:{written[4].hash}"
    english = guardian("--language", "en", "audit", "verify").out
    assert "#2: changed after it was written." in english
    assert "#4: missing (1)." in english


def test_very_many_faults_are_not_all_printed(guardian: Guardian, url: str) -> None:
    write(url, 130)
    change(url, "UPDATE audit SET actor = 'U9'")
    result = guardian("audit", "verify")
    assert result.code == 1
    assert len(result.out.splitlines()) == 102
    assert "그 밖에 30가지가 더 있습니다." in result.out


def test_other_heads_are_named(guardian: Guardian, url: str) -> None:
    write(url, 3)
    result = guardian("audit", "verify", "--expect", "2:" + "ab" * 32)
    assert result.code == 1
    assert "#2: 적어 둔 머리와 다릅니다." in result.out


def test_it_is_exported_as_it_is_hashed(guardian: Guardian, url: str) -> None:
    written = write(url, 3)
    result = guardian("audit", "export")
    assert (result.code, result.err) == (0, "")
    rows = [json.loads(line) for line in result.out.splitlines()]
    assert [Entry(**row) for row in rows] == written


def test_days_and_moments_are_those_of_the_time_zone(guardian: Guardian, url: str) -> None:
    write(url, 12)  # from 18:00 on the first of March to 05:00 on the second, in Seoul

    def exported(*options: str) -> int:
        result = guardian("audit", "export", *options)
        assert result.code == 0, result.err
        return len(result.out.splitlines())

    assert exported("--since", "2026-03-02") == 6
    assert exported("--until", "2026-03-01") == 6
    assert exported("--since", "2026-03-01T20:00", "--until", "2026-03-01T22:00") == 2
    assert exported("--since", "2026-03-01T11:00:00Z", "--until", "2026-03-01T13:00:00+00:00") == 2
    assert exported("--since", "2027-01-01") == 0


def test_cells_that_a_spreadsheet_would_work_out_are_made_texts(guardian: Guardian, url: str) -> None:
    for text in ("=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1", 'a"b,c\nd'):
        write(url, 1, subject=text)
    result = guardian("audit", "export", "--format", "csv")
    assert result.code == 0
    assert result.out.startswith('\ufeff"number","at","actor"')
    rows = list(csv.DictReader(io.StringIO(result.out.removeprefix("\ufeff"), newline="")))
    subjects = [row["subject"] for row in rows]
    assert subjects == [
        "'=cmd|' /C calc'!A0", "'+1", "'-1", "'@SUM(A1)", "'\t=1", "' =1", "'＝1", 'a"b,c\nd',
    ]  # fmt: skip
    assert rows[0]["plan"] == ""
    assert rows[0]["detail"] == '{"reason":"배포"}'


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["verify", "--expect", "7"], "--expect를 읽을 수 없습니다: 7"),
        (["export", "--since", "yesterday"], "--since에 쓸 수 없는 값입니다: yesterday"),
        (["export", "--until", "0001-01-01T00:00+14:00"], "--until에 쓸 수 없는 값입니다"),
        (["export", "--until", "9999-12-31"], "--until에 쓸 수 없는 값입니다"),
        (["export", "--since", "2026-03-02", "--until", "2026-03-01"], "--until이 --since보다 앞섭니다"),
        (["export", "--format", "xml"], "xml"),
        (["verfy"], "verfy"),
    ],
)
def test_what_cannot_be_used_is_said(
    guardian: Guardian, tmp_path: Path, arguments: list[str], said: str
) -> None:
    write(f"sqlite+aiosqlite:///{tmp_path / 'state' / 'guardian.db'}", 1)
    result = guardian("audit", *arguments)
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize("command", ["verify", "export"])
def test_without_a_database_nothing_is_made(guardian: Guardian, tmp_path: Path, command: str) -> None:
    result = guardian("audit", command)
    assert result.code == 2
    assert "감사 기록을 읽을 수 없습니다" in result.err
    assert "수호자를 한 번 시작하면" in result.err
    assert not (tmp_path / "state").exists()


def test_what_is_no_database_of_ours_is_said(guardian: Guardian, tmp_path: Path) -> None:
    file = tmp_path / "state" / "guardian.db"
    file.parent.mkdir()
    file.write_text("x" * 5000)
    assert "not a database" in guardian("audit", "verify").err
    file.unlink()
    sqlite3.connect(file).close()
    result = guardian("audit", "verify")
    assert result.code == 2
    assert "no tables of a Guardian" in result.err


def test_a_schema_of_another_version_is_said(guardian: Guardian, url: str) -> None:
    write(url, 1)
    for statement, said in (
        ("UPDATE alembic_version SET version_num = '0003'", "한 번 시작하면"),
        ("UPDATE alembic_version SET version_num = '9999'", "더 새로운 수호자로"),
    ):
        change(url, statement)
        result = guardian("audit", "verify")
        assert (result.code, result.out) == (2, "")
        assert said in result.err
        set_back(url)


def set_back(url: str) -> None:
    async def work() -> None:
        from sqlalchemy.ext.asyncio import create_async_engine

        engine = create_async_engine(url)
        async with engine.begin() as connection:
            await connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{HEAD}'")  # noqa: S608 - a constant of ours
        await engine.dispose()

    asyncio.run(work())


def test_a_server_that_is_away_is_said(guardian: Guardian, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://guardian:geheim@127.0.0.1:1/guardian")
    result = guardian("audit", "verify")
    assert result.code == 2
    assert "감사 기록을 읽을 수 없습니다" in result.err
    assert "geheim" not in result.err


def test_it_is_read_while_somebody_writes_and_nothing_is_changed(guardian: Guardian, tmp_path: Path) -> None:
    file = tmp_path / "state" / "guardian.db"
    write(f"sqlite+aiosqlite:///{file}", 3)
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO marks VALUES ('x', 'y')")
        assert guardian("audit", "verify").code == 0
        writer.execute("COMMIT")
    before = file.read_bytes()
    file.chmod(0o400)
    assert guardian("audit", "verify").code == 0
    assert guardian("audit", "export").code == 0
    assert file.read_bytes() == before


def test_a_database_that_is_opened_to_read_takes_no_writing(url: str) -> None:
    write(url, 1)

    async def work() -> None:
        database = await Database.open_to_read(url)
        try:
            with pytest.raises(StoreUnavailable, match=r"read-?only"):
                async with database.begin() as connection:
                    await connection.exec_driver_sql("INSERT INTO marks VALUES ('x', 'y')")
        finally:
            await database.close()

    asyncio.run(work())


def test_an_export_is_checked_without_a_guardian_as_the_document_says(
    guardian: Guardian, url: str, tmp_path: Path
) -> None:
    written = write(url, 5)
    script = re.findall(r"^```python\n(.*?)^```$", DOCUMENT.read_text(encoding="utf-8"), re.S | re.M)[0]
    (tmp_path / "check.py").write_text(script, encoding="utf-8")

    def checked() -> str:
        export = guardian("audit", "export").out
        done = subprocess.run(
            [sys.executable, "-I", str(tmp_path / "check.py")],
            input=export.encode(),
            capture_output=True,
            check=False,
            env={"PATH": os.environ["PATH"]},
        )
        return done.stdout.decode() + done.stderr.decode()

    assert checked().strip() == f"5:{written[-1].hash}"
    change(url, "UPDATE audit SET subject = 'x' WHERE number = 3")
    assert "3" in checked()
    assert written[-1].hash not in checked()


def test_help_names_both_commands(guardian: Guardian) -> None:
    result = guardian("audit", "--help")
    assert result.code == 0
    assert "verify" in result.out
    assert "export" in result.out
    assert "audit" in guardian().out
