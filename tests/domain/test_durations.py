"""Durations: what people write, and back."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("15s", 15),
        ("5m", 300),
        ("500ms", 0.5),
        ("1h30m", 5400),
        ("1.5 h", 5400),
        (" 2d ", 172800),
        ("5min", 300),
    ],
)
def test_it_reads_a_duration(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "15", "s", "-5s", "5 parsecs", "5s!", "1e3s", "99999999999d"])
def test_it_refuses_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError):
        parse_duration(text)


@given(st.integers(min_value=1, max_value=10**9))
def test_what_it_writes_it_reads(milliseconds: int) -> None:
    duration = timedelta(milliseconds=milliseconds)
    assert parse_duration(format_duration(duration)) == duration
