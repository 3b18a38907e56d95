"""Block Kit as HTML, every block and element."""

from __future__ import annotations

import json

import pytest
from pydantic import JsonValue

from bot.workspace.model import JsonObject
from bot.workspace.page import render
from bot.workspace.page.names import Names
from bot.workspace.page.render import Place
from bot.workspace.page.words import ENGLISH, KOREAN
from tests.workspace.page import cards
from tests.workspace.page.cards import OPTIONS, mrkdwn, option, plain
from tests.workspace.page.markup import Page
from tests.workspace.page.test_page_mrkdwn import HOSTILE

PLACE = Place(
    "m-1",
    Names(users={"U1": "이도윤", "U2": "한지우"}, channels={"C1": "general"}),
    KOREAN,
    "U1",
    people=[("U1", "이도윤"), ("U2", "한지우")],
    channels=[("C1", "#general")],
    conversations=[("C1", "#general"), ("D1", "한지우")],
)


def draw(*blocks: JsonObject) -> Page:
    return Page(render.blocks(blocks, PLACE))


def element(item: JsonObject) -> Page:
    return draw({"type": "actions", "block_id": "b", "elements": [{"action_id": "a", **item}]})


def field(item: JsonObject, **block: JsonValue) -> Page:
    return draw(
        {
            "type": "input",
            "block_id": "b",
            "label": plain("이름표"),
            "element": {"action_id": "a", **item},
            **block,
        }
    )


def test_a_section_has_text_fields_and_accessory() -> None:
    page = draw(
        {
            "type": "section",
            "block_id": "b",
            "text": mrkdwn("*굵게*"),
            "fields": [mrkdwn("a"), plain("*b*")],
            "accessory": {"type": "button", "action_id": "go", "text": plain("가기"), "value": "7"},
        }
    )
    assert len(page.all("div", class_="text field")) == 2
    assert "*b*" in page.text
    button = page.all("button")[0]
    assert (button["data-action"], button["data-value"], button["type"]) == ("go", "7", "button")


def test_header_divider_context_and_image() -> None:
    page = draw(
        {"type": "header", "block_id": "h", "text": plain("머리 :fire:")},
        {"type": "divider", "block_id": "d"},
        {
            "type": "context",
            "block_id": "c",
            "elements": [
                mrkdwn("작게"),
                {"type": "image", "image_url": "https://a.kr/i.png", "alt_text": "점"},
            ],
        },
        {
            "type": "image",
            "block_id": "i",
            "image_url": "https://a.kr/b.png",
            "alt_text": "그래프",
            "title": plain("표제"),
        },
        {"type": "image", "block_id": "f", "slack_file": {"id": "F7"}, "alt_text": "파일"},
    )
    assert page.all("h3") and page.all("hr") and "머리 🔥" in page.text
    assert [image["alt"] for image in page.all("img")] == ["점", "그래프", "파일"]
    assert page.all("img", alt="파일")[0]["src"] == "/page/U1/files/F7"
    assert "표제" in page.text


def test_a_table_has_a_head_and_aligned_columns() -> None:
    page = draw(*cards.TABLE)
    assert len(page.all("th", scope="col")) == 4
    assert len(page.all("td", class_="right")) == 8
    assert len(page.all("thead")) == len(page.all("tbody")) == 1


def test_rich_text_has_all_its_parts() -> None:
    page = draw(*cards.RICH)
    for tag in ("b", "i", "s", "code", "ul", "ol", "blockquote", "pre"):
        assert page.all(tag), tag
    assert page.all("ol")[0] == {"class": "rich indent-1", "start": "3"}
    assert page.all("a")[0]["href"] == "https://example.com/?a=1&b=2"
    assert "🚀" in page.text and "@here" in page.text


def test_buttons_have_styles_links_and_a_confirm_dialog() -> None:
    page = element({"type": "button", "text": plain("지우기"), "style": "danger", "confirm": cards.CONFIRM})
    button = page.all("button", class_="button danger")[0]
    assert button["data-confirm"] == page.all("template")[0]["id"]
    assert "정말 무시할까요?" in page.text and "그만두기" in page.text
    link = element({"type": "button", "text": plain("보기"), "url": "https://a.kr"}).all("a")[0]
    assert (link["href"], link["data-action"]) == ("https://a.kr", "a")
    assert element({"type": "button", "text": plain("보기"), "url": "javascript:alert(1)"}).all("a") == []


def test_an_overflow_menu_is_a_menu() -> None:
    page = element(
        {"type": "overflow", "options": [option("하나", "1"), {**option("둘", "2"), "url": "https://a.kr"}]}
    )
    opener = page.all("button", aria_haspopup="menu")[0]
    assert opener["popovertarget"] == page.all("div", role="menu")[0]["id"]
    assert page.all("button", role="menuitem")[0]["data-value"] == "1"
    assert page.all("a", role="menuitem")[0]["href"] == "https://a.kr"


