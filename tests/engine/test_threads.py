"""Calls that may block, and work that must not be left half done."""

from __future__ import annotations

import asyncio
import threading

import pytest

from bot.engine.threads import in_daemon_thread
from bot.engine.uninterrupted import uninterrupted
from tests.engine.support import until


async def test_the_result_comes_from_a_thread_that_holds_up_nothing() -> None:
    thread = await in_daemon_thread(threading.current_thread, "a-name")
    assert (thread.name, thread.daemon) == ("a-name", True)
    assert thread is not threading.current_thread()


async def test_none_is_a_result() -> None:
    known: dict[str, int] = {}
    assert await in_daemon_thread(lambda: known.get("x"), "x") is None


@pytest.mark.parametrize("error", [ValueError("x"), OSError(5, "x")])
async def test_an_exception_is_handed_over(error: Exception) -> None:
    def call() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        await in_daemon_thread(call, "x")
    assert caught.value is error


@pytest.mark.parametrize("error", [StopIteration("x"), SystemExit("x"), KeyboardInterrupt("x")])
async def test_what_would_end_more_than_the_call_is_turned_into_an_error(error: BaseException) -> None:
    def call() -> None:
        raise error

    with pytest.raises(RuntimeError, match=type(error).__name__):
        await in_daemon_thread(call, "x")


async def test_nobody_need_wait_for_it_any_more() -> None:
    gate = threading.Event()
    future = in_daemon_thread(gate.wait, "gone")
    future.cancel()
    gate.set()
    await until(lambda: not any(thread.name == "gone" for thread in threading.enumerate()))
    with pytest.raises(asyncio.CancelledError):
        await future


def test_a_thread_that_outlives_the_loop_disturbs_nobody() -> None:
    gate = threading.Event()

    async def start() -> None:
        in_daemon_thread(gate.wait, "late")

    asyncio.run(start())
    (late,) = [thread for thread in threading.enumerate() if thread.name == "late"]
    gate.set()
    late.join()


async def test_work_is_done_to_its_end_and_then_the_cancellation_is_raised() -> None:
    begun, gate, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> int:
        begun.set()
        await gate.wait()
        done.set()
        return 7

    task = asyncio.create_task(uninterrupted(work()))
    await begun.wait()
    task.cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    assert not task.done()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done.is_set()


async def test_without_a_cancellation_it_is_a_plain_call() -> None:
    async def work() -> int:
        return 7

    async def failing() -> int:
        raise ValueError("x")

    assert await uninterrupted(work()) == 7
    with pytest.raises(ValueError, match="x"):
        await uninterrupted(failing())


async def test_a_failure_after_the_cancellation_is_looked_at() -> None:
    gate = asyncio.Event()

    async def work() -> None:
        await gate.wait()
        raise ValueError("x")

    task = asyncio.create_task(uninterrupted(work()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await task
