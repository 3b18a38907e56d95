"""`guardian simulate`: what it tells of a series, and what it says of one that can't be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Guardian

HOT = """at,metric,target,value
22:00:00,cpu_usage,web-1,95
22:00:15,cpu_usage,web-1,95
22:00:30,cpu_usage,web-1,95
22:02:00,cpu_usage,web-1,95
22:02:15,cpu_usage,web-1,20
22:02:30,cpu_usage,web-1,20
"""
POLICY = """
name: web-1
timezone: UTC
policies:
  default:
    tiers: [["@doyun.lee"], ["@minjun.choi"]]
"""


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """A file to write a series into; beside it a configuration with two people."""
    (tmp_path / "guardian.yaml").write_text(POLICY, encoding="utf-8")
    return tmp_path / "series.csv"


def events(out: str) -> list[dict[str, object]]:
    return [told for line in out.splitlines() if (told := json.loads(line))["type"] == "event"]


def summary(out: str) -> dict[str, object]:
    told: dict[str, object] = json.loads(out.splitlines()[-1])
    return told


def test_it_tells_what_would_have_happened_when_and_why(guardian: Guardian, series: Path) -> None:
    series.write_text(HOT, encoding="utf-8")
    result = guardian("--language", "en", "simulate", str(series), "--from", "2026-03-02")
    lines = result.out.splitlines()
    assert (result.code, result.err) == (0, "")
    assert [line.split("\t")[0] for line in lines[:3]] == ["22:00:15", "22:01:15", "22:02:30"]
    assert "New card in #guardian-alerts · 🆕 Fired\tBad values kept coming" in lines[0]
    assert "Paged: @doyun.lee (round 1, step 1)" in lines[1]
    assert "Resolved" in lines[2]
    assert "#1 CPU usage web-1\t🔥 Critical\t22:00:15\t2m 15s\t1m\t1\t–" in lines
    assert "Paged: @doyun.lee\t1" in lines


def test_json_is_one_object_a_line_with_nothing_left_out(guardian: Guardian, series: Path) -> None:
    series.write_text(HOT, encoding="utf-8")
    out = guardian("simulate", str(series), "--from", "2026-03-02", "--format", "json").out
    assert [(each["at"], each["reason"]) for each in events(out)] == [
        ("2026-03-02T22:00:00+00:00", "below_confirmation"),
        ("2026-03-02T22:00:15+00:00", "confirmed"),
        ("2026-03-02T22:01:15+00:00", "paged"),
        ("2026-03-02T22:02:30+00:00", "cleared"),
    ]
    assert events(out)[2]["paged"] == [{"who": ["@doyun.lee"], "epoch": 1, "round": 1, "step": 1}]
    assert summary(out) | {
        "paged_by": {"@doyun.lee": 1},
        "alerts": 1,
        "paged": 1,
        "false_starts": 0,
    } == summary(out)
    assert summary(out)["seconds_at"] == {"none": 15.0, "critical": 135.0}


def test_a_false_start_is_counted(guardian: Guardian, series: Path) -> None:
    series.write_text("at,cpu_usage\n0,75\n15,75\n30,20\n45,75\n60,20\n", encoding="utf-8")
    out = guardian("simulate", str(series), "--format", "json").out
    assert summary(out) | {"false_starts": 2, "alerts": 0, "cards": 0} == summary(out)
    result = guardian("--language", "en", "simulate", str(series))
    assert "nothing to tell" in result.out


def test_the_same_story_in_both_forms_with_any_separator(guardian: Guardian, series: Path) -> None:
    stories = (
        HOT,
        HOT.replace("\n", "\r\n"),
        "\ufeff" + HOT.replace(",", ";").replace("95", "95,0"),
        "time\tcpu_usage@web-1\n0\t95\n15\t95\n30\t95\n120\t95\n135\t20\n150\t20\n",
        "timestamp,cpu_usage\n" + "".join(f"2026-03-02T22:0{m}:{s:02}Z,{v}\n" for m, s, v in
            ((0, 0, 95), (0, 15, 95), (0, 30, 95), (2, 0, 95), (2, 15, 20), (2, 30, 20))),
    )  # fmt: skip
    told = []
    for story in stories:
        series.write_text(story, encoding="utf-8", newline="")
        since = () if "2026" in story else ("--from", "2026-03-02T22:00" if "\t" in story else "2026-03-02")
        result = guardian("simulate", str(series), *since, "--format", "json")
        assert (result.code, result.err) == (0, "")
        told.append(events(result.out))
    assert [each for each in told if each != told[0]] == []


def test_a_sketch_becomes_a_reading_every_15_seconds(guardian: Guardian, series: Path) -> None:
    series.write_text("at,disk_usage@db-1:/data\n22:00,80\n23:00,92\n", encoding="utf-8")
    out = guardian("simulate", str(series), "--from", "2026-03-02", "--every", "15s", "--format", "json").out
    opened = next(each for each in events(out) if each["reason"] == "confirmed")
    assert opened["at"] == "2026-03-02T22:25:30+00:00"  # 85 % at 22:25:00, and the third reading from there
    assert opened["value"] == 85.1
    assert guardian("simulate", str(series)).code == 0


def test_readings_far_apart_still_count_as_a_row(guardian: Guardian, series: Path) -> None:
    series.write_text("at,cpu_usage\n0,75\n3600,75\n7200,75\n", encoding="utf-8")
    assert summary(guardian("simulate", str(series), "--format", "json").out)["alerts"] == 1


def test_no_value_is_no_data_and_not_zero(guardian: Guardian, series: Path) -> None:
    series.write_text(
        "at,cpu_usage,memory_usage\n" + "".join(f"{s},,\n" for s in range(0, 90, 15)), encoding="utf-8"
    )
    out = guardian("simulate", str(series), "--format", "json").out
    assert [each["metric"] for each in events(out) if each["reason"] == "no_data"] == [
        "cpu_usage",
        "memory_usage",
    ]


def test_clicks_in_the_series_and_on_the_command_line(guardian: Guardian, series: Path) -> None:
    rows = [f"{minute}:{second:02},95,," for minute in (0, 1, 2, 3) for second in (0, 15, 30, 45)]
    rows.insert(7, "1:40,,ack,@minjun.choi")
    story = "at,cpu_usage,event,by\n" + "\n".join(f"22:0{row}" for row in rows) + "\n"
    series.write_text(story, encoding="utf-8")
    out = guardian("simulate", str(series), "--format", "json").out
    acked = next(each for each in events(out) if each["reason"] == "acked")
    assert (acked["by"], acked["alert"]) == ("@minjun.choi", 1)

    series.write_text(HOT, encoding="utf-8")
    out = guardian(
        "simulate", str(series), "--ack", "1@22:00:40=@doyun.lee", "--ack", "7@22:01=@x", "--format", "json"
    ).out
    assert summary(out)["paged"] == 0
    assert '"type": "missed_click"' in out
    out = guardian(
        "simulate", str(series), "--silence", "21:59-23:00 metric=cpu_usage", "--format", "json"
    ).out
    assert summary(out) | {"cards": 0, "paged": 0, "alerts": 1} == summary(out)


def test_other_bands_are_compared_with_the_present_ones(guardian: Guardian, series: Path) -> None:
    series.write_text("at,cpu_usage\n0,75\n15,75\n30,75\n45,75\n", encoding="utf-8")
    asked = ("simulate", str(series), "--band", "cpu_usage=warning: 80-85%")
    out = guardian(*asked, "--format", "json").out
    told = summary(out)
    assert told["alerts"] == 0
    assert isinstance(told["configured"], dict)
    assert told["configured"]["alerts"] == 1
    assert "알림\t1\t0" in guardian(*asked).out


@pytest.mark.parametrize(
    ("story", "said"),
    [
        ("", ["The file is empty"]),
        ("\n\n", ["The file is empty"]),
        ("at,cpu_usage\n", ["nothing below the first line"]),
        ("when,cpu_usage\n0,1\n", [":1: The first line has no column at"]),
        ("at\n0\n", [":1: The first line has no metric"]),
        ("at,cpu_usag\n0,1\n", [":1: Unknown metric: cpu_usag. Did you mean cpu_usage?"]),
        ("at,cpu_usage,cpu_usage\n0,1,2\n", [":1: This column is there twice"]),
        (
            "at,metric,value\n0,cpu-usage,1\n1,cpu_usage,x\nsoon,cpu_usage,1\n2,cpu_usage,101\n3,cpu_usage,nan\n"
            "4,cpu_usage,1_0\n5,cpu_usage,1,2\n2,cpu_usage,1\n6,cpu_usage,1\n6,cpu_usage,1\n",
            [
                ":2: Unknown metric: cpu-usage. Did you mean cpu_usage?",
                ":3: cpu_usage: not a number: x",
                ":4: Not a moment: soon",
                ":5: cpu_usage: no such value is possible: 101",
                ":6: cpu_usage: not a number: nan",
                ":7: cpu_usage: not a number: 1_0",
                ":8: 4 columns; 3 at most",
                ":11: A second value for the same moment",
            ],
        ),
        ("at,cpu_usage\n10,1\n5,1\n", [":3: Earlier than the line before: 5"]),
        ("at,cpu_usage\n22:10,1\n22:05,1\n", [":3: Earlier than the line before: 22:05"]),
        ("at,cpu_usage\n2026-01-01,1\n2027-06-01,1\n", [":3: More than 400 days"]),
        (
            "at,cpu_usage,event\n0,1,dance\n1,1,silence\n2,1,ack it\n",
            [":2: Unknown event: dance", ":3: Not a silence", ":4: Nothing goes behind ack"],
        ),
        ("at,cpu_usage,event\n0,1,silence 1h colour=~[\n", [":2: "]),
        ("at,cpu_usage\n" + "0," + "1" * 200_000 + "\n", [":2: The line is longer than 100,000"]),
    ],
)  # fmt: skip
def test_everything_that_is_wrong_is_said_with_its_line_and_nothing_is_replayed(
    guardian: Guardian, series: Path, story: str, said: list[str]
) -> None:
    series.write_text(story, encoding="utf-8")
    result = guardian("--language", "en", "simulate", str(series))
    assert (result.code, result.out) == (2, "")
    assert "Traceback" not in result.err
    assert [sentence for sentence in said if sentence not in result.err] == []


def test_of_very_many_faults_the_first_twenty_are_named(guardian: Guardian, series: Path) -> None:
    series.write_text("at,cpu_usage\n" + "".join(f"{s},x\n" for s in range(50_000)), encoding="utf-8")
    result = guardian("--language", "en", "simulate", str(series))
    assert result.code == 2
    assert len(result.err.splitlines()) == 21
    assert result.err.endswith("And 49,980 more.\n")


def test_more_than_a_million_lines_are_refused(guardian: Guardian, series: Path) -> None:
    with series.open("w", encoding="utf-8") as file:
        file.write("at,cpu_usage\n")
        file.writelines("0,x\n" for _ in range(20))
        file.writelines("\n" for _ in range(1_000_000))
    result = guardian("--language", "en", "simulate", str(series))
    assert result.code == 2
    assert "series.csv:1000002: Longer than 1,000,000 lines." in result.err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "binary"),
        ("at,cpu_usage\n0,1\n".encode("utf-16"), "UTF-16"),
        ("at,cpu_usage,by\n0,1,수호자\n".encode("cp949"), "not UTF-8"),
    ],
)
def test_what_is_no_text_is_refused(guardian: Guardian, series: Path, content: bytes, said: str) -> None:
    series.write_bytes(content)
    result = guardian("--language", "en", "simulate", str(series))
    assert (result.code, result.out) == (2, "")
    assert said in result.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--every", "soon"], "--every can't be read"),
        (["--every", "0.1s"], "--every can't be read"),
        (["--from", "tomorrow"], "--from can't be read"),
        (["--ack", "one"], "--ack can't be read"),
        (["--ack", "1@later=@x"], "The time of --ack"),
        (["--silence", "cpu_usage"], "--silence can't be read"),
        (["--silence", "22:00-23:00 colour"], "colour"),
        (["--band", "cpu_usage"], "--band can't be read"),
        (["--band", "cpu_usag=warning: 75-85%"], "Did you mean cpu_usage?"),
        (["--band", "cpu_usage=warning: 75-90%"], "overlap"),
        (["--band", "cpu_usage=bad: 75-90%"], "--band can't be read"),
        (["--format", "xml"], "xml"),
    ],
)
def test_options_that_cannot_be_used_are_said_in_a_sentence(
    guardian: Guardian, series: Path, options: list[str], said: str
) -> None:
    series.write_text(HOT, encoding="utf-8")
    result = guardian("--language", "en", "simulate", str(series), *options)
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert "Traceback" not in result.err


def test_a_date_that_has_no_use_is_said(guardian: Guardian, series: Path) -> None:
    series.write_text("at,cpu_usage\n2026-03-01T22:00,1\n", encoding="utf-8")
    assert (
        "--from is for times of day"
        in guardian("--language", "en", "simulate", str(series), "--from", "2026-01-01").err
    )


def test_no_file_and_no_metric_with_bands(guardian: Guardian, series: Path) -> None:
    assert "no such file" in guardian("--language", "en", "simulate", str(series)).err
    assert "This is no file" in guardian("--language", "en", "simulate", str(series.parent)).err
    series.write_text("at,process_count\n0,1\n", encoding="utf-8")
    result = guardian("--language", "en", "simulate", str(series))
    assert result.code == 0
    assert "without bands" in result.err


def test_the_example_of_the_documentation(guardian: Guardian) -> None:
    """The output in docs/simulate.md is what the command says."""
    docs = Path(__file__).parents[2] / "docs"
    result = guardian(
        "simulate", str(docs / "examples" / "night.csv"), "--config", str(docs / "examples" / "night.yaml"),
        "--from", "2026-03-02", "--every", "15s",
    )  # fmt: skip
    guide = (docs / "simulate.md").read_text(encoding="utf-8").splitlines()
    told = [" ".join(line.split()) for line in guide]
    said = [" ".join(line.split()) for line in result.out.splitlines() if line]
    assert said
    assert [line for line in said if line not in told] == []
