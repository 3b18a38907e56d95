"""How numbers, sizes, durations and moments are written."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from messages import formats
from messages.escape import clip, truncate
from messages.render import Voice

KO, EN = Voice("ko"), Voice("en")


def say(voice: Voice, expression: str, **values: object) -> str:
    """What a template would print for that expression."""
    environment = voice.environment(slack=False)
    return environment.from_string("{{ " + expression + " }}").render(values)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (82, "82%"),
        (82.0, "82%"),
        (82.34, "82.3%"),
        (0, "0%"),
        (0.05, "0.05%"),
        (0.004, "0.004%"),
        (99.95, "99.95%"),
        (99.9996, "99.9996%"),
        (99.96, "99.96%"),
        (100.0, "100%"),
        (1.25, "1.2%"),
    ],
)
def test_percentages(value: float, text: str) -> None:
    assert formats.percent(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "korean", "english"),
    [
        (1234.5, "ms", "1,234ms", "1,234ms"),
        (4.21, "ms", "4.2ms", "4.2ms"),
        (12_345, "ms", "12.3초", "12.3s"),
        (192, "s", "3분 12초", "3m 12s"),
        (0.25, "s", "250ms", "250ms"),
        (3600, "s", "1시간", "1h"),
        (183_600, "s", "2일 3시간", "2d 3h"),
        (0, "s", "0초", "0s"),
        (59.96, "s", "1분", "1m"),
        (812, "B", "812 B", "812 B"),
        (1536, "B", "1.5 KiB", "1.5 KiB"),
        (1_258_291, "B/s", "1.2 MiB/s", "1.2 MiB/s"),
        (3.25, "/s", "3.25/s", "3.25/s"),
        (1200, "rps", "1,200 rps", "1,200 rps"),
        (0.42, "", "0.42", "0.42"),
        (12_345, "", "12,345", "12,345"),
    ],
)
def test_values_with_their_units(value: float, unit: str, korean: str, english: str) -> None:
    assert say(KO, "value | amount(unit)", value=value, unit=unit) == korean
    assert say(EN, "value | amount(unit)", value=value, unit=unit) == english


def test_zero_is_a_value() -> None:
    assert say(KO, "reading | value", reading={"value": 0.0, "unit": "%", "metric": "cpu_usage"}) == "0%"


def test_moments_are_shown_in_the_configured_zone_where_slack_cannot_help() -> None:
    moment = "2025-08-20T05:03:05+00:00"
    assert say(KO, "at | moment", at=moment) == "2025-08-20 14:03:05 KST"
    utc = Voice("en", ZoneInfo("UTC"))
    assert say(utc, "at | moment", at=moment) == "2025-08-20 05:03:05 UTC"
    slack = utc.environment(slack=True).from_string("{{ at | moment }}").render(at=moment)
    assert slack == "<!date^1755666185^{date_num} {time_secs}|2025-08-20 05:03:05 UTC>"


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        formats.parse_moment("2025-08-20T05:03:05")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2025-08-20T05:03:05Z", "2025-08-20 14:03:05 KST"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+14:00"),
        ("2025-08-20T05:03:05", "2025-08-20T05:03:05"),
        ("a < b", "a < b"),
    ],
)
def test_a_fact_that_no_clock_shows_is_text(text: str, shown: str) -> None:
    assert say(KO, "text | fact", text=text) == shown
    slack = KO.environment(slack=True).from_string("{{ text | fact }}").render(text=text)
    assert slack.startswith("<!date^" if shown.endswith("KST") else "`")


@pytest.mark.parametrize(
    ("text", "is_sentence"),
    [
        ("Green was not healthy within 14.6 s. There was no answer", True),
        ("5xx 응답이 지난 5분 동안 늘었습니다.", True),
        ("v1.2.", False),
        ("https://shop.example.com/?", False),
        ("postgres 31.4 %, java 20 %", False),
        ("#21", False),
    ],
)
def test_a_fact_that_is_a_sentence_is_written_as_one(text: str, is_sentence: bool) -> None:
    slack = KO.environment(slack=True).from_string("{{ text | fact }}").render(text=text)
    assert slack == (text if is_sentence else f"`{text}`")


def test_a_clock_that_ran_backwards_gives_no_negative_duration() -> None:
    later, sooner = "2025-08-20T05:03:05+00:00", "2025-08-20T05:03:04+00:00"
    assert say(EN, "a | between(b)", a=later, b=sooner) == "0s"


def test_unknown_codes_keep_their_own_name() -> None:
    assert say(KO, "name | term('metric')", name="queue_depth") == "queue_depth"
    assert say(KO, "name | term('metric')", name="cpu_usage") == "CPU 사용률"
    assert say(KO, "code | reason({})", code="never_heard") == "never_heard"


def test_reasons_name_what_they_know() -> None:
    sentence = say(KO, "'below_confirmation' | reason({'bad': 2, 'needed': 3})")
    assert sentence == "나쁜 값이지만 아직 확정하지 않습니다 (연속 2회, 3회부터 발령)."
    assert say(EN, "'below_confirmation' | reason({})") == "A bad value, not confirmed yet."
    assert "82.5%" in say(EN, "'still_firing' | reason({'value': 82.5, 'unit': '%', 'band': None})")


def test_cutting() -> None:
    assert truncate("abcdef", 6) == "abcdef"
    assert truncate("abcdefg", 6) == "abcde…"
    assert clip("a" * 10 + "&amp;" * 3, 14) == "a" * 10 + "…"
    assert clip("first line here\nsecond line", 24) == "first line here\n…"
    assert clip("x `" + "c" * 30 + "`", 12) == "x `ccccccc…`"
    assert clip("see <@U024BE7LH> and more", 12) == "see …"


@pytest.mark.parametrize(
    ("values", "beside", "drawn"),
    [
        ([], [], ""),
        ([0.0, 0.0], [], "▁▁"),
        ([0.0, 5.0, 10.0], [], "▁▅█"),
        ([5.0, None], [10.0], "▅·"),
        ([float("inf"), 1.0], [float("nan"), None], "·█"),
        ([-3.0, 1.0], [], "▁█"),
    ],
)
def test_a_line_is_drawn_from_zero_to_the_greatest_of_both(
    values: list[float | None], beside: list[float | None], drawn: str
) -> None:
    assert formats.spark(values, beside) == drawn
