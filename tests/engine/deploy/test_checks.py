"""The checks and tests of a deployment, carried out by real programs."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.deploy.checks import (
    Asked,
    ByCommand,
    ByLoad,
    ByRequests,
    Check,
    CheckRule,
    LeftOut,
    Trial,
    TrialRule,
)
from bot.domain.deploy.measures import Counted, Latencies
from bot.domain.deploy.preflight import Answer, Verdict
from bot.engine.deploy.checks import Stopping, as_json, run_checks, run_trials
from bot.engine.deploy.inspection import failed_of

LONG = timedelta(minutes=10)
VALUES = {"revision": "v2", "service": "shop", "environment": "production"}


def python(code: str, *words: str) -> tuple[str, ...]:
    return (sys.executable, "-S", "-c", code, *words)


def checks(**rules: CheckRule) -> Mapping[Check, CheckRule]:
    """These checks; the others are left out."""
    every: dict[Check, CheckRule] = {check: LeftOut("not here") for check in Check}
    return every | {Check(name): rule for name, rule in rules.items()}


def trials(**rules: TrialRule) -> Mapping[Trial, TrialRule]:
    """These tests; the others are left out."""
    every: dict[Trial, TrialRule] = {trial: LeftOut("not here") for trial in Trial}
    return every | {Trial(name): rule for name, rule in rules.items()}


class Green:
    """Stands in for the requests, which have tests of their own."""

    def __init__(self, bad: str = "") -> None:
        self.bad = bad
        self.asked: list[str] = []
        self.loaded: list[tuple[object, ...]] = []

    async def ask(self, address: str, asked: Asked, seconds: float, /) -> Answer:
        self.asked.append(f"{address}{asked.path}")
        return Answer(asked.path, "health_slow" if asked.path == self.bad else None, {"seconds": seconds})

    async def send(
        self, address: str, paths: Sequence[str], count: int, rate: float, seconds: float, stop: Stopping, /
    ) -> tuple[Counted, Latencies]:
        self.loaded.append((address, tuple(paths), count, rate, seconds))
        return Counted(count, 0), Latencies.of([1.0] * count)


async def test_all_six_in_the_documents_order_whatever_comes_of_them(tmp_path: Path) -> None:
    rules = checks(
        code_quality=ByCommand(python("print('12 files')"), LONG, r"(\d+) files"),
        security=ByCommand(python("import sys; print('weak'); sys.exit(1)"), LONG),
        dependencies=ByCommand(python("print('No known vulnerabilities found')"), LONG),
        performance=ByCommand(("no-such-program-of-ours",), LONG),
        compatibility=ByCommand(python("import time; print('so far', flush=True); time.sleep(600)"),
                                timedelta(seconds=2)),
    )  # fmt: skip
    done = await run_checks(rules, VALUES, str(tmp_path))
    assert [each.result.name for each in done] == list(Check)
    assert [each.result.verdict for each in done] == [
        Verdict.PASS, Verdict.FAIL, Verdict.NOTHING, Verdict.FAIL, Verdict.FAIL, Verdict.LEFT_OUT
    ]  # fmt: skip
    assert [each.result.phrase for each in done][3:5] == ["reason.absent", "reason.timed_out"]
    assert done[1].output == "weak\n"
    assert failed_of(done)
    assert as_json(done)[0]["values"] == {"found": "12"}


async def test_values_stand_in_their_arguments_and_it_runs_in_that_folder(tmp_path: Path) -> None:
    (tmp_path / "here").touch()
    code = "import os, sys; print(sys.argv[1:], os.listdir())"
    command = python(code, "{revision}", "--at={service}/{environment}", "{directory}")
    done = await run_checks(checks(security=ByCommand(command, LONG)), VALUES, str(tmp_path))
    assert done[1].output == f"{['v2', '--at=shop/production', str(tmp_path)]} ['here']\n"


async def test_a_revision_is_one_argument_whatever_is_in_it() -> None:
    command = python("import sys; print(sys.argv[1:])", "{revision}")
    values = VALUES | {"revision": "v2; rm -rf {directory} $(id)"}
    done = await run_checks(checks(security=ByCommand(command, LONG)), values, None)
    assert done[1].output == f"{[values['revision']]}\n"


async def test_it_gets_the_variables_that_it_is_given_and_no_others() -> None:
    code = "import os; print(os.environ.get('NPM_TOKEN'), os.environ.get('SLACK_BOT_TOKEN'))"
    rule = ByCommand(python(code), LONG, variables=("NPM_TOKEN", "NOT_SET"))
    environment = {"NPM_TOKEN": "n", "SLACK_BOT_TOKEN": "s"}
    done = await run_checks(checks(security=rule), VALUES, None, environment=environment)
    assert done[1].output == "n None\n"


async def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    rule = ByCommand(python("print(1)"), LONG)
    done = await run_checks(checks(security=rule), VALUES, str(tmp_path / "none"))
    assert done[1].result.values == {"program": str(tmp_path / "none")}


async def test_without_a_folder_what_needs_one_is_not_run_and_what_does_not_is() -> None:
    rules = checks(
        code_quality=ByCommand(python("print(1)", "{directory}"), LONG),
        security=ByCommand(python("print(1)", "{revision}"), LONG),
    )
    done = await run_checks(rules, VALUES, None)
    assert (done[0].result.verdict, done[0].result.phrase) == (Verdict.NOTHING, "nothing.no_commit")
    assert done[1].result.verdict is Verdict.PASS


async def test_a_flood_is_ended_and_its_beginning_is_kept() -> None:
    rule = ByCommand(python("while True: print('x' * 1000)"), LONG)
    done = await run_checks(checks(security=rule), VALUES, None, flood=1_000_000)
    assert done[1].result.phrase == "reason.flooded"
    assert 0 < len(done[1].output) < 1_000_000


async def test_two_at_a_time(tmp_path: Path) -> None:
    code = (
        "import os, sys, time\n"
        "running, began, own = sys.argv[1:]\n"
        "others = len(os.listdir(running))\n"
        "for place in (running, began): open(os.path.join(place, own), 'x').close()\n"
        "while len(os.listdir(began)) < 2: time.sleep(0.01)\n"  # there is a second one beside the first
        "os.unlink(os.path.join(running, own))\n"
        "print(others)\n"
    )
    places = (tmp_path / "running", tmp_path / "began")
    for place in places:
        place.mkdir()
    rules = {
        check.value: ByCommand(python(code, *map(str, places), check.value), LONG)
        for check in list(Check)[:4]
    }
    done = await run_checks(checks(**rules), VALUES, None)
    assert len(list(places[1].iterdir())) == 4
    assert {each.output for each in done[:4]} <= {"0\n", "1\n"}


async def test_what_is_stopped_failed_and_what_had_not_begun_is_not_begun(tmp_path: Path) -> None:
    began = tmp_path / "began"
    code = f"open({str(began)!r}, 'w').close()\nimport time; time.sleep(600)"
    rules = checks(
        **{check.value: ByCommand(python(code), LONG) for check in (Check.CODE_QUALITY, Check.ACCESSIBILITY)}
    )
    done = await run_checks(rules, VALUES, None, stopping=began.exists)
    assert {done[0].result.phrase, done[5].result.phrase} == {"reason.stopped"}


async def test_all_four_tests_against_green_in_the_documents_order() -> None:
    green = Green()
    rules = trials(
        smoke=ByRequests((Asked("/health"), Asked("/")), timedelta(seconds=5)),
        integration=ByCommand(python("import sys; print(sys.argv[1])", "{url}/x"), LONG),
        performance=ByLoad(("/",), 100, 50.0, 500, 0, timedelta(seconds=3)),
    )
    done = await run_trials(rules, VALUES, "127.0.0.1:9002", ask=green.ask, send=green.send)
    assert [each.result.name for each in done] == list(Trial)
    assert not failed_of(done)
    assert green.asked == ["127.0.0.1:9002/health", "127.0.0.1:9002/"]
    assert green.loaded == [("127.0.0.1:9002", ("/",), 100, 50.0, 3.0)]
    assert done[1].output == "http://127.0.0.1:9002/x\n"


async def test_a_bad_answer_fails_the_smoke_test() -> None:
    green = Green(bad="/")
    rules = trials(smoke=ByRequests((Asked("/health"), Asked("/")), timedelta(seconds=5)))
    done = await run_trials(rules, VALUES, "127.0.0.1:9002", ask=green.ask, send=green.send)
    assert (done[0].result.verdict, done[0].result.values["path"]) == (Verdict.FAIL, "/")


@pytest.mark.parametrize("stopped", [False, True])
async def test_requests_that_were_not_sent_are_no_success(stopped: bool) -> None:
    green = Green()
    rules = trials(smoke=ByRequests((Asked("/"),), timedelta(seconds=5)))
    done = await run_trials(rules, VALUES, "x:1", ask=green.ask, send=green.send, stopping=lambda: stopped)
    assert done[0].result.verdict is (Verdict.NOTHING if stopped else Verdict.PASS)


@pytest.mark.parametrize("status", [0, 1])
async def test_what_it_was_given_is_not_in_what_is_shown_of_it(status: int) -> None:
    code = (
        f"import os, sys; print('no https://ci:' + os.environ['INDEX_TOKEN'] + '@index'); sys.exit({status})"
    )
    rule = ByCommand(python(code), LONG, variables=("INDEX_TOKEN",))
    done = await run_checks(
        checks(security=rule), VALUES, None, environment={"INDEX_TOKEN": "hunter2-hunter2"}
    )
    told = str([done, as_json(done)])
    assert "no https://ci:***@index" in told
    assert "hunter2" not in told
