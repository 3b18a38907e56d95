"""The page on a telephone, and in English."""

from __future__ import annotations

import base64

import pytest
from playwright.async_api import Locator, Page, ViewportSize, expect

from bot.workspace.model import User
from bot.workspace.page.shown import display_name
from tests.workspace.page import cards
from tests.workspace.page.conftest import Opener
from tests.workspace.page.sample import Sample

_BRIGHTNESS = """async (png) => {
  const picture = await createImageBitmap(new Blob([Uint8Array.from(atob(png), (c) => c.charCodeAt(0))]));
  const canvas = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
  canvas.drawImage(picture, 0, 0);
  const { data } = canvas.getImageData(0, 0, picture.width, picture.height);
  return data.reduce((sum, value) => sum + value, 0) / data.length;
}"""


async def edge(page: Page, table: Locator) -> float:
    """How bright the table's right edge is within its second row, 0 to 255."""
    box, row = await table.bounding_box(), await table.locator("tr").nth(1).bounding_box()
    assert box is not None
    assert row is not None
    clip = {"x": box["x"] + box["width"] - 5, "y": row["y"] + 3, "width": 3, "height": row["height"] - 6}
    picture = await page.screenshot(clip={name: float(value) for name, value in clip.items()})  # type: ignore[arg-type]  # a FloatRect
    return float(await page.evaluate(_BRIGHTNESS, base64.b64encode(picture).decode()))


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "sign"), [("light", -1), ("dark", 1)])
async def test_a_wide_table_shows_that_it_goes_on(
    sample: Sample, open_page: Opener, scheme: str, sign: int
) -> None:
    await sample.say("표", blocks=cards.TABLE)
    page = await open_page(viewport=ViewportSize(width=360, height=800), color_scheme=scheme)
    table = page.locator(".table-wrap")
    await expect(table).to_be_visible()
    assert await table.evaluate("(box) => box.scrollWidth > box.clientWidth + 8")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    heights = await table.evaluate("(box) => [...box.querySelectorAll('tr')].map((row) => row.offsetHeight)")
    assert max(heights) < 3 * min(heights), "no row is a column of single words"
    before = await edge(page, table)
    await table.evaluate("(box) => { box.scrollLeft = box.scrollWidth; }")
    await expect(table).to_be_visible()
    assert sign * (before - await edge(page, table)) > 10


_LINES = """(text) => {
  const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
  const places = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    for (let at = 0; at < node.length; at += 1) places.push([node, at, node.data[at]]);
  }
  const whole = places.map(([, , character]) => character).join("");
  return [...whole.matchAll(/[0-9a-z]+(?:-[0-9a-z/]+)+/g)].map((match) => {
    const tops = new Set();
    for (const [node, at] of places.slice(match.index, match.index + match[0].length)) {
      const range = document.createRange();
      range.setStart(node, at);
      range.setEnd(node, at + 1);
      tops.add(Math.round(range.getBoundingClientRect().bottom / 8));
    }
    return [match[0], tops.size];
  });
}"""
"""Every word with hyphens, and on how many lines it stands."""


@pytest.mark.browser
async def test_dates_and_names_stay_on_one_line(sample: Sample, open_page: Opener) -> None:
    lines = [
        f"{'가' * shift} web-1/ 다음 2026-11-29 그리고 `db-2/data` 그리고 <!date^1795910400^{{date_num}}|x>"
        for shift in range(1, 24)
    ]
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": line}} for line in lines]
    plain = [{"type": "section", "text": {"type": "plain_text", "text": line}} for line in lines[:9]]
    await sample.say("줄", blocks=[*blocks, *plain])
    page = await open_page(viewport=ViewportSize(width=390, height=844))
    body = page.locator("#messages > .message").last.locator(".body")
    await expect(body).to_contain_text("2026-11-29 그리고 db-2/data 그리고 2026-11-29")
    words = await body.evaluate(_LINES)
    assert len(words) == 4 * len(lines) + 3 * len(plain)
    assert [word for word, on in words if on > 1] == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.browser
async def test_english_readers_see_english_names(sample: Sample, open_page: Opener) -> None:
    page = await open_page("jiwoo.han", locale="en-US")
    await page.keyboard.type("Hello @doyun.lee")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Enter")
    message = page.locator("#messages > .message").last
    await expect(message.locator(".text")).to_have_text("Hello @Doyun Lee")
    await expect(message.locator(".by b")).to_have_text("Jiwoo Han")
    await expect(page.locator("#me b")).to_have_text("Jiwoo Han")
    korean = await open_page("doyun.lee")
    await expect(korean.locator("#messages > .message").last.locator(".by b")).to_have_text("한지우")


@pytest.mark.parametrize(
    ("display", "real", "english"),
    [
        ("한지우", "한지우 Jiwoo Han", "Jiwoo Han"),
        ("한지우", "한지우", "한지우"),
        ("한지우", "Jiwoo Han", "Jiwoo Han"),
        ("Ann", "Ann Lee", "Ann"),
        ("Zoë", "Zoë", "Zoë"),
        ("", "", "handle"),
    ],
)
def test_a_name_is_spelled_for_its_reader(display: str, real: str, english: str) -> None:
    user = User(id="U1", name="handle", real_name=real, display_name=display)
    assert display_name(user, "en") == english
    assert display_name(user, "ko") == (display or real or "handle")
