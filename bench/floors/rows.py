"""Plain sqlite3 on the rows that the Guardian has: what a tick and a list read and write, ROUNDS times each.

FILE is a database of the Guardian's, stocked at BEGAN; it gets an index that this needs.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bench.stocked import FIRST_DUE

_DUE = "SELECT * FROM alerts WHERE next_step_at <= ? ORDER BY next_step_at LIMIT 500"
_INDEX = "CREATE INDEX IF NOT EXISTS bench_due ON alerts (next_step_at) WHERE next_step_at IS NOT NULL"
_LATER = "UPDATE alerts SET next_step = next_step + 1, next_step_at = ?, pages = pages + 1 WHERE id = ?"
_PAGE = (
    "INSERT INTO pages (alert_id, epoch, round, step, at, recipients, level, metric)"
    " VALUES (?, 1, 1, 1, ?, '[]', 3, 'DiskWillFill')"
)
_OPEN = "SELECT * FROM alerts WHERE status IN ('firing', 'acked') ORDER BY level DESC, id LIMIT 20"
_COUNT = "SELECT count(*) FROM alerts WHERE status IN ('firing', 'acked')"
_LATEST = "SELECT * FROM alerts WHERE status != 'pending' ORDER BY id DESC LIMIT 20"


def _took(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _run(file: str, began_at: datetime, rounds: int) -> dict[str, list[float]]:
    rows = sqlite3.connect(file, isolation_level=None)
    rows.execute("PRAGMA synchronous = FULL")
    rows.execute(_INDEX)
    now = began_at.astimezone(UTC).replace(tzinfo=None) + FIRST_DUE - timedelta(seconds=60)
    told: dict[str, list[float]] = {"quiet": [], "due": [], "open": [], "latest": [], "done": []}

    def tick() -> None:
        moment, later = (f"{each:%Y-%m-%d %H:%M:%S.%f}" for each in (now, now + timedelta(days=1)))
        due = rows.execute(_DUE, (moment,)).fetchall()
        told["done"].append(len(due))
        if due:
            rows.execute("BEGIN IMMEDIATE")
            rows.executemany(_LATER, [(later, row[0]) for row in due])
            rows.executemany(_PAGE, [(row[0], moment) for row in due])
            rows.execute("COMMIT")

    for _ in range(rounds):
        for what in ("quiet", "due"):
            now += timedelta(seconds=30)
            told[what].append(_took(tick))
        told["open"].append(_took(lambda: (rows.execute(_OPEN).fetchall(), rows.execute(_COUNT).fetchall())))
        told["latest"].append(_took(lambda: rows.execute(_LATEST).fetchall()))
    return told


if __name__ == "__main__":
    print(json.dumps(_run(sys.argv[1], datetime.fromisoformat(sys.argv[2]), int(sys.argv[3]))))
