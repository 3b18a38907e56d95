"""Nothing that comes in as a value can page people or break out of its place."""

from __future__ import annotations

import re
from datetime import datetime
from functools import partial

import pytest
from pydantic import JsonValue

from messages.escape import code_text, value_text
from messages.examples import EXAMPLES
from messages.facts import AlertListFacts, Facts
from messages.render import TemplateFailed, Voice
from tests.messages.hostile import Path, changed, leaves, strings

HOSTILE = '<!channel> <@U1> <#C1|x> & "it\'s" `x` ```\n\r\x00\u202e*b*'
TOKEN = re.compile(r"<[^>]*>")
ALLOWED = re.compile(
    r"<!date\^\d+\^\{date_num\} \{time_secs\}\|[^<>|]*>"
    r"|<@U024BE7LH>|<@U061F7AUR>|<!subteam\^S0614TZR7>|<!here>"
)
"""Moments, and those whom the examples call; `HOSTILE` names nobody of these."""
CASES = [
    pytest.param(name, facts, id=f"{name}-{state}")
    for name, states in EXAMPLES.items()
    for state, facts in states.items()
]
VOICES = (Voice("ko"), Voice("en"))
CODES = {"level", "peak_level", "from_level", "state"}
"""Facts whose values come from an enumeration that decides on colours: an unknown one may be refused."""


def assert_harmless(payload: JsonValue) -> None:
    for text in strings(payload):
        for token in TOKEN.findall(text):
            assert ALLOWED.fullmatch(token), f"{token} in {text}"
        # HTML's way with quotes is not Slack's; a user's own `&#` in a table's raw text is.
        assert "&#34;" not in text
        assert "&#39;" not in text
        assert "&quot;" not in text
        assert "&amp;lt;" not in text
        assert "&amp;amp;" not in text
        assert not re.search("[\x00-\x09\x0b-\x1f\u202a-\u202e]", text)
        assert "```" not in text
        assert text.count("`") % 2 == 0, text
        for line in text.split("\n"):
            assert line.count("`") % 2 == 0, line


def poison_at(where: Path, path: Path, value: JsonValue) -> JsonValue:
    return HOSTILE if path == where else value


def is_moment(value: JsonValue) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value) is not None
    except ValueError:
        return False


@pytest.mark.parametrize(("name", "facts"), CASES)
def test_every_string_at_once(name: str, facts: Facts) -> None:
    def poison(path: Path, value: JsonValue) -> JsonValue:
        return HOSTILE if isinstance(value, str) and path[-1] not in CODES and not is_moment(value) else value

    poisoned = changed(facts.as_json(), poison)
    assert isinstance(poisoned, dict)
    for voice in VOICES:
        assert_harmless(voice.message(name, poisoned).as_payload())


@pytest.mark.parametrize(("name", "facts"), CASES)
def test_each_string_alone_is_told_harmlessly_or_refused(name: str, facts: Facts) -> None:
    whole = facts.as_json()
    for path, value in leaves(whole):
        if not isinstance(value, str):
            continue
        poisoned = changed(whole, partial(poison_at, path))
        assert isinstance(poisoned, dict)
        for voice in VOICES:
            try:
                assert_harmless(voice.message(name, poisoned).as_payload())
            except TemplateFailed:
                assert path[-1] in CODES or is_moment(value), path
            plain = voice.plain(poisoned)
            assert "<" not in plain
            assert "`" not in plain


def test_an_ordinary_ampersand_is_escaped_once() -> None:
    facts = EXAMPLES["alert"]["firing"].as_json()
    facts["target"] = "R&D <web>"
    payload = VOICES[0].message("alert", facts).as_payload()
    assert any("대상: `R&amp;D &lt;web&gt;`" in text for text in strings(payload))


def test_table_cells_hold_no_entities_and_no_angle_brackets() -> None:
    facts = EXAMPLES["probes"]["fine"].as_json()
    first = facts["probes"]
    assert isinstance(first, tuple | list)
    assert isinstance(first[0], dict)
    first[0]["target"] = "R&D <!here>"
    payload = VOICES[0].message("probes", facts).as_payload()
    assert "R&D ‹!here›" in strings(payload["blocks"])


@pytest.mark.parametrize("user", ["U024BE7LH", "W1A2B3C"])
def test_a_user_id_becomes_a_mention(user: str) -> None:
    facts = EXAMPLES["alert"]["acked"].as_json() | {"acked_by": user}
    assert any(f"확인: <@{user}>" in text for text in strings(VOICES[0].message("alert", facts).as_payload()))


@pytest.mark.parametrize("user", ["U1>", "!channel", "u024be7lh", "U024BE7LH|x", "", "S0123"])
def test_what_is_no_user_id_becomes_no_mention(user: str) -> None:
    facts = EXAMPLES["alert"]["acked"].as_json() | {"acked_by": user}
    assert not any("<@" in text for text in strings(VOICES[0].message("alert", facts).as_payload()))


def test_mrkdwn_is_verbatim_so_that_slack_links_no_channel_names_by_itself() -> None:
    payload = VOICES[0].message("status", EXAMPLES["status"]["red"].as_json()).as_payload()
    blocks = payload["blocks"]
    assert isinstance(blocks, list)
    texts = [block["text"] for block in blocks if isinstance(block, dict) and block["type"] == "section"]
    assert texts
    assert all(isinstance(text, dict) and text["verbatim"] is True for text in texts)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("svc-.*", "svc-.∗"),
        ("*b* _i_ ~s~", "∗b∗ ˍiˍ ∼s∼"),
        ("cpu_usage", "cpu_usage"),
        ("2*3=6, a~b", "2*3=6, a~b"),
        ("**", "∗∗"),
        ("web-01", "web-01"),
    ],
)
def test_a_value_makes_nothing_bold_italic_or_struck(value: str, shown: str) -> None:
    assert value_text(value) == shown
    assert code_text(value) == f"`{value}`", "where no mark is read the value stays as it is"


def test_a_filter_stands_in_a_headline_as_it_was_typed() -> None:
    facts = AlertListFacts((), "open", 0, matcher='service=~"svc-.*"')
    assert '`service=~"svc-.*"`' in VOICES[0].message("alerts", facts.as_json()).text
