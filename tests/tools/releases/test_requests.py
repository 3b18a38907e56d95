"""Requests of our own, over real sockets."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from bot.domain.deploy.addresses import Address
from bot.tools.releases.requests import AT_ONCE, send
from tests.ports import free_port
from tests.tools.releases.test_health import listening, said, served, silence
from tests.waiting import CEILING

FAST = 1_000_000.0


async def test_the_paths_are_asked_in_turn_and_all_is_counted() -> None:
    asked: list[str] = []
    async with served(lambda request, before: said("ok"), asked) as address:
        counted, latencies = await send(address, ["/", "/cart?a=1"], 101, FAST, CEILING)
    assert (counted.requests, counted.errors) == (101, 0)
    assert latencies.total == 101
    assert (asked.count("/"), asked.count("/cart?a=1")) == (51, 50)


@pytest.mark.parametrize(("status", "errors"), [(200, 0), (302, 0), (404, 0), (500, 10), (503, 10)])
async def test_an_error_is_what_the_load_balancer_counts_as_one(status: int, errors: int) -> None:
    async with served(lambda request, before: said("", status), []) as address:
        counted, latencies = await send(address, ["/"], 10, FAST, CEILING)
    assert (counted.requests, counted.errors, latencies.total) == (10, errors, 10)


async def test_nobody_listening_is_an_error_that_took_no_time() -> None:
    counted, latencies = await send(Address("127.0.0.1", free_port()), ["/"], 5, FAST, CEILING)
    assert (counted.requests, counted.errors, latencies.total) == (5, 5, 0)


async def test_no_answer_in_time_is_an_error_and_slow() -> None:
    async with listening(silence) as address:
        counted, latencies = await send(address, ["/"], 5, FAST, 0.2)
    assert (counted.requests, counted.errors) == (5, 5)
    assert latencies.over(180) == 5


async def test_an_answer_cut_off_is_an_error() -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    async with listening(half) as address:
        counted, _ = await send(address, ["/"], 5, FAST, CEILING)
    assert (counted.requests, counted.errors) == (5, 5)


async def test_it_never_goes_faster_than_it_may() -> None:
    loop = asyncio.get_running_loop()
    async with served(lambda request, before: said("ok"), []) as address:
        began = loop.time()
        await send(address, ["/"], 11, 50.0, CEILING)
        assert loop.time() - began >= 0.19


async def test_no_more_are_under_way_than_it_may_have() -> None:
    under_way: list[int] = []
    most = 0
    full = asyncio.Event()

    async def handle(request: web.Request) -> web.Response:
        nonlocal most
        under_way.append(1)
        most = max(most, len(under_way))
        if len(under_way) == AT_ONCE:
            full.set()
        await full.wait()
        under_way.pop()
        return said("ok")

    app = web.Application()
    app.router.add_get("/", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        counted, _ = await send(Address(host, port), ["/"], 3 * AT_ONCE, FAST, CEILING)
    finally:
        await runner.cleanup()
    assert (counted.requests, counted.errors) == (3 * AT_ONCE, 0)
    assert most == AT_ONCE


async def test_it_stops_when_told_to_and_counts_what_was_sent() -> None:
    asked: list[str] = []
    async with served(lambda request, before: said("ok"), asked) as address:
        counted, _ = await send(address, ["/"], 1000, 200.0, CEILING, lambda: len(asked) >= 5)
    assert 5 <= counted.requests == len(asked) < 1000


async def test_no_paths_are_no_order() -> None:
    with pytest.raises(ValueError, match="no paths"):
        await send(Address("127.0.0.1", 1), [], 1, 1.0, 1.0)
