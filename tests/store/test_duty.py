"""Overrides, the last person on call, and known people, on each kind of database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.oncall.model import Override
from bot.store.database import Database
from bot.store.duty import DutyStore

T0 = datetime(2026, 1, 6, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def duty(database: Database) -> DutyStore:
    return DutyStore(database)


def override(schedule: str = "primary", hours: int = 4) -> Override:
    return Override(0, schedule, "U2", T0, T0 + hours * HOUR, by="U1", why="치과 & <b>")


async def test_an_override_comes_back_with_a_number_of_its_own(duty: DutyStore) -> None:
    first = await duty.add_override(override(), T0)
    second = await duty.add_override(override("secondary"), T0)
    assert 0 < first.id < second.id
    assert await duty.overrides(T0) == [first, second]


async def test_what_is_over_or_undone_is_not_read(duty: DutyStore) -> None:
    short = await duty.add_override(override(hours=1), T0)
    long = await duty.add_override(override(), T0)
    assert await duty.overrides(T0 + HOUR) == [long]
    assert await duty.undo_override(long.id, "U9", T0)
    assert await duty.overrides(T0) == [short]


async def test_an_override_is_undone_once(duty: DutyStore) -> None:
    made = await duty.add_override(override(), T0)
    assert await duty.undo_override(made.id, "U9", T0)
    assert not await duty.undo_override(made.id, "U9", T0)
    assert not await duty.undo_override(made.id + 1, "U9", T0)


async def test_the_last_person_on_call_of_each_schedule(duty: DutyStore) -> None:
    assert await duty.duties() == {}
    await duty.remember_duty("primary", "U1", T0)
    await duty.remember_duty("secondary", "U3", T0)
    await duty.remember_duty("primary", "U2", T0 + HOUR)
    assert await duty.duties() == {"primary": "U2", "secondary": "U3"}


async def test_known_people_are_replaced_as_a_whole(duty: DutyStore) -> None:
    await duty.remember_people({"@a": "U1", "@b": "U2"})
    await duty.remember_people({"@b": "U3"})
    assert await duty.people() == {"@b": "U3"}
    await duty.remember_people({})
    assert await duty.people() == {}
