"""The visitors of the trial's shop: as browsers are with cookies, and fewer where the machine is busy."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from bot.trial.pace import FEWEST, USUAL, Pace
from bot.trial.visitors import PEOPLE, Visitors
from tests.ports import free_port


class Till:
    """A shop that gives everybody a cookie, and notes who comes with which."""

    def __init__(self, status: int = 200) -> None:
        self.port = free_port()
        self.new = 0
        self.known: defaultdict[str, int] = defaultdict(int)
        self._status = status

    async def _answer(self, request: web.Request) -> web.Response:
        answer = web.Response(status=self._status, text="x" * 2000)
        place = request.cookies.get("place")
        if place is None:
            self.new += 1
            answer.set_cookie("place", str(self.new))
        else:
            self.known[place] += 1
        return answer

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Open for as long as the context is."""
        app = web.Application()
        app.router.add_get("/", self._answer)
        app.router.add_get("/api/items", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        try:
            yield
        finally:
            await runner.cleanup()


def visitors(port: int) -> Visitors:
    return Visitors(port, random.Random(1))  # noqa: S311 - no secrets


async def test_they_come_back_with_the_cookie_that_they_were_given() -> None:
    till = Till()
    async with till.open():
        some = visitors(till.port)
        await some.visit(60)
    assert (some.requests, some.failures) == (60, 0)
    # Two requests of the same person may be under way at once, and both are without a cookie then.
    assert till.new + sum(till.known.values()) == 60
    assert 0 < till.new <= PEOPLE
    assert till.known
    assert all(int(place) <= till.new for place in till.known)


async def test_what_fails_is_counted() -> None:
    till = Till(status=500)
    async with till.open():
        some = visitors(till.port)
        await some.visit(10)
    assert (some.requests, some.failures) == (10, 10)


async def test_a_shop_that_is_closed_fails_them_and_ends_nothing() -> None:
    some = visitors(free_port())
    await some.visit(10)
    assert (some.requests, some.failures) == (10, 10)


def test_they_are_fewer_at_once_when_the_machine_is_busy_and_slowly_more_again() -> None:
    pace = Pace().after(0.5)
    assert pace.rate == USUAL / 2
    assert USUAL / 2 < pace.after(0.0).rate < USUAL / 2 * 1.1


@given(st.lists(st.floats(min_value=0, max_value=60)))
def test_their_number_has_bounds(lates: list[float]) -> None:
    pace = Pace()
    for late in lates:
        pace = pace.after(late)
        assert FEWEST <= pace.rate <= USUAL
