"""Deployments in the database, on both kinds."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.deploy.record import DeploymentRecord, Kind, Outcome, SlotRecord
from bot.domain.deploy.slots import Slot
from bot.store.also import all_of
from bot.store.database import Database
from bot.store.deployments import DeploymentStore
from tests.factories import T0

MINUTE = timedelta(minutes=1)
RECORD = DeploymentRecord(
    0, 7, "shop", "production", Kind.DEPLOY, "v2", "v1", Slot.B, "U1", T0, "U2", commit_at=T0 - 60 * MINUTE
)


@pytest.fixture
def deployments(database: Database) -> DeploymentStore:
    """An empty record of deployments."""
    return DeploymentStore(database)


async def done(store: DeploymentStore, operation: int, revision: str, **values: object) -> DeploymentRecord:
    """A deployment of that revision that ended well."""
    at = T0 + operation * MINUTE
    record = replace(RECORD, operation_id=operation, revision=revision, started_at=at, **values)  # type: ignore[arg-type]  # mypy knows no fields here
    assert await store.write(store.adding(record))
    assert await store.write(store.moving(operation, Outcome.DONE, ended_at=at + MINUTE))
    found = await store.of_operation(operation)
    assert found is not None
    return found


async def test_a_deployment_comes_back_as_it_was_written(deployments: DeploymentStore) -> None:
    assert await deployments.write(deployments.adding(RECORD))
    (written,) = await deployments.running()
    assert replace(written, id=0) == RECORD
    assert await deployments.get(written.id) == written
    assert await deployments.of_operation(8) is None
    assert await deployments.latest("shop", "staging") is None


async def test_an_operation_has_one_deployment(deployments: DeploymentStore) -> None:
    assert await deployments.write(deployments.adding(RECORD))
    assert not await deployments.write(deployments.adding(replace(RECORD, revision="v3")))
    assert len(await deployments.running()) == 1


async def test_it_is_changed_while_it_runs_and_never_after(deployments: DeploymentStore) -> None:
    await deployments.write(deployments.adding(RECORD))
    first, later = T0 + MINUTE, T0 + 2 * MINUTE
    assert await deployments.write(deployments.moving(7, traffic_at=first))
    assert await deployments.write(deployments.moving(7, traffic_at=later, requests=100, errors=0))
    back = deployments.moving(7, Outcome.ROLLED_BACK, failed_at=later, restored_at=later, ended_at=later)
    assert await deployments.write(back)
    assert not await deployments.write(deployments.moving(7, Outcome.DONE))
    found = await deployments.latest("shop", "production")
    assert found is not None
    assert (found.outcome, found.traffic_at, found.requests, found.errors) == (
        Outcome.ROLLED_BACK, first, 100, 0
    )  # fmt: skip
    assert await deployments.running() == []


async def test_of_two_that_end_it_one_does(deployments: DeploymentStore) -> None:
    await deployments.write(deployments.adding(RECORD))
    ends = [Outcome.DONE, Outcome.ROLLED_BACK, Outcome.STOPPED]
    assert sorted(await asyncio.gather(*(deployments.write(deployments.moving(7, end)) for end in ends))) == [
        False, False, True
    ]  # fmt: skip


async def test_a_field_that_is_none_is_a_fault_of_the_caller(deployments: DeploymentStore) -> None:
    with pytest.raises(TypeError, match="trafic_at"):
        deployments.moving(7, trafic_at=T0)


async def test_what_is_not_done_leaves_nothing_of_what_belongs_to_it(deployments: DeploymentStore) -> None:
    place = SlotRecord("shop", "production", Slot.A, "v1", "run-1", T0)
    both = all_of(deployments.placing(place), deployments.moving(7, Outcome.DONE))
    assert not await deployments.write(both)
    assert await deployments.slots_of("shop", "production") == {}


async def test_releases_to_go_back_to_are_each_there_once_newest_first(deployments: DeploymentStore) -> None:
    await done(deployments, 1, "v1")
    bad = await done(deployments, 2, "v2")
    await done(deployments, 3, "v1", kind=Kind.ROLLBACK, undoes=bad.id)
    await done(deployments, 4, "v3")
    await done(deployments, 5, "v9", environment="staging")
    await deployments.write(deployments.adding(replace(RECORD, operation_id=6, revision="v4")))
    kept = await deployments.kept("shop", "production", 10)
    assert [(each.revision, each.undone) for each in kept] == [("v3", False), ("v1", False), ("v2", True)]
    assert kept[2].deployment == bad.id
    assert kept[2].at == bad.ended_at
    assert [each.revision for each in await deployments.kept("shop", "production", 1)] == ["v3"]
    latest = await deployments.latest("shop", "production", Outcome.DONE)
    assert latest is not None
    assert latest.revision == "v3"


async def test_those_of_a_span_and_of_a_place(deployments: DeploymentStore) -> None:
    places = (("shop", "production"), ("shop", "staging"), ("api", "production"))
    for operation, (service, environment) in enumerate(places, 1):
        await done(deployments, operation, "v1", service=service, environment=environment)
    assert [each.operation_id for each in await deployments.since(T0)] == [3, 2, 1]
    assert [each.operation_id for each in await deployments.since(T0 + 2 * MINUTE)] == [3, 2]
    assert [each.operation_id for each in await deployments.since(T0, "shop")] == [2, 1]
    assert [each.operation_id for each in await deployments.since(T0, environment="production")] == [3, 1]
    assert [each.operation_id for each in await deployments.of_environment("shop", "staging", 5)] == [2]


async def test_one_slot_carries_production(deployments: DeploymentStore) -> None:
    blue = SlotRecord("shop", "production", Slot.A, "v1", "", T0)
    green = SlotRecord("shop", "production", Slot.B, "v2", "run-7", T0 + MINUTE)
    place = ("shop", "production")
    assert not await deployments.write(deployments.living(*place, Slot.A, T0))
    await deployments.write(deployments.placing(blue))
    await deployments.write(deployments.placing(green))
    for at in (T0, T0 + MINUTE):
        assert await deployments.write(deployments.living(*place, Slot.A, at))
    assert await deployments.slots_of(*place) == {Slot.A: replace(blue, live_since=T0), Slot.B: green}
    assert await deployments.write(deployments.living(*place, Slot.B, T0 + 2 * MINUTE))
    now = await deployments.slots_of(*place)
    assert (now[Slot.A].live_since, now[Slot.B].live_since) == (None, T0 + 2 * MINUTE)
    await deployments.write(deployments.emptying(*place, Slot.A))
    await deployments.write(deployments.placing(replace(green, revision="v3")))
    assert await deployments.slots_of(*place) == {Slot.B: replace(green, revision="v3")}
    assert await deployments.slots_of("shop", "staging") == {}
