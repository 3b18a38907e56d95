"""What templates over payloads may do, and that nothing they can do goes on for ever or fills the memory."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from pydantic import JsonValue

from bot.engine.payload_faults import TemplateFault
from bot.engine.payload_templates import (
    LONGEST_INPUT,
    PayloadTemplate,
    check_events,
    check_text,
    check_truth,
    shortened,
)

EVENT: dict[str, JsonValue] = {
    "host": "web-1", "state": "down", "count": 3, "ratio": 0.5, "none": None, "zero": 0, "yes": True,
    "tags": [{"key": "team", "value": "shop"}, {"key": "zone", "value": "a"}], "items": ["x", "y"],
}  # fmt: skip
NAMES: dict[str, JsonValue] = {"payload": {"events": [EVENT]}, "event": EVENT}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("{{ event.host }}", "web-1"),
        ("{{ event.host }}: {{ event.state | upper }}", "web-1: DOWN"),
        ("{{ event.state != 'ok' }}", True),
        ("{{ event.zero }}", 0),
        ("{{ event.yes }}", True),
        ("{{ event.count + 1 }}", 4),
        ("{{ event.count * event.ratio }}", 1.5),
        ("{{ payload.events }}", [EVENT]),
        ("{{ event.items }}", ["x", "y"]),
        ("{{ event.tags | map(attribute='value') | join('/') }}", "shop/a"),
        ("{{ (event.tags | selectattr('key', 'eq', 'team') | first).value }}", "shop"),
        ("{{ event.missing | default('nothing') }}", "nothing"),
        ("{{ event.get('missing', 1) }}", 1),
        ("{{ event.host.split('-') | last }}", "1"),
        ("{% if event.count > 2 %}many{% else %}few{% endif %}", "many"),
        ("{{ 'up' if event.state == 'ok' else 'down' }}", "down"),
        ("plain", "plain"),
    ],
)
def test_a_template_picks_values(source: str, value: object) -> None:
    assert PayloadTemplate(source).value(NAMES) == value


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ event.host", "unexpected end of template"),
        ("{% for x in payload %}{% endfor %}", "for"),
        ("{% macro m() %}{% endmacro %}", "macro"),
        ("{% set x = 1 %}", "assign"),
        ("{% include 'x' %}", "include"),
        ("{{ range(9) }}", "cannot be called"),
        ("{{ cycler }}", "unknown name 'cycler'"),
        ("{{ event.host.format(1) }}", "format"),
        ("{{ 9 ** 9 ** 9 }}", "pow"),
        ("{{ '%1000000000d' % 1 }}", "mod"),
        ("{{ event.host | center(1000000000) }}", "center"),
        ("{{ event | attr('host') }}", "attr"),
        ("{{ event.host is callable }}", "callable"),
        ("{{ event.host | shout }}", "No filter named 'shout'"),
        ("{{ 'x' if event.host else event.state | shout }}", "No filter named 'shout'"),
        ("{% if event.host %}\n{{ event.host | shout }}{% endif %}", "line 2: No filter named 'shout'"),
        ("{% if event.host is nice %}x{% endif %}", "No test named 'nice'"),
        ("{{ event.tags | map('shout') | first }}", "No filter named 'shout'"),
        ("{{ event.tags | map('center', 9) | first }}", "No filter named 'center'"),
        ("{{ event.tags | select('nice') | first }}", "No test named 'nice'"),
        ("{{ event.tags | rejectattr('key', 'nice') | first }}", "No test named 'nice'"),
        ("one\ntwo {{ }}", "line 2"),
        ("x" * 3000, "longer than 2000"),
        ("{{ " + "(" * 900 + "1" + ")" * 900 + " }}", "too deeply"),
    ],
)
def test_what_is_not_possible_is_refused_when_it_is_read(source: str, said: str) -> None:
    with pytest.raises(TemplateFault) as fault:
        PayloadTemplate(source)
    assert said in fault.value.detail


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ event.missing }}", "no attribute 'missing'"),
        ("{{ event.missing.further }}", "no attribute 'missing'"),
        ("{{ event.none }}", "null"),
        ("{{ event.tags }}", "not a text"),
        ("{{ event.host + 1 }}", "concatenate"),
        ("{{ event.count / 0 }}", "division"),
        ("{{ '' }}", "empty"),
        ("{{ 'x' * 1000000000 }}", "only numbers"),
        ("{{ event.host.__class__ }}", "unsafe"),
        ("{{ event.host | replace('w', 'x') | replace('', 'y') }}", "nothing to replace"),
    ],
)
def test_a_template_that_does_not_fit_says_why(source: str, said: str) -> None:
    with pytest.raises(TemplateFault) as fault:
        PayloadTemplate(source).text(NAMES, 100)
    assert said in fault.value.detail


@pytest.mark.parametrize(
    ("check", "source", "said"),
    [
        (check_text, "{{ event.missing }}", None),
        (check_text, "critical", None),
        (check_text, "{{ 1 / 0 }}", "division"),
        (check_text, "{{ none }}", "null"),
        (check_text, "{{ [] }}", "not a text"),
        (check_text, " ", "empty"),
        (check_text, "{{ 'x'.missing }}", "no attribute"),
        (check_text, "{{ 'x'.upper(1) }}", "argument"),
        (check_text, "{{ event.host", "end of template"),
        (check_truth, "{{ event.state }}", None),
        (check_truth, "{% if event.yes %}true{% else %}false{% endif %}", None),
        (check_truth, "{{ true }}", None),
        (check_truth, "false", None),
        (check_truth, "yes", "neither true nor false"),
        (check_truth, "{{ 1 }}", "neither true nor false"),
        (check_truth, "{{ none }}", "neither true nor false"),
        (check_events, "{{ payload.events }}", None),
        (check_events, "{{ payload.events }}\n", None),  # Jinja takes the last line's end away
        (check_events, "{{ [payload] }}", None),
        (check_events, "{{ payload.events }} ", "a text of the list"),
        (check_events, "{% if payload.a %}{{ payload.a }}{% endif %}", "a text of the list"),
        (check_events, "{{ event.events }}", "no event yet"),
        (check_events, "{{ 'events' }}", "no list"),
        (check_events, "{{ payload.events | shout }}", "No filter named"),
    ],
)
def test_what_no_payload_could_fit_is_known_beforehand(
    check: Callable[[str], None], source: str, said: str | None
) -> None:
    try:
        check(source)
    except TemplateFault as fault:
        assert said is not None and said in fault.detail
    else:
        assert said is None


@pytest.mark.parametrize(
    "source",
    [
        "{{ event.long ~ event.long ~ event.long }}",
        "{{ event.long }}{{ event.long }}{{ event.long }}",
        "{{ event.many | join(event.long) }}",
        "{{ event.long | replace('x', event.long) }}",
        "{{ event.many | map('replace', 'x', event.long) | join }}",
    ],
)
def test_what_explodes_is_stopped(source: str) -> None:
    event: JsonValue = {"long": "x" * 1_000_000, "many": ["x"] * 100_000}
    names = {"payload": shortened(event), "event": shortened(event)}
    begun = time.monotonic()
    with pytest.raises(TemplateFault, match="longer than"):
        PayloadTemplate(source).text(names, 1000)
    assert time.monotonic() - begun < 5


def test_texts_of_a_payload_are_cut_before_templates_see_them() -> None:
    assert shortened({"a": ["x" * 50_000, 1, None]}) == {"a": ["x" * LONGEST_INPUT, 1, None]}
