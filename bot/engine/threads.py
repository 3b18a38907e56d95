"""Calling what may block for ever, without letting it hold up the end of the process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def in_daemon_thread(call: Callable[[], T], name: str) -> asyncio.Future[T]:
    """Run `call` in a thread of its own; the future has its result, or what it raised as an Exception.

    A thread pool's threads are waited for when the process ends, and a full pool makes the next caller
    wait. A dead NFS mount may hang a call for hours: it shall cost one thread and nothing else.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            # A future takes no StopIteration, and the loop ends at a SystemExit: neither is meant here.
            usual = isinstance(error, Exception) and not isinstance(error, StopIteration)
            future.set_exception(error if usual else RuntimeError(f"{type(error).__name__}: {error}"))
        else:
            future.set_result(result)  # type: ignore[arg-type]  # T may itself allow None

    def run() -> None:
        result: T | None = None
        error: BaseException | None = None
        try:
            result = call()
        except BaseException as raised:  # noqa: BLE001 - not swallowed: handed to whoever waits
            error = raised
        try:
            loop.call_soon_threadsafe(settle, result, error)
        except RuntimeError:
            pass  # the loop has ended meanwhile: nobody waits any more

    threading.Thread(target=run, name=name, daemon=True).start()
    return future
