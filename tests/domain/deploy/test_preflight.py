"""What the end of a check says, rule by rule, with the words of real programs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.deploy.checks import Asked, ByCommand, ByLoad, ByRequests, Check, LeftOut, Trial
from bot.domain.deploy.measures import Counted, Latencies
from bot.domain.deploy.preflight import (
    Answer,
    Broken,
    CheckResult,
    Ended,
    Unseen,
    Verdict,
    judge_check,
    judge_load,
    judge_requests,
    left_out,
)
from messages.catalog import load
from messages.render import Voice

MINUTE = timedelta(minutes=1)
RULE = ByCommand(("check",), MINUTE)
COUNTING = ByCommand(("check",), MINUTE, r"(\d[\d,]*) (?:passed|files)")


def judged(said: str, status: int = 0, rule: ByCommand = RULE) -> CheckResult:
    return judge_check(Check.SECURITY, rule, Ended(status, said, 1.5))


def words_of(result: CheckResult, language: str = "en") -> str:
    return Voice(language).phrase(f"deploy.check.{result.phrase}", **result.values)


@pytest.mark.parametrize(
    "said",
    [
        "All checks passed!",
        "Success: no issues found in 12 source files",
        "collected 10 items\n10 passed in 0.1s",
        "10 files checked",
        "1,000 files checked, 0 errors",
        "found 0 vulnerabilities\naudited 120 packages in 1s",
        "No issues identified.\nTotal lines of code: 120",
        '{"dependencies": [{"name": "x", "version": "3.1.6", "vulns": []}]}\nNo known vulnerabilities found',
        "30 tests ran",
    ],
)
def test_a_check_that_says_that_it_looked_passes(said: str) -> None:
    assert judged(said).verdict is Verdict.PASS


@pytest.mark.parametrize(
    "said",
    [
        "No known vulnerabilities found",
        '{"dependencies": [{"name": "x", "skip_reason": "not found"}]}\nNo known vulnerabilities found',
        "===== no tests ran in 0.01s =====",
        "\x1b[33mno tests ran\x1b[0m",
        "collected 0 items",
        "No tests found, exiting with code 0",
        "Error: No tests found.",
        "Ran 0 tests in 0.000s\n\nOK",
        "NO TESTS RAN",
        "0 files checked",
        "warning: No Python files found under the given path(s)\nAll checks passed!",
        "0 source files analysed",
        "Nothing to check.",
        "There are no .py[i] files in directory 'src'",
        "Code scanned:\n\tTotal lines of code: 0\n\tTotal lines skipped: 0",
        "up to date, audited 0 packages in 1s",
        "0/0 URLs passed",
        "no files found",
    ],
)
def test_words_that_nothing_was_checked_are_known(said: str) -> None:
    result = judged(said)
    assert (result.verdict, result.phrase) == (Verdict.NOTHING, "nothing.said")
    assert not result.verdict.is_good


@pytest.mark.parametrize("said", ["", " \n\t\n", "\x1b[0m\n"])
def test_silence_is_no_evidence(said: str) -> None:
    assert (judged(said).verdict, judged(said).phrase) == (Verdict.NOTHING, "nothing.silent")


@pytest.mark.parametrize(
    ("said", "verdict", "phrase"),
    [
        ("12 passed", Verdict.PASS, "evidence"),
        ("1,200 files", Verdict.PASS, "evidence"),
        ("0 passed", Verdict.NOTHING, "nothing.zero"),
        ("00 passed", Verdict.NOTHING, "nothing.zero"),
        ("OK", Verdict.NOTHING, "nothing.no_evidence"),
        ("", Verdict.NOTHING, "nothing.silent"),
        ("0 files checked by one, 7 passed by the other", Verdict.NOTHING, "nothing.zero"),
    ],
)
def test_evidence_that_was_asked_for(said: str, verdict: Verdict, phrase: str) -> None:
    result = judged(said, rule=COUNTING)
    assert (result.verdict, result.phrase) == (verdict, phrase)


def test_evidence_outweighs_what_is_known_of_others() -> None:
    rule = ByCommand(("check",), MINUTE, r'"audited": true')
    assert judged('"audited": true\nNo known vulnerabilities found', rule=rule).verdict is Verdict.PASS


def test_evidence_does_not_save_what_failed() -> None:
    assert judged("12 passed, 1 failed", 1, COUNTING).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("status", "verdict", "phrase"),
    [
        (5, Verdict.NOTHING, "nothing.status"),
        (1, Verdict.FAIL, "reason.status"),
        (-9, Verdict.FAIL, "reason.signal"),
    ],
)
def test_its_status(status: int, verdict: Verdict, phrase: str) -> None:
    result = judged("looked\nlast line\n", status)
    assert (result.verdict, result.phrase) == (verdict, phrase)
    assert result.values.get("said", "last line") == "last line"


def test_a_status_that_means_something_else_is_one_that_failed() -> None:
    other = ByCommand(("check",), MINUTE, nothing_statuses=frozenset({7}))
    assert judged("x", 5, other).verdict is Verdict.FAIL
    assert judged("x", 7, other).verdict is Verdict.NOTHING


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize(
    "outcome",
    [
        Broken("absent", {"program": "bandit"}),
        Broken("not_allowed", {"program": "bandit", "detail": "Permission denied"}),
        Broken("timed_out", {"seconds": 600.0}),
        Broken("flooded", {"size": 100 << 20}),
        Broken("stopped"),
    ],
)
def test_what_came_to_no_end_failed_and_has_words(outcome: Broken, language: str) -> None:
    result = judge_check(Check.SECURITY, RULE, outcome)
    assert result.verdict is Verdict.FAIL
    assert words_of(result, language)


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize(
    "outcome",
    [
        Unseen("no_commit"),
        Unseen("checkout", {"detail": "fatal: not a git repository"}),
        Unseen("checkout_slow", {"seconds": 300.0}),
    ],
)
def test_where_there_was_nothing_to_look_at_nothing_was_checked_and_it_has_words(
    outcome: Unseen, language: str
) -> None:
    result = judge_check(Check.SECURITY, RULE, outcome)
    assert result.verdict is Verdict.NOTHING
    assert not result.verdict.is_good
    sentence = words_of(result, language)
    assert sentence and "{" not in sentence and not sentence.startswith("deploy.")


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_end_can_be_said(language: str) -> None:
    ends = [judged("", 1), judged("x", -9), judged("x", 5), judged(""), judged("no files found"),
            judged("x", rule=COUNTING), judged("0 passed", rule=COUNTING), judged("1 passed", rule=COUNTING),
            left_out(Check.SECURITY, LeftOut("none here"))]  # fmt: skip
    for end in ends:
        sentence = words_of(end, language)
        assert sentence and "{" not in sentence and not sentence.startswith("deploy.")


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_name_and_verdict_has_a_word(language: str) -> None:
    there = load(language)
    wanted = [
        *(f"deploy.check.name.{each}" for each in Check),
        *(f"deploy.trial.name.{each}" for each in Trial),
        *(f"deploy.check.verdict.{each}" for each in Verdict),
    ]
    assert [key for key in wanted if key not in there] == []


def test_what_is_left_out_is_good_and_says_why() -> None:
    result = left_out(Check.ACCESSIBILITY, LeftOut("has no pages"))
    assert result.verdict.is_good
    assert "has no pages" in words_of(result)


SMOKE = ByRequests((Asked("/a"), Asked("/b")), MINUTE)


def test_every_request_must_have_been_answered_well() -> None:
    good = judge_requests(Trial.SMOKE, SMOKE, [Answer("/a"), Answer("/b")], 1)
    assert good.verdict is Verdict.PASS
    wrong = Answer("/b", "health_status", {"status": 500, "low": 200, "high": 299})
    bad = judge_requests(Trial.SMOKE, SMOKE, [Answer("/a"), wrong], 1)
    assert bad.verdict is Verdict.FAIL
    assert "500" in words_of(bad)
    assert judge_requests(Trial.SMOKE, SMOKE, [Answer("/a")], 1).verdict is Verdict.NOTHING


LOAD = ByLoad(("/",), 100, 50, 500, 1.0, MINUTE)


@pytest.mark.parametrize(
    ("counted", "milliseconds", "verdict", "phrase"),
    [
        (Counted(100, 1), [100.0] * 96 + [900.0] * 4, Verdict.PASS, "fast"),
        (Counted(100, 0), [100.0] * 90 + [900.0] * 10, Verdict.FAIL, "reason.slow"),
        (Counted(100, 2), [1.0] * 100, Verdict.FAIL, "reason.errors"),
        (Counted(50, 0), [1.0] * 50, Verdict.NOTHING, "nothing.few"),
        (Counted(50, 50), [1.0] * 50, Verdict.FAIL, "reason.errors"),
        (Counted(0, 0), [], Verdict.NOTHING, "nothing.few"),
        (Counted(100, 0), [], Verdict.NOTHING, "nothing.few"),
        (Counted(100, 0), [1e9] * 100, Verdict.FAIL, "reason.slow"),
    ],
)
@pytest.mark.parametrize("language", ["ko", "en"])
def test_fast_enough_under_as_many_requests_as_were_asked_for(
    counted: Counted, milliseconds: list[float], verdict: Verdict, phrase: str, language: str
) -> None:
    result = judge_load(Trial.PERFORMANCE, LOAD, counted, Latencies.of(milliseconds), 1)
    assert (result.verdict, result.phrase) == (verdict, phrase)
    assert words_of(result, language)


@given(st.text(), st.integers(-64, 255), st.sampled_from([None, r"(\d+)", "x"]))
def test_nothing_passes_without_a_word(said: str, status: int, evidence: str | None) -> None:
    result = judged(said, status, ByCommand(("check",), MINUTE, evidence))
    if result.verdict is Verdict.PASS:
        assert status == 0
        assert said.strip()
    if not said.strip():
        assert not result.verdict.is_good
