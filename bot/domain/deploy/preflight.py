"""What a check's end says: passed, failed, or that nothing was checked, which counts as failed.

A program that ends with status 0 says that it found nothing wrong. It need not have looked: pip-audit prints
"No known vulnerabilities found" having audited nothing, a test runner is content without tests, a linter
without files. So a check passes only if it said something, if what it said is not known to mean that it
looked at nothing, and if it has the evidence that was asked for. Evidence that is asked for and there
outweighs what is known of other programs' words: who wrote the expression knows the program.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from bot.domain.deploy.checks import ByCommand, ByLoad, ByRequests, Check, LeftOut, Trial
from bot.domain.deploy.measures import Counted, Latencies
from bot.domain.deploy.proof import found
from bot.domain.operations.plan import JsonObject

_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_NONE = "(?:0|no)"
_WORDS = (
    rf"{_NONE} tests? (?:ran|run|found|collected|executed)\b",  # pytest, jest, playwright, unittest 3.12
    r"ran 0 tests\b",  # unittest before 3.12
    r"collected 0 items\b",  # pytest
    rf"{_NONE} (?:\w+ ){{0,2}}files? (?:checked|found|scanned|processed|analy[sz]ed|matched|inspected)\b",
    r"(?:there is |there's )?nothing to (?:check|do|scan|audit|lint|test)\b",
    r"there are no \S{1,20} files in director",  # mypy
    r"total lines of code: 0\s*$",  # bandit
    r"audited 0 packages\b",  # npm
    r"0/0 urls passed\b",  # pa11y-ci
)
_WORDS_OF_NOTHING = f"(?i)(?:^|[^0-9A-Za-z_.,])({'|'.join(_WORDS)})"
"""for `found`: as fast for 256 KiB of hostile text as for any other"""
_NO_VULNERABILITIES = "(?i)no known vulnerabilities found"
_AUDITED = r'"version"\s*:'
"""pip-audit names the version of what it has audited in its JSON (--format json), and of nothing else; its
other formats do not tell an audit of nothing from a good one"""
_SAID = 200


class Verdict(StrEnum):
    """How a check ended. What it is called: `deploy.check.verdict.NAME`."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    NOTHING = "nothing"
    """nothing was checked: counts as failed"""
    LEFT_OUT = "left_out"
    """for a written reason: counts as passed, and is shown"""

    @property
    def is_good(self) -> bool:
        """Whether a deployment may go on."""
        return self in (Verdict.PASS, Verdict.LEFT_OUT)


@dataclass(frozen=True, slots=True)
class Ended:
    """A program that ran to its end."""

    status: int
    """negative: the number of the signal that ended it"""
    said: str
    """all that it printed, or head and tail of it"""
    seconds: float


@dataclass(frozen=True, slots=True)
class Broken:
    """A program that could not be run to its end: the phrase `deploy.check.reason.REASON` with `values`."""

    reason: str
    """absent, not_allowed, timed_out, flooded, stopped"""
    values: JsonObject = field(default_factory=dict)
    said: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Unseen:
    """A program that was not run, since what it was to look at is not there: the phrase
    `deploy.check.nothing.REASON` with `values`."""

    reason: str
    """no_commit, checkout (detail), checkout_slow (seconds)"""
    values: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request to Green. `problem` is None for a good answer, else the name of a phrase
    (`deploy.health.PROBLEM`) with `values`."""

    path: str
    problem: str | None = None
    values: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The end of a check or a test: its words are the phrase `deploy.check.PHRASE` with `values`; none, when
    there is nothing more to say than the verdict."""

    name: Check | Trial
    verdict: Verdict
    phrase: str = ""
    values: JsonObject = field(default_factory=dict)
    seconds: float = 0.0


def left_out(name: Check | Trial, rule: LeftOut) -> CheckResult:
    """It is not done, and here is why."""
    return CheckResult(name, Verdict.LEFT_OUT, "left_out", {"why": rule.reason})


