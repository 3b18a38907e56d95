"""Plain sqlite3 that commits one row a step: STEPS of them in the new file FILE."""

from __future__ import annotations

import json
import sqlite3
import sys
import time


def _run(file: str, steps: int) -> dict[str, list[float]]:
    rows = sqlite3.connect(file, isolation_level=None)
    rows.execute("PRAGMA journal_mode = WAL")
    rows.execute("PRAGMA synchronous = FULL")
    rows.execute("CREATE TABLE steps (number INTEGER PRIMARY KEY, result TEXT NOT NULL)")
    took = []
    for number in range(steps):
        began = time.perf_counter()
        rows.execute("INSERT INTO steps (number, result) VALUES (?, 'done')", (number,))
        took.append(time.perf_counter() - began)
    return {"steps": took}


if __name__ == "__main__":
    print(json.dumps(_run(sys.argv[1], int(sys.argv[2]))))
