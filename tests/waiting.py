"""Waiting for something to become true, with a ceiling that only a failure reaches."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
CEILING = 30.0
"""seconds; far beyond what anything here takes"""


async def eventually(check: Callable[[], T | None], ceiling: float = CEILING) -> T:
    """The first answer of `check` that is neither None nor False nor empty."""
    try:
        async with asyncio.timeout(ceiling):
            while not (found := check()):  # noqa: ASYNC110 - what is waited for rings no bell
                await asyncio.sleep(0.01)
            return found
    except TimeoutError:
        raise AssertionError(f"not within {ceiling:g} s: {inspect.getsource(check).strip()}") from None
