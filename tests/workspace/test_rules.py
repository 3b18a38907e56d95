"""Whatever JSON comes, it is judged and never trips the judge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from bot.workspace.block_rules import BLOCKS, ELEMENTS
from bot.workspace.blocks import HOME, MESSAGE, MODAL, Surface, block_problems
from bot.workspace.content import read_content
from bot.workspace.elements import HOLDINGS, held, state_of
from bot.workspace.errors import SlackError
from bot.workspace.forms import form_errors
from bot.workspace.model import JsonObject
from bot.workspace.views import read_view
from tests.workspace.harness import plain, text_input, typed

NAMES = st.sampled_from(
    [
        "type",
        "text",
        "elements",
        "element",
        "options",
        "block_id",
        "action_id",
        "value",
        "fields",
        "accessory",
        "rows",
    ]
)
WORDS = st.sampled_from([*BLOCKS, *ELEMENTS, "plain_text", "mrkdwn", "", "x"])
JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=25,
)


@given(JSON, st.sampled_from([MESSAGE, MODAL, HOME]))
def test_any_json_is_judged(value: JsonValue, surface: Surface) -> None:
    for problem in block_problems(value, surface):
        assert "[json-pointer:/blocks" in problem


@given(JSON, JSON, JSON)
def test_any_content_is_taken_or_refused(
    blocks: JsonValue, attachments: JsonValue, metadata: JsonValue
) -> None:
    given_: JsonObject = {"blocks": blocks, "attachments": attachments, "metadata": metadata}
    try:
        read_content(given_)
    except SlackError as error:
        assert error.code.startswith(("invalid_", "msg_"))


@given(JSON)
def test_any_view_is_taken_or_refused(value: JsonValue) -> None:
    try:
        read_view(value, "A", "U")
    except SlackError as error:
        assert error.code in ("invalid_arguments", "view_too_large")


@given(
    st.sampled_from(sorted(HOLDINGS)), st.dictionaries(st.sampled_from(["value", "selected_option"]), JSON)
)
def test_whatever_a_page_sends_fits_the_element(kind: str, sent: JsonObject) -> None:
    element: JsonObject = {"type": kind, "options": [{"text": plain("a"), "value": "1"}]}
    state = held(element, sent)
    assert state["type"] == kind and len(state) == 2
    if HOLDINGS[kind].key == "selected_option" and "external" not in kind:
        assert state["selected_option"] in (None, {"text": plain("a"), "value": "1"})


@pytest.mark.parametrize(
    ("element", "value", "said"),
    [
        ({"type": "plain_text_input", "min_length": 3}, "ab", "at least 3"),
        ({"type": "plain_text_input", "max_length": 3}, "abcd", "at most 3"),
        ({"type": "email_text_input"}, "nobody", "email"),
        ({"type": "url_text_input"}, "nowhere", "URL"),
        ({"type": "number_input", "is_decimal_allowed": False}, "1.5", "whole"),
        ({"type": "number_input", "is_decimal_allowed": True, "min_value": "2"}, "1.5", "at least 2"),
        ({"type": "number_input", "is_decimal_allowed": True, "max_value": "1"}, "1.5", "at most 1"),
        ({"type": "number_input", "is_decimal_allowed": True}, "x", "number"),
        ({"type": "number_input", "is_decimal_allowed": True}, "NaN", "number"),
        ({"type": "plain_text_input"}, "", "required"),
    ],
)
def test_a_form_is_checked_before_the_app_hears_of_it(element: JsonObject, value: str, said: str) -> None:
    block = {**text_input(), "element": {**element, "action_id": "value"}}
    errors = form_errors([block], state_of([block], typed(value)))
    assert said in errors["field"]


@pytest.mark.parametrize(
    ("element", "value"),
    [
        ({"type": "plain_text_input", "min_length": 3, "max_length": 3}, "abc"),
        ({"type": "email_text_input"}, "a@example.com"),
        ({"type": "url_text_input"}, "https://example.com"),
        ({"type": "number_input", "is_decimal_allowed": False, "min_value": "2", "max_value": "2"}, "2"),
    ],
)
def test_a_form_that_is_filled_in_goes_to_the_app(element: JsonObject, value: str) -> None:
    block = {**text_input(), "element": {**element, "action_id": "value"}}
    assert form_errors([block], state_of([block], typed(value))) == {}


def test_an_optional_field_may_stay_empty() -> None:
    block = {**text_input(), "optional": True}
    assert form_errors([block], state_of([block], typed(""))) == {}
