"""What bot/tools/traffic/contract.py promises, of every driver, with a real HAProxy."""

from __future__ import annotations

import asyncio

import pytest

from bot.domain.deploy.measures import Counted, Latencies
from bot.domain.deploy.slots import Slot
from bot.tools.traffic.contract import TrafficFailed
from bot.tools.traffic.drivers import Divertible
from tests.tools.traffic.haproxy import Stage, load, until
from tests.waiting import eventually


async def test_it_tells_the_share_and_sets_it(stage: Stage, traffic: Divertible) -> None:
    assert await traffic.share() == 0
    for share in (10, 25, 50, 75, 100, 0):
        await traffic.shift(share)
        assert await traffic.share() == share
        answers = [await stage.at(place) for place in (0, 9, 10, 24, 25, 49, 50, 74, 75, 99)]
        assert answers == ["b" if place < share else "a" for place in (0, 9, 10, 24, 25, 49, 50, 74, 75, 99)]


@pytest.mark.parametrize("share", [-1, 101])
async def test_it_takes_no_share_that_is_none(traffic: Divertible, share: int) -> None:
    with pytest.raises(ValueError, match="from 0 to 100"):
        await traffic.shift(share)
    assert await traffic.share() == 0


async def test_the_share_stays_when_the_balancer_is_reloaded_or_started_anew(
    stage: Stage, traffic: Divertible
) -> None:
    await traffic.shift(25)
    await stage.balancer.reload()
    assert await traffic.share() == 25
    await stage.balancer.stop()
    await stage.balancer.start()
    assert await traffic.share() == 25
    assert [await stage.at(place) for place in (24, 25)] == ["b", "a"]


async def test_no_request_is_lost_while_the_share_changes(stage: Stage, traffic: Divertible) -> None:
    async with load(stage.balancer.url) as found:
        for share in (10, 50, 100, 0, 100, 25):
            await found.more(50)
            await traffic.shift(share)
        await found.more(50)
    assert found.failures == []
    assert set(found.answers) == {"a", "b"}


async def test_going_back_takes_everything(stage: Stage, traffic: Divertible) -> None:
    await traffic.shift(100)
    await traffic.divert(0)
    await traffic.divert(0)
    assert await traffic.share() == 0
    asked = stage.releases[Slot.B].asked
    async with load(stage.balancer.url) as found:
        await found.more(100)
    assert stage.releases[Slot.B].asked == asked


async def test_it_counts_what_each_slot_carried(stage: Stage, traffic: Divertible) -> None:
    await traffic.shift(50)
    before = {slot: await traffic.counters(slot) for slot in Slot}
    for place in (0, 1, 2, 99):
        await stage.at(place)
    stage.releases[Slot.B].status = 500
    await stage.at(0)

    async def counted() -> dict[Slot, Counted]:
        return {slot: (await traffic.counters(slot)).since(before[slot]) for slot in Slot}

    assert await counted() == {Slot.A: Counted(1, 0), Slot.B: Counted(4, 1)}


async def test_a_dead_release_is_counted_although_the_balancer_tries_again(
    stage: Stage, traffic: Divertible
) -> None:
    await traffic.shift(100)
    before = await traffic.counters(Slot.B)
    await stage.releases[Slot.B].stop()
    assert (await stage.ask())[0] == 503
    now = await traffic.counters(Slot.B)
    assert now.requests - before.requests == 1
    assert now.errors > before.errors
    assert (await traffic.counters(Slot.A)).errors == 0


async def test_counters_begin_anew_with_the_balancer(stage: Stage, traffic: Divertible) -> None:
    for _ in range(3):
        await stage.at(0)
    before = await traffic.counters(Slot.A)
    await stage.balancer.stop()
    await stage.balancer.start()
    await stage.at(0)
    now = await traffic.counters(Slot.A)
    assert now.epoch != before.epoch
    assert now.since(before) == Counted(1, 0)


async def test_it_tells_how_long_requests_took(stage: Stage, traffic: Divertible) -> None:
    before = await traffic.latencies(Slot.A)
    assert before is not None
    assert before.total == 0
    for _ in range(5):
        await stage.at(0)

    async def told() -> bool:
        now = await traffic.latencies(Slot.A)
        return now is not None and now.total == 5

    await until(told)
    assert await traffic.latencies(Slot.B) == Latencies()


async def test_what_is_under_way_is_told_and_cut(stage: Stage, traffic: Divertible) -> None:
    await traffic.shift(100)
    green = stage.releases[Slot.B]
    assert await traffic.in_flight(Slot.B) == 0
    assert await traffic.cut(Slot.B) == 0
    green.hold()
    waiting = [asyncio.create_task(stage.ask()) for _ in range(3)]
    await eventually(lambda: green.held == 3)
    assert await traffic.in_flight(Slot.B) == 3
    assert await traffic.in_flight(Slot.A) == 0
    assert await traffic.cut(Slot.B) == 3
    ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert not any(isinstance(each, tuple) and each[0] == 200 for each in ended)

    async def over() -> bool:
        return await traffic.in_flight(Slot.B) == 0

    await until(over)


async def test_a_balancer_that_is_away_is_told_of_and_comes_back(stage: Stage, traffic: Divertible) -> None:
    await traffic.shift(25)
    await stage.balancer.stop()
    for call in (traffic.share(), traffic.shift(50), traffic.counters(Slot.A), traffic.in_flight(Slot.A)):
        with pytest.raises(TrafficFailed) as failed:
            await call
        assert failed.value.reason in ("traffic_gone", "traffic_refused")
    await stage.balancer.start()
    assert await traffic.share() == 25
