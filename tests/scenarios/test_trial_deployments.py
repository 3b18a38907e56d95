"""The trial's deployments as the README tells them, in a real browser: as long as they take in truth."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.ports import free_port
from tests.scenarios.test_page import address, go_to
from tests.scenarios.test_trial_start import trial

pytestmark = [pytest.mark.browser, pytest.mark.soak]

_PATIENCE_MS = 300_000.0
OPERATOR, APPROVER = "이도윤", "박서연"


@pytest.fixture
async def page(tmp_path: Path, browser: Browser) -> AsyncIterator[Page]:
    """The page of a trial that has just begun."""
    process = trial(tmp_path, free_port())
    await process.start()
    try:
        page = await browser.new_page(locale="ko-KR")
        page.set_default_timeout(_PATIENCE_MS)
        expect.set_options(timeout=_PATIENCE_MS)
        await page.goto(await address(process))
        await go_to(page, "guardian-ops")
        await expect(page.locator("#messages")).to_contain_text("시스템 상태")
        yield page
        await page.close()
    finally:
        await process.terminate()
    assert "Traceback" not in process.said()


async def act_as(page: Page, person: str) -> None:
    if person in await page.locator("#me").inner_text():
        return
    await page.locator("#me").click()
    await page.locator("#people a", has_text=person).click()
    await expect(page.locator("#me")).to_contain_text(person)


async def types(page: Page, text: str) -> None:
    box = page.locator("#write-channel")
    await box.fill(text)
    await box.press("Enter")


async def press(card: Locator, name: str) -> None:
    """A button of a card, and its confirmation where there is one."""
    await card.get_by_role("button", name=name, exact=True).click()
    confirm = card.page.locator("dialog[open]").get_by_role("button", name=name, exact=True)
    if await confirm.count():
        await confirm.click()


def message(page: Page, text: str) -> Locator:
    return page.locator("#messages > .message", has_text=re.compile(text)).last


async def deployed(page: Page, revision: str) -> Locator:
    """The card of a deployment that one has asked for and another has approved."""
    await act_as(page, OPERATOR)
    await types(page, f"/deploy shop {revision} production")
    card = message(page, rf"배포 #\d+ · shop {revision} → production")
    await expect(card).to_contain_text("승인 대기")
    await act_as(page, APPROVER)
    await press(card, "승인")
    return card


async def test_one_asks_another_approves_and_what_is_bad_comes_back_alone(page: Page) -> None:
    await act_as(page, OPERATOR)
    await types(page, "/deploy shop v2 production")
    await press(message(page, "백업 없는 작업 절대 금지"), "백업 만들기")
    await expect(message(page, r"백업 #\d+ · host:\S+ – 완료")).to_be_visible()

    good = await deployed(page, "v2")
    await expect(good).to_contain_text("배포 준비 완료, 롤백 계획 수립됨")
    await expect(good).to_contain_text("트래픽 100%")
    await expect(good).to_contain_text(re.compile(r"shop v2 → production – 완료"))
    await expect(good.get_by_role("button", name="롤백", exact=True)).to_have_count(0)

    bad = await deployed(page, "v3")
    await expect(bad).to_contain_text(re.compile(r"shop v3 → production – 롤백됨"))
    await expect(bad).to_contain_text(re.compile(r"오류율 [\d.]+% \(요청 [\d,]+건 중 \d+건\)"))
    await types(page, "/guardian deployments")
    await expect(message(page, "배포 현황")).to_contain_text("shop · production – v2")
