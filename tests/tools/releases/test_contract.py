"""What every driver of releases promises, each with real processes behind it."""

from __future__ import annotations

import asyncio
import socket

import aiohttp
import pytest

from bot.domain.deploy.slots import Slot
from bot.tools.releases.contract import Instance, ReleaseFailed
from bot.tools.releases.health import HealthRules, wait_until_healthy
from tests.tools.releases.kits import Kit
from tests.waiting import CEILING

RULES = HealthRules(contains="ok", within=CEILING, every=0.02)


async def found(kit: Kit, slot: Slot, wanted: bool = True) -> Instance:
    """What runs there, once it is alive or dead as wanted."""
    async with asyncio.timeout(CEILING):
        while True:
            instance = await kit.driver.find(slot)
            if instance is not None and instance.alive is wanted:
                return instance
            await asyncio.sleep(0.02)


def listens(kit: Kit, slot: Slot) -> bool:
    with socket.socket() as door:
        return door.connect_ex((kit.slots[slot].host, kit.slots[slot].port)) == 0


async def test_nothing_runs_at_first(kit: Kit) -> None:
    assert await kit.driver.find(Slot.A) is None
    assert await kit.driver.usage(Slot.A) is None
    assert await kit.driver.stop(Slot.A) is False


async def test_a_release_runs_with_its_revision_slot_and_marker(kit: Kit) -> None:
    kit.put("v1")
    started = await kit.driver.start(Slot.A, "v1", "run-1")
    assert (started.slot, started.revision, started.marker, started.restarts) == (Slot.A, "v1", "run-1", 0)
    who = await kit.ask(Slot.A)
    assert (who["revision"], who["slot"], who["marker"]) == ("v1", "a", "run-1")
    seen = await found(kit, Slot.A)
    assert (seen.revision, seen.marker, seen.restarts) == ("v1", "run-1", 0)
    assert seen.started_at is not None and seen.started_at.tzinfo is not None


async def test_started_again_by_the_same_run_it_stays_as_it_is(kit: Kit) -> None:
    kit.put("v1")
    await kit.driver.start(Slot.A, "v1", "run-1")
    before = await kit.ask(Slot.A)
    again = await kit.again().start(Slot.A, "v1", "run-1")
    assert (again.revision, again.marker, again.alive) == ("v1", "run-1", True)
    assert (await kit.ask(Slot.A))["pid"] == before["pid"]


@pytest.mark.parametrize(("revision", "marker"), [("v2", "run-1"), ("v1", "run-2"), ("v2", "run-2")])
async def test_whatever_else_runs_in_the_slot_makes_way(kit: Kit, revision: str, marker: str) -> None:
    kit.put("v1")
    kit.put("v2")
    await kit.driver.start(Slot.A, "v1", "run-1")
    before = await kit.ask(Slot.A)
    await kit.driver.start(Slot.A, revision, marker)
    who = await kit.ask(Slot.A)
    assert (who["revision"], who["marker"]) == (revision, marker)
    assert who["pid"] != before["pid"]


async def test_the_slots_have_nothing_to_do_with_each_other(kit: Kit) -> None:
    kit.put("v1")
    kit.put("v2")
    await kit.driver.start(Slot.A, "v1", "run-1")
    await kit.driver.start(Slot.B, "v2", "run-2")
    assert (await kit.ask(Slot.A))["revision"] == "v1"
    assert (await kit.ask(Slot.B))["revision"] == "v2"
    assert await kit.driver.stop(Slot.B) is True
    assert not listens(kit, Slot.B)
    assert await kit.driver.find(Slot.B) is None
    assert (await found(kit, Slot.A)).revision == "v1"


async def test_stopped_it_is_gone_and_can_be_started_anew(kit: Kit) -> None:
    kit.put("v1")
    await kit.driver.start(Slot.A, "v1", "run-1")
    before = await kit.ask(Slot.A)
    assert await kit.driver.stop(Slot.A) is True
    assert await kit.driver.find(Slot.A) is None
    assert not listens(kit, Slot.A)
    assert await kit.driver.stop(Slot.A) is False
    await kit.driver.start(Slot.A, "v1", "run-1")
    assert (await kit.ask(Slot.A))["pid"] != before["pid"]


@pytest.mark.parametrize("revision", ["v9", "--help", "../v1", ""])
async def test_a_revision_that_is_not_there_or_is_no_name_is_unknown(kit: Kit, revision: str) -> None:
    kit.put("v1")
    await kit.driver.start(Slot.A, "v1", "run-1")
    assert await kit.driver.known(revision) is False
    with pytest.raises(ReleaseFailed) as failed:
        await kit.driver.start(Slot.A, revision, "run-2")
    assert failed.value.reason == "release_unknown"
    assert (await found(kit, Slot.A)).revision == "v1"  # and what runs goes on


async def test_a_revision_that_is_there_is_known(kit: Kit) -> None:
    kit.put("v1")
    assert await kit.driver.known("v1") is True
    assert await kit.driver.find(Slot.A) is None


async def test_a_release_that_ends_is_started_again_and_that_is_counted(kit: Kit) -> None:
    kit.put("v1")
    await kit.driver.start(Slot.A, "v1", "run-1")
    before = await kit.ask(Slot.A)
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await kit.ask(Slot.A, "/end")
    who = await kit.ask(Slot.A)
    assert who["pid"] != before["pid"]
    seen = await found(kit, Slot.A)
    assert (seen.revision, seen.marker) == ("v1", "run-1")
    assert seen.restarts >= 1


async def test_a_release_that_keeps_ending_is_found_out_while_its_health_is_waited_for(kit: Kit) -> None:
    kit.put("v1", bad="crash")
    started = await kit.driver.start(Slot.A, "v1", "run-1")
    health = await wait_until_healthy(
        kit.slots[Slot.A], RULES, lambda: kit.driver.find(Slot.A), restarts=started.restarts
    )
    assert health.healthy is False
    assert health.problem is not None
    assert health.problem.name in ("health_restarts", "health_dead")
    assert await kit.driver.stop(Slot.A) is True
    assert await kit.driver.find(Slot.A) is None


async def test_a_release_becomes_healthy(kit: Kit) -> None:
    kit.put("v1")
    started = await kit.driver.start(Slot.A, "v1", "run-1")
    health = await wait_until_healthy(
        kit.slots[Slot.A], RULES, lambda: kit.driver.find(Slot.A), restarts=started.restarts
    )
    assert health.healthy is True


async def test_what_it_takes_is_measured(kit: Kit) -> None:
    kit.put("v1")
    await kit.driver.start(Slot.A, "v1", "run-1")
    await kit.ask(Slot.A)
    await kit.driver.usage(Slot.A)
    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(kit.ask_nothing(Slot.A, "/work"))
    busy = await kit.driver.usage(Slot.A)
    assert busy is not None
    assert busy.cpu > 0
    assert 0 < busy.memory < 100


async def test_two_at_once_leave_one(kit: Kit) -> None:
    kit.put("v1")
    kit.put("v2")
    drivers = [kit.again() for _ in range(2)]
    outcomes = await asyncio.gather(
        *(
            each.start(Slot.A, revision, f"run-{revision}")
            for each, revision in zip(drivers, ("v1", "v2"), strict=True)
        ),
        return_exceptions=True,
    )
    assert any(isinstance(each, Instance) for each in outcomes)
    seen = await found(kit, Slot.A)
    assert (await kit.ask(Slot.A))["revision"] == seen.revision
