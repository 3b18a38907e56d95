"""Times as people type them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.time_notation import leading_end, leading_length, leading_span

SEOUL = ZoneInfo("Asia/Seoul")
NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)  # 18:00 in Seoul


@pytest.mark.parametrize(
    ("text", "minutes", "rest"),
    [
        ("for 2h deployment", 120, "deployment"),
        ("2h", 120, ""),
        ("2시간 배포", 120, "배포"),
        ("2 시간 동안 배포", 120, "배포"),
        ("1시간 30분 배포", 90, "배포"),
        ("1h30m x", 90, "x"),
        ("90 minutes, x", 90, "x"),
        ("30분동안 점검", 30, "점검"),
        ("1일 x", 1440, "x"),
        ("0.5h x", 30, "x"),
        ("FOR 2H x", 120, "x"),
    ],
)
def test_a_length_of_time(text: str, minutes: float, rest: str) -> None:
    assert leading_length(text) == (timedelta(minutes=minutes), rest)


@pytest.mark.parametrize("text", ["", "for ever", "2 months", "2hx", "soon", "18:00", "-2h"])
def test_what_is_no_length(text: str) -> None:
    assert leading_length(text) is None


@pytest.mark.parametrize(
    ("text", "end", "rest"),
    [
        ("until 18:30 x", "2026-03-01 18:30", "x"),
        ("until 17:00 x", "2026-03-02 17:00", "x"),
        ("18:30까지 배포", "2026-03-01 18:30", "배포"),
        ("until 2026-03-01 20:00", "2026-03-01 20:00", ""),
        ("until 2026-02-01T20:00 x", "2026-02-01 20:00", "x"),
        ("for 2h x", "2026-03-01 20:00", "x"),
    ],
)
def test_an_end(text: str, end: str, rest: str) -> None:
    span = leading_end(text, NOW, SEOUL)
    assert span is not None
    assert (span.starts_at, f"{span.ends_at.astimezone(SEOUL):%Y-%m-%d %H:%M}", span.rest) == (NOW, end, rest)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("22:00-02:00 x", "2026-03-01 22:00", "2026-03-02 02:00"),
        ("from 22:00 until 23:00 x", "2026-03-01 22:00", "2026-03-01 23:00"),
        ("22:00부터 23:00까지 x", "2026-03-01 22:00", "2026-03-01 23:00"),
        ("17:50 ~ 19:00 x", "2026-03-01 17:50", "2026-03-01 19:00"),
        ("10:00 11:00 x", "2026-03-02 10:00", "2026-03-02 11:00"),
        ("now 2h x", "2026-03-01 18:00", "2026-03-01 20:00"),
        ("지금 2시간 x", "2026-03-01 18:00", "2026-03-01 20:00"),
        ("2026-03-05 22:00 for 2h x", "2026-03-05 22:00", "2026-03-06 00:00"),
        ("2026-03-05T22:00 2026-03-06T01:00 x", "2026-03-05 22:00", "2026-03-06 01:00"),
    ],
)
def test_a_span(text: str, start: str, end: str) -> None:
    span = leading_span(text, NOW, SEOUL)
    assert span is not None
    shown = [f"{moment.astimezone(SEOUL):%Y-%m-%d %H:%M}" for moment in (span.starts_at, span.ends_at)]
    assert (*shown, span.rest) == (start, end, "x")


@pytest.mark.parametrize("text", ["", "x", "22:00", "25:00-26:00", "2026-02-30 10:00 2h", "22:00 reason"])
def test_what_is_no_span(text: str) -> None:
    assert leading_span(text, NOW, SEOUL) is None


@given(st.text(st.sampled_from(list("0123456789:-~T hms시간분일 forutilnow지금부터까지.")), max_size=80))
def test_junk_is_no_time_and_nothing_worse(text: str) -> None:
    leading_length(text)
    leading_end(text, NOW, SEOUL)
    leading_span(text, NOW, SEOUL)