def judge_check(name: Check | Trial, rule: ByCommand, outcome: Ended | Broken | Unseen) -> CheckResult:
    """What the end of a program says."""
    if isinstance(outcome, Unseen):
        return CheckResult(name, Verdict.NOTHING, f"nothing.{outcome.reason}", outcome.values)
    if isinstance(outcome, Broken):
        phrase = f"reason.{outcome.reason}"
        return CheckResult(name, Verdict.FAIL, phrase, outcome.values, outcome.seconds)
    said = _COLOURS.sub("", outcome.said)
    verdict, phrase, values = _judge_end(rule, outcome.status, said)
    return CheckResult(name, verdict, phrase, values, outcome.seconds)


def _judge_end(rule: ByCommand, status: int, said: str) -> tuple[Verdict, str, JsonObject]:
    if status in rule.nothing_statuses:
        return Verdict.NOTHING, "nothing.status", {"status": status}
    if status < 0:
        return Verdict.FAIL, "reason.signal", {"signal": -status, "said": last_words(said)}
    if status != 0:
        return Verdict.FAIL, "reason.status", {"status": status, "said": last_words(said)}
    if not said.strip():
        return Verdict.NOTHING, "nothing.silent", {}
    if rule.evidence is not None:
        evidence = found(rule.evidence, said)
        if evidence is None:
            return Verdict.NOTHING, "nothing.no_evidence", {"evidence": rule.evidence}
        if _is_none(evidence):
            return Verdict.NOTHING, "nothing.zero", {"found": evidence or '""'}
        return Verdict.PASS, "evidence", {"found": evidence[:_SAID]}
    words = _words_of_nothing(said)
    if words is not None:
        return Verdict.NOTHING, "nothing.said", {"said": words}
    return Verdict.PASS, "", {}


def _is_none(evidence: str) -> bool:
    """Whether what was found is no number of things, or 0 of them."""
    try:
        return float(evidence.strip().replace(",", "") or "0") == 0
    except ValueError:
        return False


def _words_of_nothing(said: str) -> str | None:
    words = found(_WORDS_OF_NOTHING, said)
    if words is None and found(_AUDITED, said) is None:
        words = found(_NO_VULNERABILITIES, said)
    return None if words is None else words.strip()


def last_words(said: str) -> str:
    """The last line that says anything."""
    lines = said.strip().splitlines()
    return lines[-1].strip()[:_SAID] if lines else ""


def judge_requests(name: Trial, rule: ByRequests, answers: list[Answer], seconds: float) -> CheckResult:
    """Whether every request was sent and answered well."""
    if len(answers) < len(rule.requests):
        values: JsonObject = {"count": len(answers), "wanted": len(rule.requests)}
        return CheckResult(name, Verdict.NOTHING, "nothing.few", values, seconds)
    bad = [answer for answer in answers if answer.problem is not None]
    if bad:
        first = bad[0]
        values = {"failed": len(bad), "count": len(answers), "path": first.path}
        values |= {"why": first.problem, "facts": dict(first.values)}
        return CheckResult(name, Verdict.FAIL, "reason.requests", values, seconds)
    return CheckResult(name, Verdict.PASS, "", {}, seconds)


def judge_load(
    name: Trial, rule: ByLoad, counted: Counted, latencies: Latencies, seconds: float
) -> CheckResult:
    """Whether Green was fast enough, and failed seldom enough, under so many requests as were asked for."""
    p95 = latencies.quantile(0.95)
    rate = counted.rate
    if rate is not None and rate > rule.error_rate:
        values: JsonObject = {
            "failed": counted.errors,
            "count": counted.requests,
            "rate": round(rate, 2),
            "limit": rule.error_rate,
        }
        return CheckResult(name, Verdict.FAIL, "reason.errors", values, seconds)
    if counted.requests < rule.count or rate is None or p95 is None:
        values = {"count": counted.requests, "wanted": rule.count}
        return CheckResult(name, Verdict.NOTHING, "nothing.few", values, seconds)
    limits: JsonObject = {"p95_ms": min(p95, 1e9), "limit_ms": rule.p95_ms}
    if p95 > rule.p95_ms:
        return CheckResult(name, Verdict.FAIL, "reason.slow", limits, seconds)
    return CheckResult(name, Verdict.PASS, "fast", limits, seconds)
