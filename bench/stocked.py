"""A database that has seen much: thousands of open alerts, and a long history of those that are over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.domain.alerts.ladder import Policy, Progress
from bot.domain.alerts.model import Alert, Condition, Status, Subject
from bot.domain.alerts.reasons import Reason
from bot.domain.levels import Level
from bot.store.changes import NewAlert
from bot.store.database import Database
from bot.store.store import Store
from probes.base import Layer

CHANNEL = "guardian-alerts"
FIRST_DUE = timedelta(hours=1)
"""from the making on: until then no ladder of an open alert has a step due"""
_AT_ONCE = 5_000


async def stock(
    url: str, over: int, still_open: int, now: datetime, policy: Policy, due_every: int = 100
) -> None:
    """Make a database at `url` with so many alerts that are over, and then as many that are open. Of these
    `due_every` have a step of their ladder due FIRST_DUE from `now`, as many a minute later, and so on."""
    database = await Database.open(url)
    try:
        store = Store(database)
        batch: list[NewAlert] = []
        for alert in _alerts(over, still_open, now, policy, due_every):
            batch.append(NewAlert(alert))
            if len(batch) == _AT_ONCE:
                await store.write(batch)
                batch.clear()
        await store.write(batch)
    finally:
        await database.close()


def _alerts(over: int, still_open: int, now: datetime, policy: Policy, due_every: int) -> Iterator[Alert]:
    for number in range(1, over + 1):
        ended = now - timedelta(days=2, seconds=over - number)
        yield _alert(number, ended - timedelta(minutes=5), policy, None, ended)
    for number in range(still_open):
        due = now + FIRST_DUE + timedelta(minutes=number // due_every)
        yield _alert(over + number + 1, now - timedelta(hours=1), policy, due, None)


def _alert(
    number: int, fired_at: datetime, policy: Policy, due: datetime | None, ended: datetime | None
) -> Alert:
    """An error that another system reported: its ladder has steps, and no probe is missed for it."""
    target = f"host-{number:06}"
    return Alert(
        id=number,
        subject=Subject("bench", f"alertmanager:{number:016x}", "DiskWillFill", target, Condition.REPORTED),
        layer=Layer.INFRASTRUCTURE,
        version=1 if ended is None else 2,
        status=Status.FIRING if ended is None else Status.RESOLVED,
        level=Level.ERROR,
        peak_level=Level.ERROR,
        unit="",
        value=None,
        band=None,
        target_band=None,
        problem=None,
        detected_at=fired_at,
        last_at=fired_at if ended is None else ended,
        fired_at=fired_at,
        resolved_at=ended,
        last_post_at=fired_at if ended is None else ended,
        facts={"description": "The disk is full within four hours if it goes on like this."},
        reason=Reason.REPORTED if ended is None else Reason.REPORT_OVER,
        title="Disk will fill",
        labels={"environment": "bench", "service": f"service-{number % 200:03}", "instance": target},
        channel=CHANNEL,
        route="default",
        policy=policy,
        progress=None if due is None else Progress(1, fired_at, 1, 1, due),
        epoch=1,
        carded=True,
    )