@pytest.mark.parametrize(
    ("item", "values", "picked"),
    [
        (
            {"type": "static_select", "options": OPTIONS, "initial_option": OPTIONS[1]},
            ["1h", "4h", "24h"],
            ["4h"],
        ),
        (
            {"type": "static_select", "option_groups": [{"label": plain("묶음"), "options": OPTIONS[:2]}]},
            ["1h", "4h"],
            [],
        ),
        (
            {"type": "multi_static_select", "options": OPTIONS, "initial_options": OPTIONS[:2]},
            ["1h", "4h", "24h"],
            ["1h", "4h"],
        ),
        ({"type": "users_select", "initial_user": "U2"}, ["U1", "U2"], ["U2"]),
        ({"type": "multi_users_select", "initial_users": ["U1", "U2"]}, ["U1", "U2"], ["U1", "U2"]),
        ({"type": "channels_select"}, ["C1"], []),
        ({"type": "multi_conversations_select", "initial_conversations": ["D1"]}, ["C1", "D1"], ["D1"]),
    ],
)
def test_select_menus_offer_and_remember(item: JsonObject, values: list[str], picked: list[str]) -> None:
    page = element(item)
    assert [found["data-value"] for found in page.all("div", role="option")] == values
    hidden = page.all("input", type="hidden")
    assert [found["value"] for found in hidden] == picked
    assert all(found["name"] == render.control_name("b", "a") for found in hidden)
    combo = page.all("input", role="combobox")[0]
    assert combo["aria-controls"] == page.all("div", role="listbox")[0]["id"]


def test_an_external_select_asks_the_app() -> None:
    page = element({"type": "external_select", "min_query_length": 2, "initial_option": OPTIONS[0]})
    assert page.all("div", data_source="external")[0]["data-least"] == "2"
    assert json.loads(page.all("input", type="hidden")[0]["value"] or "") == OPTIONS[0]


@pytest.mark.parametrize(
    ("item", "tag", "wanted"),
    [
        (
            {"type": "plain_text_input", "initial_value": "값", "max_length": 9},
            "input",
            {"value": "값", "maxlength": "9"},
        ),
        ({"type": "plain_text_input", "multiline": True}, "textarea", {}),
        ({"type": "number_input", "initial_value": "7"}, "input", {"inputmode": "decimal", "value": "7"}),
        ({"type": "email_text_input"}, "input", {"inputmode": "email"}),
        ({"type": "url_text_input"}, "input", {"inputmode": "url"}),
        (
            {"type": "datepicker", "initial_date": "2026-11-23"},
            "input",
            {"type": "date", "value": "2026-11-23"},
        ),
        ({"type": "timepicker", "initial_time": "09:30"}, "input", {"type": "time", "value": "09:30"}),
        (
            {"type": "datetimepicker", "initial_date_time": 7},
            "input",
            {"type": "datetime-local", "data-moment": "7"},
        ),
        ({"type": "file_input", "filetypes": ["png"]}, "input", {"type": "file", "accept": ".png"}),
        ({"type": "rich_text_input"}, "textarea", {}),
    ],
)
def test_every_input_is_labelled(item: JsonObject, tag: str, wanted: dict[str, str]) -> None:
    page = field(item, hint=plain("도움"), optional=True)
    label = page.all("label")[0]
    control = page.all(tag, id=label["for"] or "")[0]
    assert control["aria-labelledby"] == label["id"]
    notes = (control["aria-describedby"] or "").split()
    assert {note["id"] for note in page.all("p")} == set(notes)
    assert wanted.items() <= control.items()
    assert "(선택 사항)" in page.text and "도움" in page.text
    assert "data-act" not in control


@pytest.mark.parametrize(("kind", "type_"), [("radio_buttons", "radio"), ("checkboxes", "checkbox")])
def test_choices_are_groups(kind: str, type_: str) -> None:
    page = field(
        {"type": kind, "options": OPTIONS, "initial_option": OPTIONS[0], "initial_options": OPTIONS[:1]}
    )
    choices = page.all("input", type=type_)
    assert [choice["value"] for choice in choices] == ["1h", "4h", "24h"]
    assert ["checked" in choice for choice in choices] == [True, False, False]
    assert "점심때까지" in page.text


def test_an_input_that_dispatches_says_so() -> None:
    on_character: JsonObject = {"trigger_actions_on": ["on_character_entered"]}
    page = field({"type": "plain_text_input", "dispatch_action_config": on_character}, dispatch_action=True)
    control = page.all("input")[0]
    assert "data-act" in control and control["data-on"] == "character"


