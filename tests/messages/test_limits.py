"""Whatever the values, the local workspace takes the message: it refuses what Slack would refuse."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from bot.workspace.blocks import HOME, block_problems
from bot.workspace.content import read_content
from messages.answer_facts import HelpFacts
from messages.example_facts import ACKED, COMMANDS, GREEN, MEMORY, PROBES, READINGS
from messages.examples import EXAMPLES
from messages.facts import (
    AlertDetailFacts,
    AlertListFacts,
    CommandFacts,
    DecisionFacts,
    Facts,
    HomeFacts,
    ProbeListFacts,
)
from messages.render import Voice
from tests.messages.hostile import Path, changed
from tests.messages.test_escaping import CODES, assert_harmless, is_moment

NEVER_EDITED = ("storm_digest", "explain")
VOICES = (Voice("ko"), Voice("en"))
HUGE = "호스트-<&>`" * 700
NUMBERS = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.integers(-(10**18), 10**18),
    st.sampled_from([0, 0.0, -0.0, 0.05, 99.95, 99.9999999, 100, 82, 1e-12]),
)
TEXTS = st.one_of(
    st.text(st.characters(codec=None), max_size=60),
    st.text(st.sampled_from(list("<>&`*_~|!@#\n\t\x00\u2028\ud800🔥가")), max_size=6000),
    st.sampled_from(["", " ", HUGE, "`" * 5000, "&" * 5000, "\ud83d" * 4000]),
)


def assert_accepted(name: str, facts: Facts | dict[str, JsonValue]) -> None:
    values = facts if isinstance(facts, dict) else facts.as_json()
    for voice in VOICES:
        message = voice.message(name, values)
        payload = message.as_payload()
        json.dumps(payload, ensure_ascii=False).encode("utf-8")
        assert message.text.strip()
        if name == "home":
            view = voice.home(values)
            assert block_problems(view["blocks"], HOME) == []
            assert len(json.dumps(view).encode()) < 250_000
        else:
            content = read_content(payload)
            assert content.warnings == ()
            # What chat.update takes, and for what is never edited what chat.postMessage leaves uncut.
            assert len(message.text) <= (39_500 if name in NEVER_EDITED else 4000)
        assert_harmless(payload)


@pytest.mark.parametrize("name", list(EXAMPLES))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(data=st.data())
def test_any_values(name: str, data: st.DataObject) -> None:
    state = data.draw(st.sampled_from(list(EXAMPLES[name])))
    share = data.draw(st.sampled_from([2, 4, 1]))
    text, number = data.draw(TEXTS), data.draw(NUMBERS)

    def shake(path: Path, value: JsonValue) -> JsonValue:
        if len(str(path)) % share:
            return value
        if isinstance(value, str) and path[-1] not in CODES and not is_moment(value):
            return text
        if isinstance(value, float):
            return float(number)
        return value

    shaken = changed(EXAMPLES[name][state].as_json(), shake)
    assert isinstance(shaken, dict)
    assert_accepted(name, shaken)


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_huge_values_everywhere(name: str) -> None:
    def huge(path: Path, value: JsonValue) -> JsonValue:
        return HUGE if isinstance(value, str) and path[-1] not in CODES and not is_moment(value) else value

    for facts in EXAMPLES[name].values():
        swollen = changed(facts.as_json(), huge)
        assert isinstance(swollen, dict)
        assert_accepted(name, swollen)


def test_a_host_name_of_5000_characters_is_shown_cut() -> None:
    card = VOICES[0].message("alert", replace(MEMORY, target="h" * 5000).as_json())
    assert "대상: `hhhhhh" in json.dumps(card.attachments, ensure_ascii=False)
    assert "h…`" in json.dumps(card.attachments, ensure_ascii=False)


MANY_ALERTS = tuple(replace(ACKED, id=n, metric="disk_usage", target=HUGE) for n in range(300))
MANY_READINGS = tuple(
    replace(READINGS[6], target=f"https://{n}.example.com/{HUGE}", level="critical" if n % 3 == 0 else None)
    for n in range(1000)
)
MANY_METRICS = tuple(replace(READINGS[0], metric=f"metric_{n}", target=HUGE) for n in range(200))
MANY_FACTS = {f"fact {n} {HUGE}": HUGE for n in range(50)}


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("alert", replace(ACKED, facts=MANY_FACTS)),
        ("alerts", AlertListFacts(MANY_ALERTS, "all", 300)),
        ("status", replace(GREEN, alerts=MANY_ALERTS, readings=MANY_READINGS + MANY_METRICS)),
        ("startup", replace(GREEN, alerts=MANY_ALERTS, readings=MANY_READINGS)),
        (
            "home",
            HomeFacts(replace(GREEN, alerts=MANY_ALERTS, readings=MANY_READINGS), "/guardian", COMMANDS * 30),
        ),
        (
            "probes",
            ProbeListFacts(tuple(replace(PROBES[0], name=f"{n} {HUGE}", target=HUGE) for n in range(500))),
        ),
        ("probe", replace(PROBES[0], readings=MANY_METRICS)),
        ("help", HelpFacts("/guardian", tuple(CommandFacts(HUGE, HUGE, HUGE) for _ in range(100)))),
        (
            "alert_detail",
            AlertDetailFacts(
                replace(ACKED, facts=MANY_FACTS),
                tuple(
                    DecisionFacts(ACKED.detected_at, HUGE, HUGE + str(n), HUGE, HUGE, HUGE, HUGE)
                    for n in range(200)
                ),
            ),
        ),
    ],
)
def test_many_things_at_once(name: str, facts: Facts) -> None:
    assert_accepted(name, facts)


def test_a_thousand_targets_are_a_few_lines_that_count_right() -> None:
    message = VOICES[1].message("status", replace(GREEN, readings=MANY_READINGS).as_json())
    text = json.dumps(message.blocks)
    assert "331 more targets with trouble" in text  # 334 are bad, three of them shown
    assert "666 other targets in safe range" in text


def test_values_that_are_no_number_are_still_shown() -> None:
    for value in (math.nan, math.inf, -math.inf):
        assert_accepted("alert", replace(MEMORY, value=value, peak=value))
