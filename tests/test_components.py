"""The shared fixtures themselves: a database that is empty, a browser that shows a page."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine


@pytest.mark.parametrize("again", [1, 2])
async def test_every_test_has_an_empty_database_of_its_own(empty_store_url: str, again: int) -> None:
    engine = create_async_engine(empty_store_url)
    try:
        async with engine.begin() as connection:
            # Fails the second time if the database were the first one's.
            await connection.execute(text("CREATE TABLE watch (word TEXT)"))
            await connection.execute(text("INSERT INTO watch VALUES ('수호자')"))
            assert (await connection.execute(text("SELECT word FROM watch"))).scalar_one() == "수호자"
    finally:
        await engine.dispose()


@pytest.mark.browser
async def test_the_browser_has_a_font_for_korean(browser: Browser) -> None:
    page = await browser.new_page()
    # Without a font every syllable is drawn as the same empty box.
    pictures = await page.evaluate(
        """['수', '호', '자'].map(syllable => {
            const canvas = document.createElement('canvas');
            const pen = canvas.getContext('2d');
            pen.font = '40px sans-serif';
            pen.fillText(syllable, 10, 60);
            return canvas.toDataURL();
        })"""
    )
    assert len(set(pictures)) == 3