def test_attachments_have_a_bar_in_their_colour() -> None:
    page = Page(
        render.attachments(
            [
                {"color": "#d9a400", "blocks": [{"type": "divider", "block_id": "x"}]},
                {
                    "color": "good",
                    "title": "제목",
                    "title_link": "https://a.kr",
                    "text": "*t*",
                    "footer": "끝",
                    "ts": 7,
                    "fields": [{"title": "칸", "value": "값", "short": True}],
                },
                {"color": '"><script>', "fallback": "대신"},
            ],
            PLACE,
        )
    )
    assert [rect.get("fill") for rect in page.all("rect")] == ["#d9a400", "#2eb886", None]
    assert page.all("time")[0]["data-unix"] == "7"
    assert "대신" in page.text and "칸" in page.text
    assert page.dangers() == []


def hostile_blocks(text: str) -> list[JsonObject]:
    kinds = ("static_select", "multi_static_select", "external_select", "radio_buttons", "checkboxes")
    choice: JsonObject = {"text": plain(text), "value": text, "description": plain(text), "url": text}
    elements: list[JsonValue] = [
        {
            "type": "button",
            "action_id": text,
            "text": plain(text),
            "value": text,
            "url": text,
            "style": text,
            "confirm": {
                "title": plain(text),
                "text": mrkdwn(text),
                "confirm": plain(text),
                "deny": plain(text),
            },
        },
        {"type": "overflow", "action_id": text, "options": [choice]},
        {"type": "datepicker", "action_id": text, "initial_date": text},
    ]
    elements += [
        {
            "type": kind,
            "action_id": text,
            "placeholder": plain(text),
            "options": [choice],
            "initial_option": choice,
            "initial_options": [choice],
        }
        for kind in kinds
    ]
    inputs: list[JsonObject] = [
        {
            "type": kind,
            "action_id": text,
            "placeholder": plain(text),
            "initial_value": text,
            "max_length": text,
        }
        for kind in ("plain_text_input", "number_input", "email_text_input", "url_text_input")
    ]
    fields: list[JsonObject] = [
        {"type": "input", "block_id": text, "label": plain(text), "hint": plain(text), "element": item}
        for item in inputs
    ]
    cell: JsonObject = {"type": "raw_text", "text": text}
    return [
        {"type": "section", "block_id": text, "text": mrkdwn(text), "fields": [mrkdwn(text), plain(text)]},
        {"type": "header", "block_id": text, "text": plain(text)},
        {"type": "context", "block_id": text, "elements": [mrkdwn(text)]},
        {"type": "image", "block_id": text, "image_url": text, "alt_text": text, "title": plain(text)},
        {"type": "table", "block_id": text, "rows": [[cell], [cell]], "column_settings": [{"align": text}]},
        {"type": "markdown", "block_id": text, "text": text},
        {"type": "video", "block_id": text, "title": plain(text), "title_url": text, "alt_text": text},
        {"type": "file", "block_id": text, "external_id": text},
        {"type": "actions", "block_id": text, "elements": elements},
        *fields,
        {
            "type": "rich_text",
            "block_id": text,
            "elements": [
                {
                    "type": "rich_text_section",
                    "elements": [{"type": "text", "text": text}, {"type": "link", "url": text}],
                },
                {"type": "rich_text_preformatted", "elements": [{"type": "emoji", "name": text}]},
                {"type": "rich_text_list", "style": text, "elements": []},
            ],
        },
        {"type": text, "block_id": text},
    ]


@pytest.mark.parametrize("text", [*HOSTILE, "javascript:alert(1)", "\"'><svg onload=alert(1)>", "{{ 7*7 }}"])
def test_hostile_text_in_every_field_stays_text(text: str) -> None:
    page = draw(*hostile_blocks(text))
    assert page.dangers() == []
    attachment: JsonObject = dict.fromkeys(
        (
            "color",
            "pretext",
            "author_name",
            "author_link",
            "title",
            "title_link",
            "text",
            "footer",
            "image_url",
        ),
        text,
    )
    assert Page(render.attachments([attachment], PLACE)).dangers() == []


def test_the_same_definition_has_the_same_signature_and_ids() -> None:
    first, again = draw(*cards.MENUS), draw(*json.loads(json.dumps(cards.MENUS)))
    assert first.elements == again.elements
    changed = draw({**cards.MENUS[0], "text": mrkdwn("다른 글")}, cards.MENUS[1])
    signatures = [
        [block["data-sig"] for block in page.all("div") if "data-sig" in block] for page in (first, changed)
    ]
    assert signatures[0][0] != signatures[1][0] and signatures[0][1] == signatures[1][1]


def test_both_languages_say_everything() -> None:
    for words in (KOREAN, ENGLISH):
        assert all(getattr(words, name) for name in words.__slots__)
    shared = {name for name in KOREAN.__slots__ if getattr(KOREAN, name) == getattr(ENGLISH, name)}
    assert shared == set()
