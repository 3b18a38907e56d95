"""The roster: asked from memory, changed in the database first."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.engine.duty_facts import duty_facts
from bot.engine.roster import Roster
from bot.store.errors import StoreUnavailable
from tests.domain.oncall.making import at
from tests.engine.duty import OFFICE, WEEKLY, duty, stand_in
from tests.engine.support import Disk


async def test_it_knows_who_is_on_call_by_their_slack_ids(tmp_path: Path) -> None:
    async with duty(tmp_path) as desk:
        for local, person in (
            ("2026-01-06 12:00", "U0DOYUN01"),
            ("2026-01-12 09:00", "U0SEOYEON"),
            ("2026-01-19 09:00", "U0MINJUN1"),
            ("2026-01-26 09:00", "U0DOYUN01"),
            ("2026-01-12 08:59", "U0DOYUN01"),
            ("2026-01-01 00:00", None),
        ):
            assert desk.roster.on_call("primary", at(local)) == person, local
        assert desk.roster.on_call("office", at("2026-01-06 20:00")) is None
        assert desk.roster.on_call("nothing", at("2026-01-06 20:00")) is None


async def test_somebody_unknown_to_slack_is_nobody_to_page_but_still_named(tmp_path: Path) -> None:
    async with duty(tmp_path) as desk:
        del desk.people.ids["@doyun"]
        assert desk.roster.on_call("primary", desk.clock()) is None
        assert desk.roster.unknown == ("@doyun",)
        assert duty_facts(desk.roster, "primary", desk.clock()).person == "@doyun"
        desk.people.ids["@doyun"] = "U0DOYUN02"
        assert desk.roster.on_call("primary", desk.clock()) == "U0DOYUN02"
        assert desk.roster.references == ("@doyun", "@seoyeon", "U0MINJUN1")


async def test_an_override_counts_at_once_and_after_a_restart(tmp_path: Path) -> None:
    made = stand_in("U0MINJUN1", "2026-01-06 11:00", "2026-01-06 14:00")
    async with duty(tmp_path) as desk:
        assert desk.roster.on_call("primary", desk.clock()) == "U0DOYUN01"
        added = await desk.roster.add_override(made)
        assert desk.roster.on_call("primary", desk.clock()) == "U0MINJUN1"
        assert desk.roster.overrides("primary") == (added,)
    async with duty(tmp_path) as desk:
        assert desk.roster.on_call("primary", desk.clock()) == "U0MINJUN1"
        assert desk.roster.on_call("primary", at("2026-01-06 14:00")) == "U0DOYUN01"
        assert await desk.roster.remove_override(added.id, "U0BOSS001") == added
        assert desk.roster.on_call("primary", desk.clock()) == "U0DOYUN01"
        assert await desk.roster.remove_override(added.id, "U0BOSS001") is None
    async with duty(tmp_path) as desk:
        assert desk.roster.on_call("primary", desk.clock()) == "U0DOYUN01"


async def test_an_override_that_is_over_is_neither_shown_nor_undone(tmp_path: Path) -> None:
    async with duty(tmp_path) as desk:
        made = await desk.roster.add_override(stand_in("U0MINJUN1", "2026-01-06 11:00", "2026-01-06 14:00"))
        desk.clock.forward(hours=2)
        assert desk.roster.overrides("primary") == ()
        assert await desk.roster.remove_override(made.id, "U0BOSS001") is None


async def test_while_the_database_is_away_nothing_changes(tmp_path: Path, disk: Disk) -> None:
    async with duty(tmp_path) as desk:
        added = await desk.roster.add_override(stand_in("U0MINJUN1", "2026-01-06 11:00", "2026-01-06 14:00"))
        disk.read_only = True
        with pytest.raises(StoreUnavailable):
            await desk.roster.add_override(stand_in("U0SEOYEON", "2026-01-06 11:00", "2026-01-06 14:00"))
        with pytest.raises(StoreUnavailable):
            await desk.roster.remove_override(added.id, "U0BOSS001")
        assert desk.roster.on_call("primary", desk.clock()) == "U0MINJUN1"
        disk.read_only = False


async def test_asking_about_any_moment_is_right_whatever_was_asked_before(tmp_path: Path) -> None:
    async with duty(tmp_path) as desk:
        await desk.roster.add_override(stand_in("U0MINJUN1", "2026-01-14 11:00", "2026-01-15 14:00"))
        start = at("2026-01-05 00:00")
        hours = [step * 37 % 400 for step in range(120)]
        for hour in hours:
            moment = start + timedelta(hours=hour)
            (piece,) = desk.roster.shifts("primary", moment, moment + timedelta(seconds=1))
            shown = desk.roster.shift_at("primary", moment)
            assert shown is not None
            assert (shown.person, shown.override) == (piece.person, piece.override)
            assert shown.start <= moment < shown.end


async def test_facts_say_until_when_and_who_is_next(tmp_path: Path) -> None:
    async with duty(tmp_path) as desk:
        primary = duty_facts(desk.roster, "primary", desk.clock(), in_full=True)
        assert (primary.person, primary.next_person) == ("U0DOYUN01", "U0SEOYEON")
        assert primary.until == at("2026-01-12 09:00").isoformat()
        assert [shift.person for shift in primary.shifts[:3]] == ["U0DOYUN01", "U0SEOYEON", "U0MINJUN1"]
        desk.clock.forward(hours=8)
        office = duty_facts(desk.roster, "office", desk.clock())
        assert (office.person, office.next_person) == (None, "U0SEOYEON")
        assert office.until == at("2026-01-07 09:00").isoformat()
        assert office.shifts == ()
        with pytest.raises(KeyError):
            duty_facts(desk.roster, "nothing", desk.clock())


async def test_without_schedules_nobody_is_on_call(tmp_path: Path) -> None:
    async with duty(tmp_path) as desk:
        empty = Roster({}, desk.store, desk.people, desk.clock)
        assert (empty.names, empty.on_call("primary", desk.clock())) == ((), None)
        assert empty.next_hand_over("primary", desk.clock()) is None
        assert (WEEKLY.name, OFFICE.name) == desk.roster.names
