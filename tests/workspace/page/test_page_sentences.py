"""Sentences of the workspace in Korean: every one that its form check can say."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from bot.workspace.forms import form_errors
from bot.workspace.model import JsonObject
from bot.workspace.page.sentences import translated


@pytest.mark.parametrize(
    ("element", "held", "korean"),
    [
        ({"type": "plain_text_input"}, {"value": None}, "꼭 채워야 하는 칸입니다."),
        ({"type": "plain_text_input", "min_length": 5}, {"value": "짧음"}, "5자 이상 적어 주세요."),
        ({"type": "plain_text_input", "max_length": 2}, {"value": "길다고"}, "2자까지만 적을 수 있습니다."),
        ({"type": "email_text_input"}, {"value": "a"}, "전자 우편 주소를 바르게 적어 주세요."),
        ({"type": "url_text_input"}, {"value": "a"}, "http:// 또는 https:// 로 시작하는 주소를 적어 주세요."),
        ({"type": "number_input", "is_decimal_allowed": True}, {"value": "a"}, "숫자를 적어 주세요."),
        ({"type": "number_input", "is_decimal_allowed": False}, {"value": "1.5"}, "정수를 적어 주세요."),
        (
            {"type": "number_input", "is_decimal_allowed": True, "min_value": "-1.5"},
            {"value": "-2"},
            "-1.5 이상의 숫자를 적어 주세요.",
        ),
        (
            {"type": "number_input", "is_decimal_allowed": False, "max_value": "9"},
            {"value": "10"},
            "9 이하의 숫자를 적어 주세요.",
        ),
        (
            {"type": "multi_users_select", "max_selected_items": 1},
            {"selected_users": ["U1", "U2"]},
            "1개까지만 고를 수 있습니다.",
        ),
    ],
)
def test_what_the_form_check_says_is_translated(
    element: JsonObject, held: dict[str, JsonValue], korean: str
) -> None:
    block: JsonObject = {"type": "input", "block_id": "b", "element": {"action_id": "a", **element}}
    sentence = form_errors([block], {"b": {"a": {"type": element["type"], **held}}})["b"]
    assert translated(sentence, "ko") == korean
    assert translated(sentence, "en") == sentence


def test_an_apps_own_sentence_stays() -> None:
    assert translated("At least 5 of 7, please.", "ko") == "At least 5 of 7, please."
