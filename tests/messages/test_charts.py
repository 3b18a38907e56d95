"""The chart on an alert's card, down to its pixels."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import pairwise

import pytest
from PIL import Image, ImageColor

from messages.blocks import COLORS
from messages.chart_facts import ChartFacts
from messages.chart_frame import frame_of
from messages.chart_text import writable
from messages.charts import BOTTOM, HEIGHT, PANEL, TOP, WIDTH, render

NOW = datetime(2025, 11, 29, 5, 40, tzinfo=UTC)
CPU = (("warning", 70.0), ("critical", 85.0))


def ago(minutes: float) -> str:
    return (NOW - timedelta(minutes=minutes)).isoformat()


def course(value: Callable[[int], float | None], count: int = 180) -> tuple[tuple[str, float | None], ...]:
    """One value a minute."""
    return tuple((ago(count - 1 - index), value(index)) for index in range(count))


SHAPES = {
    "flat": ChartFacts(
        "메모리 사용률 · db-1", "memory_usage", "%", course(lambda _: 82.0), CPU, fired_at=ago(20)
    ),
    "spike": ChartFacts(
        "CPU 사용률 · web-1",
        "cpu_usage",
        "%",
        course(lambda minute: 93.0 if 140 < minute < 170 else 35.0 + minute % 5),
        CPU,
        fired_at=ago(38),
        resolved_at=ago(36),
    ),
    "gap": ChartFacts(
        "응답시간 · https://shop.example.com",
        "response_time",
        "ms",
        course(lambda minute: None if 60 < minute < 100 else 180.0 + minute),
        (("warning", 200.0), ("critical", 500.0)),
        fired_at=ago(30),
    ),
    "forecast": ChartFacts(
        "디스크 사용률 · /var",
        "disk_usage",
        "%",
        course(lambda minute: 70 + minute * 0.09),
        (("warning", 85.0), ("critical", 95.0)),
        fired_at=ago(6),
        forecast=((ago(-600), 140.0),),
    ),
    "one point": ChartFacts("코어당 부하", "load_average", "", ((ago(0), 7.31),), (("warning", 2.0),)),
    "falling": ChartFacts(
        "가용성 · api",
        "uptime",
        "%",
        course(lambda minute: 100 - max(0, minute - 100) * 0.008),
        (("warning", 99.9), ("critical", 99.5)),
        rising=False,
    ),
    "five levels close together": ChartFacts(
        "오류율 · 결제 서비스, whose name is much longer than any heading could ever be, even a wide one",
        "error_rate",
        "%",
        course(lambda minute: 1.3 if minute > 160 else 0.0),
        (("info", 0.01), ("warning", 0.02), ("error", 0.03), ("critical", 0.04), ("emergency", 2.0)),
        fired_at=ago(18),
    ),
    "all zero": ChartFacts("스왑 사용률", "swap_usage", "%", course(lambda _: 0.0)),
    "negative": ChartFacts("온도", "custom", "", course(lambda minute: minute - 90.0)),
    "only bad checks at the end": ChartFacts(
        "CPU 사용률", "cpu_usage", "%", course(lambda minute: 30.0 if minute < 130 else None), CPU
    ),
    "reachable": ChartFacts(
        "서비스 응답",
        "reachable",
        "",
        course(lambda minute: float(minute < 120)),
        (("critical", 1.0),),
        rising=False,
    ),
    "huge": ChartFacts("네트워크 수신", "network_receive_rate", "B/s", course(lambda minute: 1e18 * minute)),
}


def picture(facts: ChartFacts) -> Image.Image:
    drawn = render(facts)
    assert drawn is not None
    with Image.open(BytesIO(drawn)) as opened:
        return opened.convert("RGB")


def translated(facts: ChartFacts) -> ChartFacts:
    values = {name: getattr(facts, name) for name in ChartFacts.__slots__}
    return ChartFacts(**values | {"language": "en", "timezone": "America/St_Johns"})


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_a_small_picture_of_the_agreed_size(shape: str, language: str) -> None:
    facts = SHAPES[shape] if language == "ko" else translated(SHAPES[shape])
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a letter without a glyph, a scale without an extent
        drawn = render(facts)
    assert drawn is not None
    assert len(drawn) < 40_000
    with Image.open(BytesIO(drawn)) as opened:
        opened.load()
        assert (opened.format, opened.size) == ("PNG", (WIDTH, HEIGHT))


@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_is_cut_off_at_the_edges(shape: str) -> None:
    shown = picture(SHAPES[shape])
    ground = ImageColor.getrgb(PANEL)
    edge = 8
    strips = [
        (0, 0, WIDTH, edge),
        (0, HEIGHT - edge, WIDTH, HEIGHT),
        (0, 0, edge, HEIGHT),
        (WIDTH - edge, 0, WIDTH, HEIGHT),
    ]
    for strip in strips:
        assert shown.crop(strip).getcolors() in ([(edge * WIDTH, ground)], [(edge * HEIGHT, ground)])


@pytest.mark.parametrize("points", [(), course(lambda _: None)])
def test_without_a_value_there_is_no_chart(points: tuple[tuple[str, float | None], ...]) -> None:
    assert render(ChartFacts("CPU 사용률", "cpu_usage", "%", points, CPU)) is None


@pytest.mark.parametrize("shape", ["flat", "spike", "gap", "forecast", "falling"])
def test_each_bound_is_a_line_in_its_levels_colour_at_its_height(shape: str) -> None:
    facts = SHAPES[shape]
    frame = frame_of(facts)
    assert frame is not None
    shown = picture(facts)
    for level, value in facts.bounds:
        height = BOTTOM + (value - frame.low) / (frame.high - frame.low) * (TOP - BOTTOM)
        row = HEIGHT - height
        color = ImageColor.getrgb(COLORS[level])
        rows = {
            y for y in range(HEIGHT) if sum(shown.getpixel((x, y)) == color for x in range(130, 700)) > 150
        }
        assert rows, level
        assert all(abs(y + 0.5 - row) <= 2.5 for y in rows), (level, row, rows)


def test_there_is_nothing_where_nothing_was_measured() -> None:
    frame = frame_of(SHAPES["gap"])
    assert frame is not None
    ((start, end),) = frame.gaps
    assert end - start == 40 * 60
    line = ImageColor.getrgb("#7cc7ff")
    shown = picture(SHAPES["gap"])
    columns = {x for x in range(WIDTH) for y in range(HEIGHT) if shown.getpixel((x, y)) == line}
    inside = sorted(columns)
    widest = max(later - earlier for earlier, later in pairwise(inside))
    assert widest > 100


def test_korean_is_written_and_what_cannot_be_written_is_no_box() -> None:
    assert writable("수호자 뷁 漢字 ℃ μ") == "수호자 뷁 漢字 ℃ μ"
    assert writable("Ä µ 🔥\n") == "A μ ? "


def test_text_that_looks_like_a_formula_is_text() -> None:
    facts = ChartFacts("$\\frac{a}$ $x$ \\ _ ^", "cpu_usage", "%", course(lambda _: 1.0))
    assert render(facts)


def test_the_same_facts_give_the_same_picture() -> None:
    assert render(SHAPES["spike"]) == render(SHAPES["spike"])
