"""From posted forms to Slack's state, and the small decisions around requests."""

from __future__ import annotations

import json

import pytest
from multidict import MultiDict

from bot.workspace.model import JsonObject
from bot.workspace.page import forms
from bot.workspace.page.guard import is_loopback_host
from bot.workspace.page.render import control_name
from bot.workspace.page.words import ENGLISH, KOREAN, Words, choose
from tests.workspace.page.cards import MENUS, MODAL, OPTIONS


def posted(**values: str | list[str]) -> MultiDict[str]:
    form: MultiDict[str] = MultiDict()
    for key, held in values.items():
        block_id, action_id = key.split("__")
        for value in [held] if isinstance(held, str) else held:
            form.add(control_name(block_id, action_id), value)
    return form


def test_a_form_becomes_slacks_state() -> None:
    blocks = MODAL["blocks"]
    assert isinstance(blocks, list)
    state = forms.state_values(
        [block for block in blocks if isinstance(block, dict)],
        posted(
            reason__text="왜냐하면", long__pick="4h", team__pick=["U1", "U2"], level__pick="1h",
            extra__pick=["4h", "24h"], until__pick="1764000000",
        ),
    )  # fmt: skip
    assert state == {
        "reason": {"text": {"type": "plain_text_input", "value": "왜냐하면"}},
        "long": {"pick": {"type": "static_select", "selected_option": OPTIONS[1]}},
        "team": {"pick": {"type": "multi_users_select", "selected_users": ["U1", "U2"]}},
        "level": {"pick": {"type": "radio_buttons", "selected_option": OPTIONS[0]}},
        "extra": {"pick": {"type": "checkboxes", "selected_options": OPTIONS[1:]}},
        "until": {"pick": {"type": "datetimepicker", "selected_date_time": 1764000000}},
        "mail": {"text": {"type": "email_text_input", "value": None}},
    }


def test_buttons_and_overflow_menus_hold_nothing() -> None:
    state = forms.state_values(MENUS, MultiDict())
    assert state["choose"] == {
        "long": {"type": "static_select", "selected_option": None},
        "who": {"type": "users_select", "selected_user": None},
        "day": {"type": "datepicker", "selected_date": None},
        "far": {"type": "external_select", "selected_option": None},
    }
    assert "row" not in state


def test_an_external_option_travels_whole() -> None:
    option: JsonObject = {"text": {"type": "plain_text", "text": "서울"}, "value": "s"}
    assert forms.chosen("external_select", [json.dumps(option)], {}) == {"selected_option": option}
    assert forms.chosen("external_select", ["no JSON"], {}) == {"selected_option": {"value": "no JSON"}}


@pytest.mark.parametrize(
    ("cookie", "accepted", "words"),
    [
        (None, "", KOREAN),
        (None, "ko-KR,ko;q=0.9,en;q=0.8", KOREAN),
        (None, "en-US,en;q=0.9,ko;q=0.8", ENGLISH),
        (None, "fr-FR,fr;q=0.9", KOREAN),
        (None, "fr,en;q=0.3", ENGLISH),
        (None, "ko;q=0.2,en;q=0.7", ENGLISH),
        ("en", "ko", ENGLISH),
        ("xx", "en", ENGLISH),
        (None, "nonsense;;;q=,en", ENGLISH),
    ],
)
def test_the_language_is_the_readers(cookie: str | None, accepted: str, words: Words) -> None:
    assert choose(cookie, accepted) is words


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1:8080", True),
        ("localhost", True),
        ("[::1]:80", True),
        ("evil.example", False),
        ("127.0.0.1.evil.example:80", False),
        ("localhost@evil.example", False),
        ("[", False),
        ("", False),
    ],
)
def test_only_this_machines_names_are_answered(host: str, loopback: bool) -> None:
    assert is_loopback_host(host) is loopback
