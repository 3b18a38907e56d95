"""Carrying out the document's six checks, and its four kinds of tests against Green: two at a time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from bot.domain.deploy.checks import (
    Asked,
    ByCommand,
    ByLoad,
    ByRequests,
    Check,
    CheckRules,
    LeftOut,
    Trial,
    TrialRule,
    TrialRules,
)
from bot.domain.deploy.measures import Counted, Latencies
from bot.domain.deploy.placeholders import fill_all, placeholders
from bot.domain.deploy.preflight import (
    Answer,
    Broken,
    CheckResult,
    Ended,
    Unseen,
    judge_check,
    judge_load,
    judge_requests,
    left_out,
)
from bot.domain.operations.plan import JsonObject
from bot.tools.commands import FLOOD, Cause, CommandFailed, never, run

KEPT = 256 * 1024
"""bytes that are kept of a check's output, for the thread"""
_FOLDER = "directory"
_AT_ONCE = 2
"""each may use all cores, and production runs beside them"""
_SHORTEST_SECRET = 6

Stopping = Callable[[], bool]


class Asks(Protocol):
    """Sends one request to Green and looks at the answer. Never raises for what Green does."""

    async def __call__(self, address: str, asked: Asked, seconds: float, /) -> Answer:
        """What came of it, within so many seconds."""
        ...


class Sends(Protocol):
    """Sends many requests to Green. Never raises for what Green does."""

    async def __call__(
        self,
        address: str,
        paths: Sequence[str],
        count: int,
        per_second: float,
        seconds: float,
        stopping: Stopping,
        /,
    ) -> tuple[Counted, Latencies]:
        """How many were answered how well, and how fast; each within so many seconds."""
        ...


@dataclass(frozen=True, slots=True)
class Done:
    """A check that was carried out, and what it printed, for the thread; empty when it printed nothing."""

    result: CheckResult
    output: str = ""


async def run_checks(
    rules: CheckRules,
    values: Mapping[str, str],
    folder: str | Unseen | None,
    *,
    environment: Mapping[str, str] = os.environ,
    stopping: Stopping = never,
    flood: int = FLOOD,
) -> tuple[Done, ...]:
    """The six, in the document's order, whatever comes of them. `values` are for the places in their commands
    (revision, service, environment); `folder` has the revision laid out: it is where they are run, and
    {directory}. Where it should be there and is not, nothing is checked (Unseen); where the service has no
    repository (None), nothing by those that have {directory}. `environment` is where the variables are that
    they are given."""
    match folder:
        case Unseen():
            job = _Job(values, None, environment, stopping, flood, folder)
        case None:
            job = _Job(values, None, environment, stopping, flood)
        case _:
            job = _Job({**values, _FOLDER: folder}, Path(folder), environment, stopping, flood)

    async def one(check: Check) -> Done:
        rule = rules[check]
        return Done(left_out(check, rule)) if isinstance(rule, LeftOut) else await job.command(check, rule)

    return await _two_at_a_time([partial(one, check) for check in Check])


async def run_trials(
    rules: TrialRules,
    values: Mapping[str, str],
    address: str,
    *,
    ask: Asks,
    send: Sends,
    environment: Mapping[str, str] = os.environ,
    stopping: Stopping = never,
    flood: int = FLOOD,
) -> tuple[Done, ...]:
    """The four, in the document's order, whatever comes of them, against Green alone at `address`
    (`host:port`); {url} is its base."""
    job = _Job({**values, "url": f"http://{address}"}, None, environment, stopping, flood)

    async def one(trial: Trial) -> Done:
        rule: TrialRule = rules[trial]
        loop = asyncio.get_running_loop()
        began = loop.time()
        match rule:
            case LeftOut():
                return Done(left_out(trial, rule))
            case ByCommand():
                return await job.command(trial, rule)
            case ByRequests():
                answers = await _ask_all(ask, address, rule, stopping)
                return Done(judge_requests(trial, rule, answers, loop.time() - began))
            case ByLoad():
                load = (rule.paths, rule.count, rule.per_second, rule.timeout.total_seconds())
                counted, latencies = await send(address, *load, stopping)
                return Done(judge_load(trial, rule, counted, latencies, loop.time() - began))

    # What is measured as performance must not be disturbed by the other three.
    others: list[Trial] = [trial for trial in Trial if trial is not Trial.PERFORMANCE]
    found = await _two_at_a_time([partial(one, trial) for trial in others])
    done: dict[Trial, Done] = dict(zip(others, found, strict=True))
    done[Trial.PERFORMANCE] = await one(Trial.PERFORMANCE)
    return tuple(done[trial] for trial in Trial)


