"""What HAProxy has counted, from `show info` and `show stat`."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.deploy.measures import Counters
from bot.tools.traffic.contract import TrafficFailed
from bot.tools.traffic.haproxy.runtime import first_line

_BACKEND = "BACKEND"
_HEADING = "# pxname,"


@dataclass(frozen=True, slots=True)
class Slots:
    """What is known of one slot."""

    counters: Counters
    in_flight: int


def read_stats(answer: str, backend: str, server: str) -> Slots:
    """The slot of that backend and that server, from the answer to `show info` and `show stat` in one.

    A request that fails may be counted twice and more: as a retry each, and in the end. That is meant: a
    release that is only there every other time must not look well because HAProxy asked it twice. Raises
    TrafficFailed: traffic_refused when there is no such backend, traffic_unreadable otherwise.
    """
    place = answer.find(_HEADING)
    if place < 0:
        last = answer.strip().splitlines()
        raise TrafficFailed("traffic_refused", last[-1][:200] if last else "")
    rows = list(csv.DictReader(answer[place + 2 :].splitlines()))
    own = _row(rows, backend, server)
    whole = _row(rows, backend, _BACKEND)
    connections, answers = _number(own, "econ"), _number(own, "eresp")
    own_5xx = _number(own, "hrsp_5xx")
    # Each of these ends in a 5xx that HAProxy makes by itself, on the backend's row alone. What is there
    # beside them was never sent to a server: the backend had none, or its queue was too long.
    unserved = max(0, _number(whole, "hrsp_5xx") - own_5xx - connections - answers)
    repeated = _number(own, "wretr") + _number(own, "wredis")
    counters = Counters(
        requests=_number(whole, "req_tot"),  # the server's `stot` has its retries in it
        errors=own_5xx + connections + answers + unserved + repeated,
        epoch=_epoch(answer[:place]),
    )
    # `scur` are sessions with the server, the queues hold what waits for a place there.
    return Slots(counters, _number(own, "scur") + _number(own, "qcur") + _number(whole, "qcur"))


def _row(rows: list[dict[str, str]], backend: str, server: str) -> Mapping[str, str]:
    for row in rows:
        if row.get("pxname") == backend and row.get("svname") == server:
            return row
    raise TrafficFailed("traffic_refused", f"HAProxy has no {backend}/{server}")


def _number(row: Mapping[str, str], name: str) -> int:
    text = row.get(name) or "0"  # HAProxy leaves empty what it never counts there
    if not text.isdecimal():
        raise TrafficFailed("traffic_unreadable", f"{name}: {text[:50]!r}")
    return int(text)


def _epoch(information: str) -> str:
    """Another one for every process: a reload is a new process, and a restarted container may get the same
    number."""
    facts = dict(line.split(": ", 1) for line in information.splitlines() if ": " in line)
    try:
        return f"{int(facts['Pid'])}@{int(facts['Start_time_sec'])}"
    except (KeyError, ValueError):
        raise TrafficFailed("traffic_unreadable", first_line(information)) from None
