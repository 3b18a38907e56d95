"""A roster on a real store, with people who are known by a table."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.domain.oncall.model import Override, Pace, Schedule
from bot.engine.roster import Roster
from bot.store.database import Database
from bot.store.duty import DutyStore
from tests.domain.oncall.making import at, rotation
from tests.domain.oncall.making import schedule as made
from tests.engine.support import SetClock

WEEKLY = made(rotation("@doyun", "@seoyeon", "U0MINJUN1"))
"""doyun from Monday 2026-01-05 09:00 in Seoul, seoyeon a week later"""
OFFICE = Schedule(
    "office",
    WEEKLY.zone,
    (rotation("@seoyeon", pace=Pace.DAILY, hours="09:00-18:00", days="mon tue wed thu fri"),),
    gaps_allowed=True,
)


@dataclass
class Table:
    """People by handle."""

    ids: dict[str, str] = field(default_factory=lambda: {"@doyun": "U0DOYUN01", "@seoyeon": "U0SEOYEON"})

    def id_of(self, reference: str) -> str | None:
        return reference if reference.startswith("U") else self.ids.get(reference)

    find = id_of


@dataclass
class Desk:
    """A roster and what is beneath it."""

    roster: Roster
    store: DutyStore
    people: Table
    clock: SetClock


@asynccontextmanager
async def duty(folder: Path, *schedules: Schedule, local: str = "2026-01-06 12:00") -> AsyncIterator[Desk]:
    """A roster at that local time in Seoul, on the database in that folder."""
    database = await Database.open(f"sqlite+aiosqlite:///{folder / 'duty.db'}")
    store, people, clock = DutyStore(database), Table(), SetClock(at(local))
    roster = Roster({each.name: each for each in schedules or (WEEKLY, OFFICE)}, store, people, clock)
    await roster.load()
    try:
        yield Desk(roster, store, people, clock)
    finally:
        await database.close()


def stand_in(user: str, start: str, end: str, schedule: str = "primary") -> Override:
    """Somebody stands in, without a number yet."""
    return Override(0, schedule, user, at(start), at(end), by="U0BOSS001")
