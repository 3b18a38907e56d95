"""`schedules` in guardian.yaml: what they become, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta

import pytest

from bot.config import ConfigProblem, Settings
from bot.config.duty import schedules_of
from bot.domain.oncall.duty import on_call
from bot.domain.oncall.model import ALL_DAYS, Hours, Pace
from messages.render import Voice

Loading = Callable[[str], Settings]
Refusing = Callable[[str], Sequence[ConfigProblem]]

WEEKLY = '{people: ["@doyun.lee", "@seoyeon.park"], every: weekly, start: 2026-01-05}'


def rotations(*lines: str, more: str = "") -> str:
    """A configuration with one schedule, each rotation on a line of its own from line 4 on."""
    return "\n".join(
        ["schedules:", "  primary:", "    rotations:", *(f"      - {line}" for line in lines), more]
    )


def test_the_documented_shape_is_what_the_roster_works_with(loaded: Loading) -> None:
    settings = loaded("""\
schedules:
  primary:
    timezone: Asia/Seoul
    rotations:
      - { people: ["@doyun.lee", "@seoyeon.park"], every: weekly, on: mon, at: "09:00", start: 2026-01-05 }
      - { people: ["@minjun.choi"], every: daily, at: "18:00", hours: "18:00-09:00",
          days: [mon, tue, wed, thu, fri], start: 2026-01-05 }
