"""What only HAProxy's driver does, with a real HAProxy: its file, its socket, its visitors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.domain.deploy.measures import Counted
from bot.domain.deploy.slots import Slot
from bot.tools.traffic.contract import TrafficFailed
from bot.tools.traffic.haproxy.driver import HaproxyTraffic
from bot.tools.traffic.haproxy.snippet import Split
from tests.tools.traffic.haproxy import COOKIE, HEADER, Stage, load, staged


@pytest.fixture
def traffic(stage: Stage) -> HaproxyTraffic:
    """The driver, without a log."""
    return HaproxyTraffic(stage.balancer.configuration)


def in_the_way(map_file: Path) -> Path:
    """What keeps the map's file from being written, from root too."""
    folder = map_file.with_name(f".{map_file.name}.guardian")
    folder.mkdir()
    return folder


async def test_a_file_that_cannot_be_written_changes_nothing(stage: Stage, traffic: HaproxyTraffic) -> None:
    in_the_way(stage.balancer.map_file)
    before = stage.balancer.map_file.read_text()
    with pytest.raises(TrafficFailed) as failed:
        await traffic.shift(50)
    assert failed.value.reason == "traffic_file"
    assert await traffic.share() == 0
    assert stage.balancer.map_file.read_text() == before


async def test_going_back_does_not_wait_for_the_file(stage: Stage, traffic: HaproxyTraffic) -> None:
    await traffic.shift(50)
    obstacle = in_the_way(stage.balancer.map_file)
    with pytest.raises(TrafficFailed, match="traffic_file"):
        await traffic.divert(0)
    assert await traffic.share() == 0
    assert "shop 50" in stage.balancer.map_file.read_text()
    obstacle.rmdir()
    await traffic.divert(0)
    assert "shop 0" in stage.balancer.map_file.read_text()


async def test_going_back_is_written_down_while_haproxy_is_away(
    stage: Stage, traffic: HaproxyTraffic
) -> None:
    await traffic.shift(50)
    await stage.balancer.stop()
    with pytest.raises(TrafficFailed, match="traffic_gone"):
        await traffic.divert(0)
    await stage.balancer.start()
    assert await traffic.share() == 0


async def test_going_forward_is_not_written_down_while_haproxy_is_away(
    stage: Stage, traffic: HaproxyTraffic
) -> None:
    await stage.balancer.stop()
    with pytest.raises(TrafficFailed) as failed:
        await traffic.shift(50)
    assert failed.value.reason == "traffic_gone"
    await stage.balancer.start()
    assert await traffic.share() == 0


async def test_a_map_without_the_entry_is_refused(stage: Stage, traffic: HaproxyTraffic) -> None:
    stage.balancer.map_file.write_text("other 5\n")
    await stage.balancer.reload()
    for call in (traffic.share(), traffic.shift(5), traffic.divert(5)):
        with pytest.raises(TrafficFailed) as failed:
            await call
        assert failed.value.reason == "traffic_refused"


async def test_a_share_that_is_none_is_unreadable(stage: Stage, traffic: HaproxyTraffic) -> None:
    stage.balancer.map_file.write_text("shop 500\n")
    await stage.balancer.reload()
    with pytest.raises(TrafficFailed) as failed:
        await traffic.share()
    assert failed.value.reason == "traffic_unreadable"
    await traffic.divert(0)
    assert await traffic.share() == 0


async def test_a_process_that_read_the_file_before_is_corrected(
    stage: Stage, traffic: HaproxyTraffic
) -> None:
    """The file says what is wanted, HAProxy does not: each is looked at by itself."""
    await traffic.shift(50)
    stage.balancer.map_file.write_text("shop 0\n")
    await traffic.shift(0)
    assert await traffic.share() == 0


async def test_what_went_nowhere_is_counted(stage: Stage, traffic: HaproxyTraffic) -> None:
    """A backend whose server takes nothing answers 503 by itself: that stands on the backend's row alone."""
    await traffic.shift(100)
    before = await traffic.counters(Slot.B)
    reader, writer = await asyncio.open_unix_connection(stage.balancer.configuration.socket)
    writer.write(b"set server shop_b/app state maint\n")
    await reader.read()
    writer.close()
    assert (await stage.ask())[0] == 503
    assert (await traffic.counters(Slot.B)).since(before) == Counted(1, 1)


async def test_a_reload_and_a_restart_under_load_keep_the_share(
    stage: Stage, traffic: HaproxyTraffic
) -> None:
    await traffic.shift(100)
    async with load(stage.balancer.url) as found:
        await found.more(50)
        await stage.balancer.reload()
        await found.more(50)
        await stage.balancer.reload()
        await found.more(50)
        assert found.failures == []
        await stage.balancer.stop()
        await stage.balancer.start()
        await found.more(50)
    assert set(found.answers) == {"b"}


async def test_a_visitor_stays_where_he_is_while_the_share_grows(
    stage: Stage, traffic: HaproxyTraffic
) -> None:
    visitors: list[str] = []
    for _ in range(40):
        _, _, place = await stage.ask()
        assert place is not None
        visitors.append(place)
    assert all(0 <= int(place) < 100 for place in visitors)
    assert len(set(visitors)) > 5
    green: set[str] = set()
    for share in (10, 50, 100):
        await traffic.shift(share)
        now = {place for place in visitors if await stage.at(int(place)) == "b"}
        assert now >= green
        assert now == {place for place in visitors if int(place) < share}
        green = now
    await traffic.shift(0)
    assert {await stage.at(int(place)) for place in visitors} == {"a"}


@pytest.mark.parametrize("cookie", ["", "x", "100", "-1", "7 ", "1e1", "٣"])
async def test_a_place_that_is_none_is_given_anew(stage: Stage, cookie: str) -> None:
    status, _, place = await stage.ask(Cookie=f"{COOKIE}={cookie}")
    assert status == 200
    # A blank behind the number belongs to the header and not to the cookie.
    assert (place is None) == (cookie == "7 ")


@pytest.mark.parametrize("cookies", ["{0}=x; {0}=5", "{0}=500; {0}=5", "{0}=5; {0}=x", "{0}=5; {0}=500"])
async def test_several_places_are_no_way_past_the_share(
    stage: Stage, traffic: HaproxyTraffic, cookies: str
) -> None:
    for share, expected in ((100, "b"), (0, "a")):
        await traffic.shift(share)
        assert (await stage.ask(Cookie=cookies.format(COOKIE)))[1] == expected


async def test_a_place_is_given_once(stage: Stage) -> None:
    _, _, place = await stage.ask()
    assert (await stage.ask(Cookie=f"{COOKIE}={place}"))[2] is None


async def test_the_header_leads_to_a_slot_at_any_share(stage: Stage, traffic: HaproxyTraffic) -> None:
    for share in (0, 100):
        await traffic.shift(share)
        assert (await stage.ask(**{HEADER: "a"}))[1] == "a"
        assert (await stage.ask(**{HEADER: "b"}))[1] == "b"


@pytest.fixture
async def strict() -> AsyncIterator[Stage]:
    """Only 127.0.0.2 is trusted."""
    async with staged(split=Split(COOKIE, HEADER, trusted=("127.0.0.2",))) as stage:
        yield stage


async def test_the_header_counts_from_trusted_sources_only(strict: Stage) -> None:
    assert (await strict.ask(source="127.0.0.2", **{HEADER: "b"}))[1] == "b"
    assert (await strict.ask(source="127.0.0.1", **{HEADER: "b"}))[1] == "a"
    assert (await strict.ask(source="127.0.0.2", **{HEADER: "c"}))[1] == "a"
