"""The page in a real browser, against a running workspace with a plain Bolt app."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from playwright.async_api import FilePayload, Page, expect

from bot.slack.files import upload
from messages import blocks
from messages.chart_facts import ChartFacts
from messages.charts import render
from tests.workspace.page import cards
from tests.workspace.page.conftest import Opener, until
from tests.workspace.page.sample import Sample

pytestmark = pytest.mark.browser

MESSAGES = "#messages > .message"
CHART = ChartFacts(
    "CPU 사용률 · web-1",
    "cpu_usage",
    "%",
    tuple((f"2025-11-29T05:{minute:02}:00+00:00", 40.0 + minute) for minute in range(52)),
    (("warning", 70.0), ("critical", 85.0)),
    fired_at="2025-11-29T05:46:00+00:00",
)


async def type_and_send(page: Page, text: str, box: str = "#write-channel") -> None:
    await page.fill(box, text)
    await page.press(box, "Escape")
    await page.press(box, "Enter")


async def test_commands_are_completed_and_run(sample: Sample, open_page: Opener) -> None:
    page = await open_page()
    box = page.locator("#write-channel")
    await expect(box).to_be_focused()
    await page.keyboard.type("/sa")
    options = page.locator("#completion-channel [role=option]:visible")
    await expect(options).to_have_text([re.compile("/sample"), re.compile("/salute")])
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("#completion-channel .at")).to_contain_text("/salute")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Tab")
    await expect(box).to_have_value("/sample ")
    await expect(page.locator("#usage-channel")).to_have_text("/sample [card|modal|whisper|slow]")
    await page.keyboard.type("<b>안녕</b>")
    await page.keyboard.press("Enter")
    await expect(box).to_have_value("")
    reply = page.locator(MESSAGES).last
    await expect(reply).to_contain_text("들었습니다: <b>안녕</b>")
    await expect(reply).to_contain_text("나에게만 보임")
    assert sample.heard.commands == ["&lt;b&gt;안녕&lt;/b&gt;"]


async def test_messages_are_written_by_keyboard_and_seen_by_others(sample: Sample, open_page: Opener) -> None:
    mine, theirs = await open_page("doyun.lee"), await open_page("minjun.choi")
    await mine.keyboard.type("@최")
    await mine.keyboard.press("Enter")
    await expect(mine.locator("#write-channel")).to_have_value("@minjun.choi ")
    await mine.keyboard.type("첫 줄 <script>alert(1)</script>")
    await mine.keyboard.press("Shift+Enter")
    await mine.keyboard.type("둘째 줄 *굵게*")
    await mine.keyboard.press("Enter")
    for page, highlighted in ((mine, 0), (theirs, 1)):
        message = page.locator(MESSAGES).last
        await expect(message.locator(".text")).to_have_text(
            re.compile(r"@최민준 첫 줄 <script>alert\(1\)</script>\s*둘째 줄 굵게")
        )
        await expect(message.locator(".mention.me")).to_have_count(highlighted)
        await expect(message.locator(".text b")).to_have_text("굵게")


async def test_a_card_changes_in_place_after_a_click(sample: Sample, open_page: Opener) -> None:
    page = await open_page()
    ts = await sample.post(cards.ALERT)
    card = page.locator(f"[id='m-{ts}']")
    await expect(card.locator("rect")).to_have_attribute("fill", "#d9a400")
    await expect(card.locator("time").first).to_have_text(re.compile("오전|오후"))
    await card.get_by_role("button", name="확인").click()
    await expect(card).to_contain_text("메모리 사용률 71%, 안전 범위")
    await expect(card.locator("rect")).to_have_attribute("fill", "#2eb886")
    assert sample.heard.actions[0]["value"] == "v1"


async def test_a_confirm_dialog_is_asked_first(sample: Sample, open_page: Opener) -> None:
    page = await open_page()
    await sample.post(cards.ALERT)
    ignore = page.get_by_role("button", name="무시", exact=True)
    await ignore.click()
    dialog = page.locator("#confirm")
    await expect(dialog).to_contain_text("하루 동안 알림이 오지 않습니다.")
    await page.keyboard.press("Escape")
    await expect(dialog).not_to_be_visible()
    await expect(ignore).to_be_focused()
    await ignore.click()
    await dialog.get_by_role("button", name="그만두기").click()
    await expect(dialog).not_to_be_visible()
    assert sample.heard.actions == []
    await ignore.click()
    await dialog.get_by_role("button", name="무시하기").click()
    await until(lambda: [action["action_id"] for action in sample.heard.actions] == ["silence"])


async def test_menus_are_worked_by_keyboard(sample: Sample, open_page: Opener) -> None:
    page = await open_page()
    await sample.say("메뉴", blocks=cards.MENUS)
    more = page.locator(".overflow button[aria-haspopup]")
    await more.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menuitem", name="자세히")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(more).to_be_focused()

    long = page.get_by_role("combobox", name="얼마 동안")
    await long.focus()
    await page.keyboard.press("ArrowDown")
    await expect(long).to_have_attribute("aria-expanded", "true")
    await page.keyboard.type("하루")
    await page.keyboard.press("Enter")
    await expect(long).to_have_value("하루")
    await expect(long).to_have_attribute("aria-expanded", "false")

    far = page.get_by_role("combobox", name="지역")
    await far.fill("부")
    await page.get_by_role("option", name="부산").click()
    await expect(far).to_have_value("부산")

    day = page.locator("input[type=date]")
    await day.fill("2026-12-25")

    def heard() -> list[object]:
        actions = sample.heard.actions
        chosen = [action.get("selected_option") for action in actions]
        values = [option["value"] for option in chosen if isinstance(option, dict)]
        return [*values, *(action["selected_date"] for action in actions if "selected_date" in action)]

    await until(lambda: heard() == ["history", "24h", "부산", "2026-12-25"])


async def test_a_button_is_busy_until_it_is_acknowledged(sample: Sample, open_page: Opener) -> None:
    page = await open_page()
    await sample.say("메뉴", blocks=cards.MENUS)
    button = page.get_by_role("button", name="기다리기")
    await button.click()
    await expect(button).to_have_attribute("aria-busy", "true")
    sample.heard.go_on.set()
    await expect(button).not_to_have_attribute("aria-busy", "true")


async def test_a_command_without_answer_is_said_to_have_timed_out(sample: Sample, open_page: Opener) -> None:
    page = await open_page()
    await type_and_send(page, "/sample slow")
    await expect(page.locator(".notice")).to_contain_text(
        "/sample 명령이 “operation_timeout” 오류로 실패했습니다."
    )
    sample.heard.go_on.set()
    await page.locator(".notice").get_by_role("button", name="메시지 숨기기").click()
    await expect(page.locator(".notice")).to_have_count(0)


async def test_a_modal_shows_errors_and_then_succeeds(sample: Sample, open_page: Opener) -> None:
    page = await open_page()
    await type_and_send(page, "/sample modal")
    modal = page.locator("#modal")
    await expect(modal).to_be_visible()
    reason = modal.get_by_label("이유")
    await expect(reason).to_be_focused()
    await modal.get_by_role("button", name="재우기").click()
    await expect(reason).to_have_attribute("aria-invalid", "true")
    await expect(modal.get_by_text("꼭 채워야 하는 칸입니다.")).to_have_count(1)
    assert sample.heard.submissions == []

    await reason.fill("짧음")
    await modal.get_by_role("combobox", name="얼마 동안").click()
    await modal.get_by_role("option", name="네 시간").click()
    await modal.get_by_role("combobox", name="함께 알릴 사람").fill("한지")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Escape")
    await expect(modal.get_by_role("button", name="한지우 빼기")).to_be_visible()
    await modal.get_by_label("하루").check()
    await modal.get_by_role("button", name="재우기").click()
    await expect(modal.get_by_text("다섯 글자 이상 적어 주세요.")).to_be_visible()
    await expect(reason).to_be_focused()
    await expect(reason).to_have_value("짧음")

    await reason.fill("점검을 하는 중입니다")
    log = FilePayload(name="app.log", mimeType="text/plain", buffer=b"line")
    await modal.get_by_label("증거").set_input_files(files=[log])
    await page.keyboard.press("Control+Enter")
    await expect(modal).not_to_be_visible()
    last = sample.heard.submissions[-1]
    assert last["reason"] == {"text": {"type": "plain_text_input", "value": "점검을 하는 중입니다"}}
    assert last["team"] == {
        "pick": {"type": "multi_users_select", "selected_users": [sample.person("jiwoo.han")]}
    }
    assert last["until"] == {"pick": {"type": "datetimepicker", "selected_date_time": 1764000000}}
    assert '"name": "app.log"' in json.dumps(last["proof"])
    assert len(sample.heard.submissions) == 2


async def test_an_unknown_command_is_named(sample: Sample, open_page: Opener) -> None:
    page = await open_page()
    await type_and_send(page, "/nothing at all")
    await expect(page.locator(".notice")).to_contain_text("/nothing 명령은 없습니다.")
    assert sample.heard.commands == []


async def test_views_are_stacked_and_esc_goes_back(sample: Sample, open_page: Opener) -> None:
    page = await open_page()
    await type_and_send(page, "/sample modal")
    modal = page.locator("#modal")
    await modal.get_by_label("이유").fill("한 단계 더")
    await modal.get_by_role("button", name="재우기").click()
    await expect(modal.get_by_role("heading", name="둘째 단계")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(modal.get_by_role("heading", name="알림 재우기")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(modal).not_to_be_visible()
    await expect(page.locator("#write-channel")).to_be_focused()


async def test_an_ephemeral_message_is_for_one_and_can_be_hidden(sample: Sample, open_page: Opener) -> None:
    mine, theirs = await open_page("doyun.lee"), await open_page("jiwoo.han")
    await type_and_send(mine, "/sample whisper")
    whisper = mine.locator(MESSAGES).filter(has_text="이 문장은 혼자만 봅니다.")
    await expect(whisper).to_be_visible()
    await sample.say("모두에게")
    await expect(theirs.locator(MESSAGES).last).to_contain_text("모두에게")
    await expect(theirs.get_by_text("혼자만")).to_have_count(0)
    await whisper.get_by_role("button", name="메시지 숨기기").click()
    await expect(whisper).to_have_count(0)


async def test_a_thread_opens_beside_and_is_counted(sample: Sample, open_page: Opener) -> None:
    page, other = await open_page(), await open_page("jiwoo.han")
    ts = await sample.post(cards.ALERT)
    card = page.locator(f"[id='m-{ts}']")
    await card.hover()
    await card.get_by_role("link", name="댓글 달기").click()
    panel = page.get_by_role("complementary", name="스레드")
    await expect(panel.locator("rect")).to_have_attribute("fill", "#d9a400")
    await expect(page.locator("#write-thread")).to_be_focused()
    await page.keyboard.type("보고 있습니다")
    await page.keyboard.press("Enter")
    await expect(panel.locator("#replies .message")).to_have_count(2)
    await expect(other.locator(f"[id='m-{ts}']")).to_contain_text("댓글 1개")
    await expect(other.locator(MESSAGES)).to_have_count(1)
    await panel.get_by_role("button", name="확인").click()
    for place in (panel, card):
        await expect(place.get_by_text("메모리 사용률 71%, 안전 범위")).to_be_visible()
    await page.locator("#write-thread").focus()
    await page.keyboard.press("Escape")
    await expect(panel).not_to_be_visible()
    assert not page.url.endswith(ts)


async def test_people_and_channels_are_switched_and_unread_is_marked(
    sample: Sample, open_page: Opener
) -> None:
    page = await open_page()
    random = page.locator("a.room", has_text="random")
    await random.click()
    await expect(page.get_by_role("heading", name="random")).to_be_visible()
    await sample.say("새 소식")
    general = page.locator("a.room", has_text="general")
    await expect(general).to_have_class(re.compile("unread"))
    await expect(page).to_have_title(re.compile(r"^\(1\)"))
    await page.keyboard.press("Alt+ArrowUp")
    await expect(general).to_have_attribute("aria-current", "page")
    await expect(general).not_to_have_class(re.compile("unread"))

    await page.locator("#me").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#people [aria-current]")).to_be_focused()
    await page.get_by_role("menuitem", name="최민준").click()
    await expect(page.locator("#me")).to_contain_text("최민준")
    await type_and_send(page, "나는 다른 사람")
    await expect(page.locator(MESSAGES).last.locator(".by")).to_contain_text("최민준")


async def test_language_and_appearance_are_remembered(open_page: Opener) -> None:
    page = await open_page(locale="en-US", color_scheme="dark")
    colour = "getComputedStyle(document.body).backgroundColor"
    assert await page.evaluate(colour) == "rgb(23, 25, 28)"
    await expect(page.locator("#write-channel")).to_have_attribute("placeholder", "Message #general")
    await page.get_by_role("button", name="Appearance: Light").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "light")
    assert await page.evaluate(colour) == "rgb(255, 255, 255)"
    await page.get_by_role("button", name="한국어").click()
    await expect(page.locator("html")).to_have_attribute("lang", "ko")
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("data-theme", "light")
    await expect(page.locator("#write-channel")).to_have_attribute("placeholder", "#general에 메시지 보내기")


async def test_reactions_are_given_and_taken_back(sample: Sample, open_page: Opener) -> None:
    page, other = await open_page(), await open_page("jiwoo.han")
    await sample.say("잘했어요")
    message = page.locator(MESSAGES).last
    await message.hover()
    await message.get_by_role("button", name="반응 추가: eyes").click()
    given = message.get_by_role("button", name="eyes 1")
    await expect(given).to_have_attribute("aria-pressed", "true")
    await other.get_by_role("button", name="eyes 1").click()
    await message.get_by_role("button", name="eyes 2").click()
    await expect(message.get_by_role("button", name="eyes 1")).to_have_attribute("aria-pressed", "false")


async def test_messages_are_walked_by_keyboard(sample: Sample, open_page: Opener) -> None:
    page = await open_page()
    for text in ("하나", "둘", "셋"):
        await sample.say(text)
    await expect(page.locator(MESSAGES)).to_have_count(3)
    await page.locator("#write-channel").focus()
    await page.keyboard.press("Shift+Tab")
    message = page.locator(MESSAGES)
    await expect(message.nth(2)).to_be_focused()
    await page.keyboard.press("ArrowUp")
    await expect(message.nth(1)).to_be_focused()
    await page.keyboard.press("k")
    await expect(message.nth(0)).to_be_focused()
    await page.keyboard.press("j")
    await page.keyboard.press("Tab")
    await expect(message.nth(1).get_by_role("button", name="반응 추가: white_check_mark")).to_be_focused()
    opener = message.nth(1).get_by_role("button", name="반응 추가", exact=True)
    await opener.focus()
    await page.keyboard.press("ArrowDown")
    await expect(message.nth(1).get_by_role("menuitem").first).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(opener).to_be_focused()
    await message.nth(1).focus()
    await page.keyboard.press("t")
    await expect(page.locator("#write-thread")).to_be_focused()


async def test_earlier_messages_are_fetched(sample: Sample, open_page: Opener) -> None:
    workspace, person = sample.running.workspace, sample.person("jiwoo.han")
    for number in range(1, 101):
        await workspace.post_as_user(person, sample.channel(), f"소식 {number}")
    page = await open_page()
    await expect(page.locator(MESSAGES)).to_have_count(80)
    await expect(page.locator(MESSAGES).last).to_be_in_viewport()
    await page.get_by_role("link", name="이전 메시지 보기").click()
    await expect(page.locator(MESSAGES)).to_have_count(100)
    await expect(page.locator(MESSAGES).first).to_contain_text("소식 1")


async def test_the_home_tab_and_its_buttons(sample: Sample, open_page: Opener) -> None:
    page = await open_page()
    await page.locator("a.room", has_text="표본").click()
    await page.get_by_role("link", name="홈").click()
    await expect(page.get_by_role("heading", name="안녕하세요, 수호자입니다")).to_be_visible()
    button = page.get_by_role("button", name="새로 고침")
    await button.click()
    await until(lambda: [action["action_id"] for action in sample.heard.actions] == ["refresh"])


async def test_files_are_shown_or_offered(sample: Sample, open_page: Opener, tmp_path: Path) -> None:
    page = await open_page()
    log, picture = tmp_path / "app.log", tmp_path / "dot.png"
    log.write_text("한 줄\n", "utf-8")
    await page.screenshot(path=picture)
    for path in (log, picture):
        await page.set_input_files("#composer-channel [type=file]", path)
        await expect(page.locator("#composer-channel .attached")).to_contain_text(path.name)
        await page.press("#write-channel", "Enter")
        await expect(page.locator(MESSAGES).last).to_contain_text(path.name)
    async with page.expect_download() as download:
        await page.locator(".shared.file").click()
    assert (await download.value).suggested_filename == "app.log"
    shown = page.locator(".shared img")
    await expect(shown).to_have_js_property("complete", True)
    assert await shown.evaluate("image => image.naturalWidth") > 0


async def test_a_chart_comes_into_a_card_by_an_edit(
    sample: Sample, open_page: Opener, tmp_path: Path
) -> None:
    page = await open_page()
    body = blocks.section("judgement", "*CPU 사용률*")
    card = blocks.as_json(blocks.attachment("critical", [body], "x"))
    ts = await sample.say("긴급", attachments=[card])
    chart = render(CHART)
    assert chart is not None
    file_id = await upload(sample.client, chart, "alert-7.png", CHART.title, "그래프: 91%")
    await until(lambda: time.time() > sample.running.workspace.book.files[file_id].ready_at)
    picture = blocks.image("chart", file_id, "그래프: 91%")
    card = blocks.as_json(blocks.attachment("critical", [body, picture], "x"))
    await sample.client.chat_update(channel=sample.channel(), ts=ts, text="긴급", attachments=[card])
    shown = page.locator(MESSAGES).last.get_by_role("img", name="그래프: 91%")
    await expect(shown).to_be_visible()
    await expect(shown).to_have_js_property("complete", True)
    assert await shown.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [1000, 320]
    box = await shown.bounding_box()
    assert box is not None and box["width"] > 300


async def test_an_update_keeps_what_is_typed_and_the_focus(sample: Sample, open_page: Opener) -> None:
    page = await open_page()
    blocks = [cards.MENUS[1], {"type": "section", "block_id": "s", "text": cards.mrkdwn("먼저")}]
    ts = await sample.say("메뉴", blocks=blocks)
    await page.get_by_role("combobox", name="담당자").click()
    await page.keyboard.type("박")
    await page.fill("#write-channel", "쓰던 글")
    await page.get_by_role("button", name="기다리기").focus()
    blocks[1] = {"type": "section", "block_id": "s", "text": cards.mrkdwn("나중")}
    await sample.client.api_call(
        "chat.update", json={"channel": sample.channel(), "ts": ts, "text": "메뉴", "blocks": blocks}
    )
    await expect(page.locator(MESSAGES).last).to_contain_text("나중")
    await expect(page.locator(MESSAGES).last).to_contain_text("(편집됨)")
    await expect(page.get_by_role("button", name="기다리기")).to_be_focused()
    await expect(page.locator("#write-channel")).to_have_value("쓰던 글")


async def test_a_lost_connection_is_shown_and_heals(sample: Sample, open_page: Opener) -> None:
    page = await open_page()
    await page.fill("#write-channel", "쓰던 글")
    await sample.running.faults.away(3.0)
    await expect(page.locator("#status")).to_be_visible()
    await expect(page.locator("#status")).not_to_be_visible()
    await sample.running.workspace.post_as_user(sample.person("jiwoo.han"), sample.channel(), "다시 왔다")
    await expect(page.locator(MESSAGES).last).to_contain_text("다시 왔다")
    await expect(page.locator("#write-channel")).to_have_value("쓰던 글")


async def test_it_fits_a_narrow_screen(sample: Sample, open_page: Opener) -> None:
    page = await open_page(viewport={"width": 360, "height": 740})
    await sample.post(cards.ALERT)
    await sample.say("표", blocks=cards.TABLE)
    await expect(page.locator("table")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    await page.get_by_role("button", name="메뉴", exact=True).click()
    await expect(page.locator("a.room", has_text="random")).to_be_in_viewport()
    await page.keyboard.press("Escape")
    await expect(page.locator("a.room", has_text="random")).not_to_be_in_viewport()
