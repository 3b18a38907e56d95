"""The alert machine alone: judges COUNT readings of KEYS series, 15 s apart, without I/O."""

from __future__ import annotations

import gc
import json
import sys
import time
from datetime import UTC, datetime, timedelta

from bench.readings import rounds
from bot.config import RuleBook, Settings
from bot.domain.alerts.lifecycle import step
from bot.domain.alerts.model import Alert, Condition, Measured, PostCard, Subject
from bot.domain.alerts.surroundings import Plain
from probes.base import Layer

_INTERVAL = timedelta(seconds=15)
_BEGAN = datetime(2026, 1, 5, tzinfo=UTC)


def _run(count: int, keys: int) -> dict[str, list[float]]:
    rule = RuleBook(Settings()).rule_for("cpu_usage", "web-1", Layer.INFRASTRUCTURE)
    around = Plain("alerts")
    subjects = [
        Subject("bench", f"cpu:web-{number}", "cpu_usage", f"web-{number}", Condition.THRESHOLD)
        for number in range(keys)
    ]
    known: list[Alert | None] = [None] * keys
    in_a_row, apart = _INTERVAL * 3, timedelta(seconds=1)
    bad = opened = done = 0
    took = 0.0
    gc.freeze()  # as the Guardian does at its start
    for number, values in enumerate(rounds(count, keys)):
        now = _BEGAN + number * _INTERVAL
        began = time.perf_counter()
        for key, value in enumerate(values):
            event = Measured(value, now, in_a_row=in_a_row, apart=apart)
            decision = step(rule, subjects[key], known[key], event, now, around)
            known[key] = decision.alert
            if decision.effects:
                opened += isinstance(decision.effects[0], PostCard)
        took += time.perf_counter() - began
        done += len(values)
        bad += sum(alert is not None and alert.last_bad for alert in known)
    still_open = sum(alert is not None and alert.status.is_open for alert in known)
    return {"a_second": [done / took], "bad": [bad], "opened": [opened], "open": [still_open]}


if __name__ == "__main__":
    print(json.dumps(_run(int(sys.argv[1]), int(sys.argv[2]))))