""")
    schedule = schedules_of(settings)["primary"]
    ground, nights = schedule.rotations
    assert (ground.pace, ground.at, ground.weekday, ground.hours) == (Pace.WEEKLY, time(9), 0, None)
    assert ground.begins == datetime(2026, 1, 5, 0, 0, tzinfo=UTC)
    assert (nights.pace, nights.hours) == (Pace.DAILY, Hours(time(18), time(9)))
    assert nights.days == ALL_DAYS - {5, 6}
    assert on_call(schedule, (), datetime(2026, 1, 6, 3, tzinfo=UTC))[0] == "@doyun.lee"
    assert on_call(schedule, (), datetime(2026, 1, 6, 12, tzinfo=UTC))[0] == "@minjun.choi"


def test_what_is_left_out_has_a_sensible_value(loaded: Loading) -> None:
    text = rotations(
        '{people: [U024BE7LH], every: weekly, start: "2026-01-07"}', more="timezone: Europe/Berlin"
    )
    schedule = schedules_of(loaded(text))["primary"]
    (rotation,) = schedule.rotations
    assert schedule.zone.key == "Europe/Berlin"
    assert (rotation.at, rotation.weekday, rotation.days) == (time(9), 2, ALL_DAYS)
    assert schedules_of(loaded("")) == {}


@pytest.mark.parametrize(
    ("line", "begins", "pace", "length"),
    [
        ('{people: ["@a"], every: 12h, start: "2026-01-05T09:00+09:00"}', (0, 0), Pace.HOURS, 12),
        ('{people: ["@a"], every: 1d, start: "2026-01-05T00:30Z"}', (0, 30), Pace.HOURS, 24),
        ('{people: ["@a"], every: 6h, at: "10:00", start: 2026-01-05}', (1, 0), Pace.HOURS, 6),
        ('{people: ["@a"], every: daily, start: "2026-01-05 09:15+09:00"}', (0, 15), Pace.DAILY, 24),
    ],
)
def test_turns_and_starts(
    loaded: Loading, line: str, begins: tuple[int, int], pace: Pace, length: int
) -> None:
    (rotation,) = schedules_of(loaded(rotations(line)))["primary"].rotations
    assert rotation.begins == datetime(2026, 1, 5, *begins, tzinfo=UTC)
    assert (rotation.pace, rotation.length) == (pace, timedelta(hours=length))


@pytest.mark.parametrize("word", ["tue", "Tue", "tuesday", "화", "화요일"])
def test_days_may_be_written_in_several_ways(loaded: Loading, word: str) -> None:
    text = rotations(f'{{people: ["@a"], every: weekly, on: {word}, start: 2026-01-05}}')
    assert schedules_of(loaded(text))["primary"].rotations[0].weekday == 1


@pytest.mark.parametrize(
    ("change", "path", "code"),
    [
        ("people: []", "people", "list_empty"),
        ("people: [doyun]", "people[0]", "person"),
        ('people: ["@a", "@b c"]', "people[1]", "person"),
        ('people: ["schedule:x"]', "people[0]", "person"),
        ("people: [5]", "people[0]", "person"),
        ('people: "@a"', "people", "not_list"),
        ("every: sometimes", "every", "turn"),
        ("every: 0h", "every", "turn_length"),
        ("every: 90d", "every", "turn_length"),
        ("every: 12", "every", "turn"),
        ("on: moonday", "on", "weekday"),
        ("days: [mon, noday]", "days[1]", "weekday"),
        ("days: []", "days", "list_empty"),
        ('at: "25:00"', "at", "time_of_day"),
        ('at: "9"', "at", "time_of_day"),
        ("hours: nights", "hours", "hours_of_day"),
        ('hours: "09:00-24:30"', "hours", "time_of_day"),
        ('hours: "09:00-09:00"', "hours", "hours_empty"),
        ("start: tomorrow", "start", "rotation_start"),
        ("start: 2026-02-30", "start", "rotation_start"),
        ("start: 0001-01-01", "start", "rotation_start"),
        ('start: "2026-01-05T09:00"', "start", "start_without_zone"),
        ("zone: x", "zone", "unknown_key"),
    ],
)
def test_refusals_of_a_rotation(refused: Refusing, change: str, path: str, code: str) -> None:
    values = {"people": '["@a"]', "every": "weekly", "start": "2026-01-05"}
    key, _, value = change.partition(": ")
    line = ", ".join(f"{name}: {each}" for name, each in (values | {key: value}).items())
    (problem,) = refused(rotations(WEEKLY, f"{{{line}}}"))
    assert (problem.path, problem.line, problem.code) == (f"schedules.primary.rotations[1].{path}", 5, code)


@pytest.mark.parametrize(
    ("text", "path", "code"),
    [
        ("schedules: {primary: {rotations: []}}", "schedules.primary.rotations", "list_empty"),
        ("schedules: {primary: {}}", "schedules.primary.rotations", "missing"),
        ("schedules: {primary: 5}", "schedules.primary", "not_mapping"),
        ("schedules: [1]", "schedules", "not_mapping"),
        (f"schedules: {{two words: {{rotations: [{WEEKLY}]}}}}", 'schedules["two words"]', "schedule_name"),
        (
            f"schedules: {{primary: {{timezone: Asia/Seol, rotations: [{WEEKLY}]}}}}",
            "schedules.primary.timezone",
            "timezone",
        ),
        (
            f"schedules: {{primary: {{gaps: maybe, rotations: [{WEEKLY}]}}}}",
            "schedules.primary.gaps",
            "not_one_of",
        ),
    ],
)
def test_refusals_of_a_schedule(refused: Refusing, text: str, path: str, code: str) -> None:
    assert [(problem.path, problem.code) for problem in refused(text)] == [(path, code)]


def test_a_day_for_a_daily_rotation_is_refused(refused: Refusing) -> None:
    (problem,) = refused(rotations('{people: ["@a"], every: daily, on: mon, start: 2026-01-05}'))
    assert (problem.path, problem.code) == ("schedules.primary.rotations[0]", "on_without_weekly")


OFFICE = (
    '{people: ["@a"], every: daily, at: "09:00", hours: "09:00-18:00", days: [mon, fri], start: 2026-01-05}'
)


def test_the_first_gap_is_named_with_its_day_and_time(refused: Refusing) -> None:
    (problem,) = refused(rotations(OFFICE))
    assert (problem.path, problem.line, problem.code) == ("schedules.primary", 2, "schedule_gap")
    assert "2026-01-05 18:00 (월) ~ 2026-01-09 09:00 (금)" in Voice("ko").phrase(
        "config.schedule_gap", **problem.values
    )
    assert "from 2026-01-05 18:00 (Mon) to 2026-01-09 09:00 (Fri)" in Voice("en").phrase(
        "config.schedule_gap", **problem.values
    )


def test_a_gap_that_is_meant_is_no_problem(loaded: Loading) -> None:
    schedule = schedules_of(loaded(rotations(OFFICE, more="    gaps: allowed")))["primary"]
    assert schedule.gaps_allowed
    assert on_call(schedule, (), datetime(2026, 1, 6, 12, tzinfo=UTC)) == (None, None)


DAYS = '{people: ["@a"], every: daily, hours: "08:00-18:00", start: 2026-01-05}'
NIGHTS = '{people: ["@b"], every: daily, hours: "17:00-08:00", start: 2026-01-05}'


def test_overlapping_rotations_are_refused_with_the_first_time_unless_they_are_meant(
    refused: Refusing, loaded: Loading
) -> None:
    (problem,) = refused(rotations(DAYS, NIGHTS))
    assert (problem.path, problem.line, problem.code) == (
        "schedules.primary.rotations[1]",
        5,
        "schedule_overlap",
    )
    assert problem.values["other"] == "schedules.primary.rotations[0]"
    assert (problem.values["at"], problem.values["end_at"]) == ("2026-01-05 17:00", "2026-01-05 18:00")
    assert loaded(rotations(DAYS, NIGHTS, more="    overlaps: allowed")).schedules


def test_a_rotation_that_never_counts_is_refused(refused: Refusing) -> None:
    (problem,) = refused(rotations(DAYS, WEEKLY))
    assert (problem.path, problem.line, problem.code) == (
        "schedules.primary.rotations[0]",
        4,
        "rotation_hidden",
    )


def test_everything_is_said_at_once_and_a_schedule_with_errors_gets_no_further_ones(
    refused: Refusing,
) -> None:
    problems = refused(f"""\
language: jp
schedules:
  first:
    timezone: Mars/Base
    rotations:
      - {{people: [], every: 0h, at: "x", on: noday, hours: "1-2", days: [zz], start: soon}}
      - {{every: daily, on: mon, start: 2026-01-05}}
  second:
    rotations: [{OFFICE}]
store: {{url: "mysql://x"}}
""")
    first = "schedules.first"
    assert [(problem.path, problem.code) for problem in problems] == [
        ("language", "not_one_of"),
        (f"{first}.timezone", "timezone"),
        (f"{first}.rotations[0].people", "list_empty"),
        (f"{first}.rotations[0].every", "turn_length"),
        (f"{first}.rotations[0].start", "rotation_start"),
        (f"{first}.rotations[0].at", "time_of_day"),
        (f"{first}.rotations[0].on", "weekday"),
        (f"{first}.rotations[0].hours", "hours_of_day"),
        (f"{first}.rotations[0].days[0]", "weekday"),
        (f"{first}.rotations[1].people", "missing"),
        (f"{first}.rotations[1]", "on_without_weekly"),
        ("schedules.second", "schedule_gap"),
        ("store.url", "database_url"),
    ]