def as_json(done: Sequence[Done]) -> list[JsonObject]:
    """The results for a plan or a step's record, without what was printed."""
    return [
        {
            "name": each.result.name.value,
            "verdict": each.result.verdict.value,
            "phrase": each.result.phrase,
            "values": dict(each.result.values),
            "seconds": round(each.result.seconds, 3),
        }
        for each in done
    ]


async def _two_at_a_time(jobs: Sequence[Callable[[], Awaitable[Done]]]) -> tuple[Done, ...]:
    free = asyncio.Semaphore(_AT_ONCE)

    async def one(job: Callable[[], Awaitable[Done]]) -> Done:
        async with free:
            return await job()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(job)) for job in jobs]
    return tuple(task.result() for task in tasks)


async def _ask_all(ask: Asks, address: str, rule: ByRequests, stopping: Stopping) -> list[Answer]:
    answers: list[Answer] = []
    for asked in rule.requests:
        if stopping():
            break
        answers.append(await ask(address, asked, rule.timeout.total_seconds()))
    return answers


@dataclass(frozen=True, slots=True)
class _Job:
    """What all commands of one call have in common."""

    values: Mapping[str, str]
    cwd: Path | None
    environment: Mapping[str, str]
    stopping: Stopping
    flood: int
    unseen: Unseen | None = None
    """why there is nothing to look at, where that is so"""

    async def command(self, name: Check | Trial, rule: ByCommand) -> Done:
        outcome = await self._outcome(rule)
        said = "" if isinstance(outcome, Unseen) else outcome.said
        return Done(judge_check(name, rule, outcome), said)

    async def _outcome(self, rule: ByCommand) -> Ended | Broken | Unseen:
        if self.stopping():
            return Broken("stopped")
        if self.unseen is not None:
            return self.unseen
        if _FOLDER in placeholders(rule.command) and _FOLDER not in self.values:
            return Unseen("no_commit")
        command = fill_all(rule.command, self.values)
        seconds = rule.timeout.total_seconds()
        given = {name: self.environment[name] for name in rule.variables if name in self.environment}
        try:
            ran = await run(
                command,
                timeout=seconds,
                limit=KEPT,
                flood=self.flood,
                cwd=self.cwd,
                environment=given,
                stopping=self.stopping,
                merged=True,
            )
        except CommandFailed as error:
            said, took = (
                ("", 0.0) if error.ran is None else (_hidden(error.ran.out, given), error.ran.seconds)
            )
            values: dict[Cause, JsonObject] = {
                Cause.ABSENT: {"program": error.detail or command[0]},
                Cause.NOT_ALLOWED: {"program": command[0], "detail": error.detail},
                Cause.TIMED_OUT: {"seconds": seconds},
                Cause.FLOODED: {"size": self.flood},
                Cause.STOPPED: {},
            }
            return Broken(error.kind.value, values[error.kind], said, took)
        return Ended(ran.status, _hidden(ran.out, given), ran.seconds)


def _hidden(said: str, given: Mapping[str, str]) -> str:
    """What a program printed without the variables that it was given: a registry's token stands in the
    address that cannot be reached. What is shorter could be any word."""
    for value in given.values():
        if len(value) >= _SHORTEST_SECRET:
            said = said.replace(value, "***")
    return said
