"""Waiting for a release to be healthy, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import web

from bot.domain.deploy.addresses import Address
from bot.domain.deploy.slots import Slot
from bot.tools.releases.contract import Instance, ReleaseFailed
from bot.tools.releases.health import Health, HealthRules, wait_until_healthy
from tests.ports import free_port
from tests.waiting import CEILING

ALIVE = Instance(Slot.B, "v2", "run-1", None)
Answer = Callable[[web.Request, int], web.Response]
RULES = HealthRules(contains="ok", every=0.01, within=CEILING, timeout=CEILING)


@asynccontextmanager
async def served(answer: Answer, asked: list[str]) -> AsyncIterator[Address]:
    """A service that gives these answers; each is told how many there were before it."""

    async def handle(request: web.Request) -> web.Response:
        asked.append(request.path_qs)
        return answer(request, len(asked) - 1)

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        yield Address(host, port)
    finally:
        await runner.cleanup()


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(talk: Talk) -> AsyncIterator[Address]:
    """Something that listens and needn't speak HTTP."""
    talks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            with suppress(ConnectionError, asyncio.CancelledError, asyncio.IncompleteReadError):
                await talk(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield Address("127.0.0.1", server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks)


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Never answers."""
    await reader.read()


def finding(*seen: Instance | None) -> Callable[[], asyncio.Future[Instance | None]]:
    """A driver that finds these, one after another, the last for ever."""
    left = list(seen)

    def find() -> asyncio.Future[Instance | None]:
        future: asyncio.Future[Instance | None] = asyncio.get_running_loop().create_future()
        future.set_result(left.pop(0) if len(left) > 1 else left[0])
        return future

    return find


async def health(
    answer: Answer,
    rules: HealthRules = RULES,
    *seen: Instance | None,
) -> tuple[Health, list[str]]:
    asked: list[str] = []
    async with served(answer, asked) as address:
        return await wait_until_healthy(address, rules, finding(*(seen or (ALIVE,)))), asked


def said(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status)


async def test_good_answers_in_a_row_are_health() -> None:
    found, asked = await health(lambda request, before: said("all ok"))
    assert (found.healthy, found.problem) == (True, None)
    assert asked == ["/health"] * 3


async def test_one_bad_answer_begins_the_row_anew() -> None:
    found, asked = await health(lambda request, before: said("ok", 503 if before == 2 else 200))
    assert found.healthy
    assert found.problem is not None
    assert dict(found.problem.values) == {"status": 503, "low": 200, "high": 299}
    assert len(asked) == 6


@pytest.mark.parametrize(
    ("answer", "name", "values"),
    [
        (lambda request, before: said("ok", 500), "health_status", {"status": 500, "low": 200, "high": 299}),
        (lambda request, before: said("Sorry, an error"), "health_body", {"contains": "ok"}),
        (lambda request, before: said("x" * 1024 * 1024 + "ok"), "health_body", {"contains": "ok"}),
        (
            lambda request, before: web.Response(status=302, headers={"Location": "/elsewhere"}, text="ok"),
            "health_status",
            {"status": 302, "low": 200, "high": 299},
        ),
    ],
)
async def test_what_is_not_health(answer: Answer, name: str, values: dict[str, object]) -> None:
    rules = HealthRules(contains="ok", every=0.01, within=0.1, timeout=CEILING)
    found, _ = await health(answer, rules)
    assert found.healthy is False
    assert found.problem is not None
    assert (found.problem.name, dict(found.problem.values)) == (name, values)


async def test_nobody_listening_is_refused() -> None:
    rules = HealthRules(every=0.01, within=0.1)
    found = await wait_until_healthy(Address("127.0.0.1", free_port()), rules, finding(ALIVE))
    assert found.problem is not None
    assert found.problem.name == "health_refused"
    assert "refused" in str(found.problem.values["detail"])


async def test_what_listens_and_never_answers_is_slow() -> None:
    async with listening(silence) as address:
        found = await wait_until_healthy(address, HealthRules(timeout=0.1, within=0.2), finding(ALIVE))
    assert found.problem is not None
    assert (found.problem.name, dict(found.problem.values)) == ("health_slow", {"seconds": 0.1})


async def test_an_answer_that_never_ends_is_not_read_for_ever() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async with listening(endless) as address:
        rules = HealthRules(contains="ok", timeout=CEILING, within=0.1, every=0.01)
        found = await wait_until_healthy(address, rules, finding(ALIVE))
    assert found.problem is not None
    assert found.problem.name == "health_body"


async def test_what_is_no_http_is_no_health() -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-x\r\n\r\n")

    async with listening(nonsense) as address:
        found = await wait_until_healthy(address, HealthRules(within=0.1, every=0.01), finding(ALIVE))
    assert found.problem is not None
    assert found.problem.name == "health_refused"


async def test_good_but_too_late_is_late() -> None:
    rules = HealthRules(within=0.1, every=0.06, in_a_row=50, timeout=CEILING)
    found, asked = await health(lambda request, before: said("ok"), rules)
    assert found.problem is not None
    assert found.problem.name == "health_late"
    assert dict(found.problem.values) == {"in_a_row": len(asked), "needed": 50}


@pytest.mark.parametrize(
    ("seen", "name", "values"),
    [
        ((None,), "health_gone", {}),
        ((Instance(Slot.B, "v2", "run-1", None, restarts=1, alive=False),), "health_dead", {"restarts": 1}),
        ((ALIVE, Instance(Slot.B, "v2", "run-1", None, restarts=2)), "health_restarts", {"restarts": 2}),
        ((ALIVE, ALIVE, ALIVE, None), "health_gone", {}),
    ],
)
async def test_it_ends_early_when_there_is_nothing_to_wait_for(
    seen: tuple[Instance | None, ...], name: str, values: dict[str, object]
) -> None:
    """Also when the last good answer came from somebody else: then the driver has the last word."""
    found, asked = await health(lambda request, before: said("ok"), RULES, *seen)
    assert found.healthy is False
    assert found.problem is not None
    assert (found.problem.name, dict(found.problem.values)) == (name, values)
    assert len(asked) == len(seen) - 1


async def test_restarts_before_the_first_look_count_when_they_are_known() -> None:
    restarted = Instance(Slot.B, "v2", "run-1", None, restarts=1)
    asked: list[str] = []
    async with served(lambda request, before: said("ok"), asked) as address:
        assert (await wait_until_healthy(address, RULES, finding(restarted))).healthy
        found = await wait_until_healthy(address, RULES, finding(restarted), restarts=0)
    assert found.problem is not None
    assert found.problem.name == "health_restarts"


async def test_a_driver_that_cannot_tell_ends_nothing() -> None:
    async def find() -> Instance | None:
        raise ReleaseFailed("release_tool", "busy")

    asked: list[str] = []
    async with served(lambda request, before: said("ok"), asked) as address:
        assert (await wait_until_healthy(address, RULES, find)).healthy


async def test_it_stops_when_told_to() -> None:
    asked: list[str] = []
    async with served(lambda request, before: said("no"), asked) as address:
        found = await wait_until_healthy(address, RULES, finding(ALIVE), stopping=lambda: len(asked) == 2)
    assert found.problem is not None
    assert (found.healthy, found.problem.name, len(asked)) == (False, "health_stopped", 2)
