"""Bare Python: compares each of COUNT readings of KEYS series with a bound and counts the bad in a row."""

from __future__ import annotations

import json
import sys
import time

from bench.readings import BOUND, rounds


def judge(value: float, in_a_row: int) -> int:
    """How many in a row are bad now."""
    return in_a_row + 1 if value > BOUND else 0


def _run(count: int, keys: int) -> dict[str, list[float]]:
    known = [0] * keys
    bad = opened = done = 0
    took = 0.0
    for values in rounds(count, keys):
        began = time.perf_counter()
        for key, value in enumerate(values):
            now = judge(value, known[key])
            known[key] = now
            if now:
                bad += 1
                opened += now == 2
        took += time.perf_counter() - began
        done += len(values)
    return {"a_second": [done / took], "bad": [bad], "opened": [opened]}


if __name__ == "__main__":
    print(json.dumps(_run(int(sys.argv[1]), int(sys.argv[2]))))
