"""Work after the acknowledgement: kept hold of, never in the way, ended in order."""

from __future__ import annotations

import asyncio
import gc

from structlog.testing import capture_logs

from bot.slack.background import Background


async def test_work_is_done_and_held_on_to() -> None:
    background, done = Background(), asyncio.Event()

    async def work() -> None:
        await asyncio.sleep(0)
        done.set()

    background.start("work", work())
    gc.collect()
    await asyncio.wait_for(done.wait(), 30)


async def test_what_is_urgent_goes_first() -> None:
    """An envelope takes some turns of the loop to its acknowledgement: nothing begins meanwhile."""
    background, order = Background(), list[str]()
    finished = asyncio.Event()

    async def answer(name: str) -> None:
        order.append(name)
        if name == "second":
            finished.set()

    async def acknowledge() -> None:
        for _ in range(6):
            await asyncio.sleep(0)
        order.append("acknowledged")

    background.start("answer", answer("first"))
    background.start("answer", answer("second"))
    urgent = asyncio.create_task(acknowledge())
    await asyncio.wait_for(finished.wait(), 30)
    await urgent
    assert order == ["acknowledged", "first", "second"]


async def test_an_error_is_logged_and_stops_nothing_else() -> None:
    background, done = Background(), asyncio.Event()

    async def bad() -> None:
        raise ValueError("a bug")

    async def good() -> None:
        done.set()

    with capture_logs() as logs:
        background.start("bad", bad())
        background.start("good", good())
        await asyncio.wait_for(done.wait(), 30)
        await background.close(30)
    assert [(entry["event"], entry["what"]) for entry in logs] == [("answer_failed", "bad")]


async def test_closing_waits_for_answers_under_way_but_not_for_ever() -> None:
    background, order, begun = Background(), list[str](), asyncio.Event()

    async def quick() -> None:
        await asyncio.sleep(0)
        order.append("answered")

    async def hanging() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            order.append("given up")

    background.start("quick", quick())
    await background.close(30)
    assert order == ["answered"]
    background.start("hanging", hanging())
    await asyncio.wait_for(begun.wait(), 30)
    await background.close(0.5)
    assert order == ["answered", "given up"]
