"""Every limit of Block Kit, at the limit and one over it, through the Web API."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import JsonValue
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace.blocks import MESSAGE, TEXT_MOST, block_problems
from bot.workspace.journal import as_json
from bot.workspace.model import Channel, JsonObject, User
from bot.workspace.server import Running
from tests.workspace.harness import (
    actions,
    button,
    mrkdwn,
    plain,
    refusal_of,
    text_input,
)

Make = Callable[[int], list[JsonObject]]


def section(**more: JsonValue) -> JsonObject:
    return {"type": "section", **more}


def option(text: str = "o", value: str = "v") -> JsonObject:
    return {"text": plain(text), "value": value}


def options(count: int) -> list[JsonValue]:
    return [option(value=str(number)) for number in range(count)]


def confirm(title: str = "t", text: str = "x", yes: str = "y", no: str = "n") -> JsonObject:
    return {"title": plain(title), "text": mrkdwn(text), "confirm": plain(yes), "deny": plain(no)}


def select(kind: str = "static_select", **more: JsonValue) -> JsonObject:
    return {"type": kind, "action_id": "a", **more}


def image(**more: JsonValue) -> JsonObject:
    return {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a", **more}


def url(length: int) -> str:
    return "https://example.com/".ljust(length, "a")


def table(rows: int, cells: int) -> JsonObject:
    cell: JsonObject = {"type": "raw_text", "text": "x"}
    return {"type": "table", "rows": [[cell] * cells for _ in range(rows)]}


DIVIDER: JsonObject = {"type": "divider"}

LIMITS: list[tuple[str, int, Make]] = [
    ("blocks in a message", 50, lambda n: [DIVIDER] * n),
    ("section text", 3000, lambda n: [section(text=mrkdwn("x" * n))]),
    ("section fields", 10, lambda n: [section(fields=[mrkdwn("x")] * n)]),
    ("one field", 2000, lambda n: [section(fields=[mrkdwn("x" * n)])]),
    ("header text", 150, lambda n: [{"type": "header", "text": plain("x" * n)}]),
    ("actions elements", 25, lambda n: [actions(*[button(f"b{i}") for i in range(n)])]),
    ("context elements", 10, lambda n: [{"type": "context", "elements": [mrkdwn("x")] * n}]),
    ("button text", 75, lambda n: [actions({"type": "button", "text": plain("x" * n), "action_id": "a"})]),
    ("button value", 2000, lambda n: [actions(button(value="x" * n))]),
    ("button url", 3000, lambda n: [actions(button(url=url(n)))]),
    ("action_id", 255, lambda n: [actions(button("x" * n))]),
    ("block_id", 255, lambda n: [actions(button(), block_id="x" * n)]),
    ("confirm title", 100, lambda n: [actions(button(confirm=confirm(title="x" * n)))]),
    ("confirm text", 300, lambda n: [actions(button(confirm=confirm(text="x" * n)))]),
    ("confirm label", 30, lambda n: [actions(button(confirm=confirm(yes="x" * n)))]),
    ("deny label", 30, lambda n: [actions(button(confirm=confirm(no="x" * n)))]),
    ("option text", 75, lambda n: [actions(select(options=[option(text="x" * n)]))]),
    ("option value", 150, lambda n: [actions(select(options=[option(value="x" * n)]))]),
    ("select options", 100, lambda n: [actions(select(options=options(n)))]),
    ("overflow options", 5, lambda n: [actions(select("overflow", options=options(n)))]),
    ("checkboxes", 10, lambda n: [actions(select("checkboxes", options=options(n)))]),
    ("radio buttons", 10, lambda n: [actions(select("radio_buttons", options=options(n)))]),
    ("image alt_text", 2000, lambda n: [image(alt_text="x" * n)]),
    ("image title", 2000, lambda n: [image(title=plain("x" * n))]),
    ("image url", 3000, lambda n: [image(image_url=url(n))]),
    ("input label", 2000, lambda n: [{**text_input(), "label": plain("x" * n)}]),
    ("input hint", 2000, lambda n: [{**text_input(), "hint": plain("x" * n)}]),
    ("input max_length", 3000, lambda n: [text_input(max_length=n)]),
    ("table rows", 100, lambda n: [table(n, 1)]),
    ("table cells", 20, lambda n: [table(1, n)]),
    ("tables in a message", 1, lambda n: [table(1, 1)] * n),
    ("markdown text", 12000, lambda n: [{"type": "markdown", "text": "x" * n}]),
    (
        "markdown text of all blocks",
        12000,
        lambda n: [{"type": "markdown", "text": "x" * 6000}, {"type": "markdown", "text": "x" * (n - 6000)}],
    ),
]


@pytest.mark.parametrize(("name", "most", "make"), LIMITS, ids=[name for name, _, _ in LIMITS])
async def test_a_message_at_the_limit_is_taken_and_one_over_it_refused(
    name: str, most: int, make: Make, client: AsyncWebClient, general: Channel
) -> None:
    taken = await client.chat_postMessage(channel=general.id, text="x", blocks=make(most))
    assert taken["ok"], name
    error = await refusal_of(client, "chat.postMessage", channel=general.id, blocks=make(most + 1))
    assert error.response["error"] == "invalid_blocks"
    messages = error.response["response_metadata"]["messages"]
    assert messages and all("[ERROR]" in m and "[json-pointer:/blocks" in m for m in messages)


@pytest.mark.parametrize(("name", "most", "make"), LIMITS, ids=[name for name, _, _ in LIMITS])
async def test_blocks_of_attachments_have_the_same_limits(
    name: str, most: int, make: Make, client: AsyncWebClient, general: Channel
) -> None:
    good, bad = ([{"color": "#d00", "blocks": make(n)}] for n in (most, most + 1))
    answer = await client.chat_postMessage(channel=general.id, text="x", attachments=good)
    assert answer["message"]["attachments"][0]["color"] == "d00", name
    error = await refusal_of(client, "chat.postMessage", channel=general.id, attachments=bad)
    assert error.response["error"] == "invalid_attachments"
    assert "/attachments/0/blocks" in str(error.response["response_metadata"]["messages"])


async def test_all_blocks_together_have_a_limit(client: AsyncWebClient, general: Channel) -> None:
    def blocks(total: int) -> list[JsonObject]:
        full, rest = divmod(total, 3000)
        sizes = [3000] * full + ([rest] if rest else [])
        return [section(text=mrkdwn("x" * size)) for size in sizes]

    await client.chat_postMessage(channel=general.id, text="x", blocks=blocks(TEXT_MOST))
    error = await refusal_of(client, "chat.postMessage", channel=general.id, blocks=blocks(TEXT_MOST + 1))
    assert error.response["error"] == "msg_blocks_too_long"


async def test_a_long_text_is_cut_and_said_so(client: AsyncWebClient, general: Channel) -> None:
    whole = await client.chat_postMessage(channel=general.id, text="x" * 40000)
    cut = await client.chat_postMessage(channel=general.id, text="x" * 40001)
    assert len(whole["message"]["text"]) == 40000 and "warning" not in whole
    assert len(cut["message"]["text"]) == 40000
    assert cut["response_metadata"]["warnings"] == ["message_truncated"]


async def test_an_edit_refuses_what_a_post_would_cut(client: AsyncWebClient, general: Channel) -> None:
    posted = await client.chat_postMessage(channel=general.id, text="x")
    await client.chat_update(channel=general.id, ts=posted["ts"], text="x" * 4000)
    where = {"channel": general.id, "ts": posted["ts"]}
    error = await refusal_of(client, "chat.update", **where, text="x" * 4001)
    assert error.response["error"] == "msg_too_long"


VIEW_LIMITS: list[tuple[str, int, Callable[[int], JsonObject]]] = [
    ("blocks in a modal", 100, lambda n: {"blocks": [DIVIDER] * n}),
    ("title", 24, lambda n: {"title": plain("x" * n)}),
    ("submit", 24, lambda n: {"submit": plain("x" * n)}),
    ("close", 24, lambda n: {"close": plain("x" * n)}),
    ("private_metadata", 3000, lambda n: {"private_metadata": "x" * n}),
    ("callback_id", 255, lambda n: {"callback_id": "x" * n}),
    ("external_id", 255, lambda n: {"external_id": "x" * n}),
]


@pytest.mark.parametrize(("name", "most", "make"), VIEW_LIMITS, ids=[name for name, _, _ in VIEW_LIMITS])
async def test_a_modal_at_the_limit_is_taken_and_one_over_it_refused(
    name: str,
    most: int,
    make: Callable[[int], JsonObject],
    running: Running,
    client: AsyncWebClient,
    person: User,
) -> None:
    base: JsonObject = {"type": "modal", "title": plain("t"), "blocks": [DIVIDER]}
    trigger = running.workspace.tickets.trigger(running.app.id, person.id)
    error = await refusal_of(client, "views.open", trigger_id=trigger, view={**base, **make(most + 1)})
    assert error.response["error"] == "invalid_arguments", name
    assert "/view" in error.response["response_metadata"]["messages"][0]
    # a view that is refused leaves the trigger id as it was
    await client.views_open(trigger_id=trigger, view={**base, **make(most)})


async def test_a_home_tab_has_at_most_100_blocks(client: AsyncWebClient, person: User) -> None:
    await client.views_publish(user_id=person.id, view={"type": "home", "blocks": [DIVIDER] * 100})
    view = {"type": "home", "blocks": [DIVIDER] * 101}
    error = await refusal_of(client, "views.publish", user_id=person.id, view=view)
    assert error.response["error"] == "invalid_arguments"


async def test_a_view_has_at_most_250_kb(client: AsyncWebClient, person: User) -> None:
    def home(size: int) -> JsonObject:
        blocks: list[JsonValue] = []
        view: JsonObject = {"type": "home", "blocks": blocks}
        frame = len(as_json(section(text=mrkdwn("")))) + 1
        while (rest := size - len(as_json(view))) > 3000 + frame:
            blocks.append(section(text=mrkdwn("x" * min(2900, rest - frame))))
        blocks.append(section(text=mrkdwn("x" * (rest - frame))))
        assert len(as_json(view)) == size
        return view

    await client.views_publish(user_id=person.id, view=home(250 * 1024))
    error = await refusal_of(client, "views.publish", user_id=person.id, view=home(250 * 1024 + 1))
    assert error.response["error"] == "view_too_large"


async def test_three_modals_may_be_stacked(running: Running, client: AsyncWebClient, person: User) -> None:
    view = {"type": "modal", "title": plain("t"), "blocks": [DIVIDER]}

    def trigger() -> str:
        return running.workspace.tickets.trigger(running.app.id, person.id)

    await client.views_open(trigger_id=trigger(), view=view)
    await client.views_push(trigger_id=trigger(), view=view)
    await client.views_push(trigger_id=trigger(), view=view)
    stack = running.workspace.open_views(person.id)
    assert [v.previous_view_id for v in stack] == [None, stack[0].id, stack[1].id]
    error = await refusal_of(client, "views.push", trigger_id=trigger(), view=view)
    assert error.response["error"] == "push_limit_reached"


@pytest.mark.parametrize(
    ("block", "complaint"),
    [
        ({"type": "sektion"}, "unsupported type: sektion [json-pointer:/blocks/0]"),
        ({"type": "section"}, "must define either `text` or `fields` [json-pointer:/blocks/0]"),
        (
            section(text=plain("")),
            "must be more than 0 characters [json-pointer:/blocks/0/text/text]",
        ),
        (
            section(text=mrkdwn("x"), colour="red"),
            "invalid additional property: colour [json-pointer:/blocks/0]",
        ),
        ({"type": "header", "text": mrkdwn("x")}, "unsupported type: mrkdwn [json-pointer:/blocks/0/text]"),
        (actions(), "must have at least 1 items [json-pointer:/blocks/0/elements]"),
        (
            actions(text_input()["element"]),
            "unsupported type: plain_text_input [json-pointer:/blocks/0/elements/0]",
        ),
        (
            actions(button(style="green")),
            "must be one of danger, primary [json-pointer:/blocks/0/elements/0/style]",
        ),
        (actions(button("a"), button("a")), "action_id already exists: a [json-pointer:/blocks/0/elements]"),
        (actions(button(url="nowhere")), "invalid url [json-pointer:/blocks/0/elements/0/url]"),
    ],
)
def test_complaints_name_the_path(block: JsonObject, complaint: str) -> None:
    assert complaint in block_problems([block], MESSAGE)


def test_a_block_id_is_unique_in_its_message() -> None:
    twice: list[JsonValue] = [{"type": "divider", "block_id": "a"}] * 2
    assert block_problems(twice, MESSAGE) == ["block_id already exists: a [json-pointer:/blocks/1/block_id]"]


async def test_blocks_and_elements_get_ids_when_they_have_none(
    client: AsyncWebClient, general: Channel
) -> None:
    row: JsonObject = {"type": "actions", "elements": [{"type": "button", "text": plain("Go")}]}
    answer = await client.chat_postMessage(channel=general.id, text="x", blocks=[row])
    shown = answer["message"]["blocks"][0]
    assert shown["block_id"] and shown["elements"][0]["action_id"]
