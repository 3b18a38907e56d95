"""What is written behind is written in the end, also when the disk refuses for a while."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from pydantic import TypeAdapter
from structlog.testing import capture_logs

from bot.workspace.journal import Journal


def journal(path: Path) -> Journal:
    return Journal(path / "j.sqlite3", {"word": TypeAdapter(object)})


def test_values_come_back_in_the_order_they_were_made(tmp_path: Path) -> None:
    first = journal(tmp_path)
    for key in "cab":
        first.put("word", key, key.upper())
        first.flush()
    first.put("word", "c", "changed")
    first.put("word", "a", None)
    first.close()
    second = journal(tmp_path)
    assert list(second.load("word")) == [("c", "changed"), ("b", "B")]
    second.close()


def test_a_database_that_refuses_is_tried_again(tmp_path: Path) -> None:
    writing = journal(tmp_path)
    blocker = sqlite3.connect(tmp_path / "j.sqlite3", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    writing.put("word", "a", "first")
    writing.wait_for_trouble()
    writing.put("word", "b", "second")
    blocker.execute("ROLLBACK")
    writing.flush()
    rows = blocker.execute("SELECT key FROM records ORDER BY key").fetchall()
    blocker.close()
    writing.close()
    assert rows == [("a",), ("b",)]


def test_a_value_that_can_never_be_written_costs_only_itself(tmp_path: Path) -> None:
    writing = journal(tmp_path)
    with capture_logs() as logs:
        writing.put("word", "bad", "\ud800")
        writing.put("word", "\ud800", "bad")
        writing.put("word", "good", "still written")
        writing.flush()
        writing.put("word", "later", "written too")
        writing.flush()
    writing.close()
    again = journal(tmp_path)
    assert list(again.load("word")) == [("good", "still written"), ("later", "written too")]
    again.close()
    assert [entry["event"] for entry in logs] == ["workspace_value_not_saved"] * 2


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    journal(tmp_path).close()
    assert (tmp_path / "j.sqlite3").stat().st_mode & 0o777 == 0o600
