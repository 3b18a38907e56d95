"""Writing behind: values in memory reach SQLite within moments, in a thread of their own."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import structlog
from pydantic import TypeAdapter

_log = structlog.get_logger(__name__)
_RETRY_SECONDS = 1.0
_LOCK_SECONDS = 0.5

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    place INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (kind, key)
)
"""
_PUT = """
INSERT INTO records (kind, key, body) VALUES (?, ?, ?)
ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body
"""
"""A value that is replaced keeps its place, so that things are read back in the order they were made."""


class Journal:
    """A table of JSON documents by kind and key.

    `put` returns at once; later values of the same key replace earlier ones that weren't written yet. A disk
    that can't be written keeps everything in memory and is tried again every second. A value that can never
    be written is logged and left out.
    """

    def __init__(self, path: Path, kinds: Mapping[str, TypeAdapter[object]]) -> None:
        self._kinds = kinds
        self._waiting: dict[tuple[str, str], object | None] = {}
        self._condition = threading.Condition()
        self._closing = False
        self._busy = False
        self.failures = 0
        """how many attempts to write failed"""
        path.touch(mode=0o600)  # tokens are in it
        self._connection = sqlite3.connect(
            path, timeout=_LOCK_SECONDS, check_same_thread=False, isolation_level=None
        )
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute(_SCHEMA)
        self._thread = threading.Thread(target=self._write_forever, name="workspace-journal", daemon=True)
        self._thread.start()

    def load(self, kind: str) -> Iterator[tuple[str, object]]:
        """All stored values of a kind with their keys, oldest first. Raises ValueError on nonsense."""
        adapter = self._kinds[kind]
        rows = self._connection.execute(
            "SELECT key, body FROM records WHERE kind = ? ORDER BY place", (kind,)
        )
        for key, body in rows.fetchall():
            yield key, adapter.validate_json(body)

    def put(self, kind: str, key: str, value: object | None) -> None:
        """Store a value, or with None forget it."""
        with self._condition:
            self._waiting[kind, key] = value
            self._condition.notify_all()

    def flush(self) -> None:
        """Return when all that was put before is written. Blocks."""
        with self._condition:
            self._condition.wait_for(lambda: not self._waiting and not self._busy)

    def wait_for_trouble(self) -> None:
        """Return when an attempt to write has failed. Blocks."""
        with self._condition:
            self._condition.wait_for(lambda: self.failures > 0)

    def close(self) -> None:
        """Write what is waiting and close. Blocks."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        self._thread.join()
        self._connection.close()

    def _write_forever(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._waiting or self._closing)
                if not self._waiting:
                    return
                batch, self._waiting = self._waiting, {}
                self._busy = True
            written = self._write(batch)
            with self._condition:
                self._busy = False
                if not written:
                    self.failures += 1
                    self._waiting = {**batch, **self._waiting}
                    if self._closing:
                        return
                self._condition.notify_all()
                if not written:
                    self._condition.wait_for(lambda: self._closing, timeout=_RETRY_SECONDS)

    def _row(self, kind: str, key: str, value: object) -> tuple[str, str, str] | None:
        """What is stored of a value; None when it never can be: it stays in memory only."""
        try:
            key.encode()
            return kind, key, self._kinds[kind].dump_json(value).decode()
        except Exception:  # noqa: BLE001 - whatever one value is, those beside it must be written
            _log.exception("workspace_value_not_saved", kind=kind, key=ascii(key))
            return None

    def _write(self, batch: Mapping[tuple[str, str], object | None]) -> bool:
        rows = [
            row
            for (kind, key), value in batch.items()
            if value is not None and (row := self._row(kind, key, value)) is not None
        ]
        gone = [key for key, value in batch.items() if value is None]
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(_PUT, rows)
            self._connection.executemany("DELETE FROM records WHERE kind = ? AND key = ?", gone)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            _log.error("workspace_not_saved", error=str(error), waiting=len(batch))
            return False
        return True


def as_json(value: object) -> str:
    """JSON without spaces, with its Korean as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
