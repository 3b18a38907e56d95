"""What templates over payloads may do, and that nothing they can do goes on for ever or fills the memory."""

from __future__ import annotations

import time

import pytest
from pydantic import JsonValue

from bot.engine.payload_templates import LONGEST_INPUT, PayloadTemplate, TemplateFault, shortened

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
