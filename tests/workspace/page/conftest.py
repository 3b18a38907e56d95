"""A running workspace with the sample app, and the page in a browser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.workspace.page.sample import Sample, running_sample

# Generous: a slow machine must not fail a test that only waits for a condition.
expect.set_options(timeout=30_000)

Opener = Callable[..., Awaitable[Page]]


async def until(condition: Callable[[], bool], ceiling: float = 30.0) -> None:
    """Wait for a condition outside the browser; the ceiling in seconds is generous on purpose."""
    async with asyncio.timeout(ceiling):
        while not condition():  # noqa: ASYNC110  # any state may be awaited; it has no event
            await asyncio.sleep(0.02)


@pytest.fixture
async def sample(tmp_path: Path) -> AsyncIterator[Sample]:
    """A workspace with the sample app connected."""
    async with running_sample(tmp_path / "state") as sample:
        yield sample


@pytest.fixture
async def open_page(browser: Browser, sample: Sample) -> AsyncIterator[Opener]:
    """Opens the page as one person; fails the test when the browser complains about anything."""
    complaints: list[str] = []

    async def opened(
        handle: str = "doyun.lee", *, path: str = "", locale: str = "ko-KR", **context: object
    ) -> Page:
        made = await browser.new_context(locale=locale, timezone_id="Asia/Seoul", **context)  # type: ignore[arg-type]  # passed on
        page = await made.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda message: complaints.append(message.text) if "Security Policy" in message.text else None,
        )
        await page.goto(sample.address(handle) + path)
        await expect(page.locator("html[data-live]")).to_be_attached()
        return page

    yield opened
    assert complaints == []
