"""`guardian run --trial` as a new user tries it, in a real browser."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect
from pydantic import JsonValue

from tests.ports import free_port
from tests.process import Process, configuration
from tests.waiting import CEILING, eventually

pytestmark = pytest.mark.browser

_PATIENCE = CEILING * 1000
LOWERED: JsonValue = {"target": "< 0.1%", "warning": "0.1-99.9%", "critical": "> 99.9%"}
RAISED: JsonValue = {"target": "< 99.9%", "critical": ">= 99.9%"}


@pytest.fixture
async def trial(tmp_path: Path) -> AsyncIterator[Process]:
    """A trial that watches this machine's memory with a lowered band; the test starts it."""
    settings = configuration(tmp_path, free_port())
    probes = settings["probes"]
    assert isinstance(probes, dict)
    settings |= {
        "probes": {**probes, "memory": {"interval": "1s"}},
        "infrastructure_kpis": {"memory_usage": LOWERED},
        "rules": {"default": {"confirm": 2, "clear": 2, "margin": 0}},
    }
    port = free_port()
    kept = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    process = Process(tmp_path, settings, kept, ("run", "--trial", "--port", str(port)))
    yield process
    if process.process is not None:
        await process.terminate()


async def address(trial: Process) -> str:
    """The address that it prints."""
    found = await eventually(lambda: re.search(r"http://127\.0\.0\.1:\d+\S*", trial.said()))
    return found.group()


async def go_to(page: Page, channel: str) -> None:
    """Open a channel by its link."""
    await page.get_by_role("link", name=re.compile(channel)).first.click()
    await expect(page).to_have_title(re.compile(channel))


async def test_a_new_user_asks_and_acknowledges_in_the_page(trial: Process, browser: Browser) -> None:
    await trial.start()
    page = await browser.new_page(locale="ko-KR")
    page.set_default_timeout(_PATIENCE)
    expect.set_options(timeout=_PATIENCE)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    await page.goto(await address(trial))

    await go_to(page, "guardian-ops")
    await expect(page.locator("#messages")).to_contain_text("시스템 상태")
    box = page.locator("#write-channel")
    await box.click()
    await page.keyboard.type("/guardian status")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Enter")
    answer = page.locator("#messages .message.ephemeral").last
    await expect(answer).to_contain_text("시스템 상태")
    await expect(answer).to_contain_text(re.compile(r"메모리 사용률 \d+(\.\d+)?%"))

    await go_to(page, "guardian-alerts")
    first = page.locator("#messages > .message", has_text="⚠️ 주의: 메모리 사용률").first
    card = page.locator(f"[id='{await first.get_attribute('id')}']")
    # Nothing that the page draws from here on comes from a reload: the mark would be gone.
    await page.evaluate("window.notReloaded = true")
    await card.get_by_role("button", name="확인", exact=True).click()
    await expect(card).to_contain_text("확인: @")
    await expect(card.get_by_role("button", name="확인", exact=True)).to_have_count(0)

    assert await trial.terminate() == 0
    trial.settings = {**trial.settings, "infrastructure_kpis": {"memory_usage": RAISED}}
    await trial.start()
    await expect(card).to_contain_text("✅ 해결")
    assert await page.evaluate("window.notReloaded") is True
    assert problems == []
    assert "Traceback" not in trial.said()
    await page.close()


async def test_a_taken_port_is_a_sentence(trial: Process) -> None:
    port = int(trial.arguments[-1])
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", port)
    async with server:
        await trial.start()
        assert await trial.wait() == 2
    assert "다른 프로그램이 쓰고 있습니다" in trial.said()
    assert str(port) in trial.said()
    assert "Traceback" not in trial.said()
