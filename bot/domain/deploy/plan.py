"""The plan of a deployment, from facts: what will be done, in which order, and how each step is undone.

Undone backwards it is the document's rollback: traffic to Blue first, then Green is taken down, then Blue is
looked at and the previous state restored (`instant_rollback`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import JsonValue

from bot.domain.deploy.checks import LeftOut
from bot.domain.deploy.risk import Risk
from bot.domain.deploy.service import Environment, Service
from bot.domain.deploy.slots import Slot
from bot.domain.operations.locks import Lock, locked_values
from bot.domain.operations.plan import JsonObject, OnFailure, Plan, Step

DEPLOY = "deploy"

PREFLIGHT, PREPARE, GREEN, VERIFY = "preflight", "prepare", "green", "verify"
SHIFT, COMPLETE, WARM, RETIRE = "shift", "complete", "warm", "retire"
"""Steps; what one is called is in `deploy.step`."""
TRAFFIC_BACK, STOP_GREEN, CHECK_BLUE = "traffic_back", "stop_green", "check_blue"
"""How they are undone: `deploy.undo`."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of a check before the plan was made: `pass`, or `left_out` with its reason."""

    name: str
    verdict: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DeployFacts:
    """What a plan of a deployment is made of."""

    service: Service
    environment: Environment
    revision: str
    commit: str | None
    """of the revision, where there is a repository"""
    current: str | None
    """the revision that carries production; None when none does"""
    green: Slot
    """where the new release will live"""
    has_blue: bool
    """whether the other slot is alive, to go back to"""
    checks: tuple[Checked, ...]
    risk: Risk
    notes: JsonObject = field(default_factory=dict)
    """release notes: not approved, only shown"""
    lock: Lock | None = None
    """that keeps it from beginning once it is approved; shown"""


def place_of(service: str, environment: str) -> str:
    """What a deployment and a rollback of one service in one environment share, and so is locked by both."""
    return f"{environment}/{service}"


def green_of(plan: Plan) -> Slot:
    """Where the new release of a deployment lives."""
    return next(Slot(str(step.params["slot"])) for step in plan.steps if step.name == GREEN)


def deploy_plan(facts: DeployFacts, at: datetime) -> Plan:
    """The plan. Without a Blue to compare with and to go back to there is nothing to share traffic with: all
    of it goes to Green at once."""
    environment = facts.environment
    stages = environment.stages if facts.has_blue else (100,)
    return Plan(
        operation=DEPLOY,
        subject=environment.name,
        at=at,
        steps=tuple(_steps(facts, stages)),
        shown=_shown(facts, stages),
        on_failure=OnFailure.UNDO_ALL,
        topic=facts.service.name,
        touches=(place_of(facts.service.name, environment.name),),
        aside={
            "notes": dict(facts.notes),
            "locked": locked_values(facts.lock),
            "committed_at": facts.notes.get("committed_at"),
            # What is around it comes and goes: an alert that opens meanwhile must not undo an approval.
            "risk": facts.risk.level.value,
            "risks": [
                {"name": each.name, "level": each.level.value, "values": dict(each.values)}
                for each in facts.risk.reasons
            ],
        },
    )


def _steps(facts: DeployFacts, stages: tuple[int, ...]) -> Iterator[Step]:
    environment, service = facts.environment, facts.service
    where: dict[str, JsonValue] = {
        "revision": facts.revision,
        "slot": facts.green.value,
        "address": environment.addresses[facts.green],
    }
    yield Step(PREFLIGHT, {"checks": [each.name for each in facts.checks if each.verdict != "left_out"]})
    yield Step(PREPARE, {"data": list(environment.data), "no_data": environment.no_data}, CHECK_BLUE)
    yield Step(GREEN, where, STOP_GREEN)
    tests = [each.value for each, rule in service.verification.items() if not isinstance(rule, LeftOut)]
    left_out: list[JsonValue] = [
        {"name": each.value, "reason": rule.reason}
        for each, rule in service.verification.items()
        if isinstance(rule, LeftOut)
    ]
    yield Step(VERIFY, {"tests": list(tests), "left_out": left_out})
    unwatched: JsonObject = {"no_usage": environment.no_usage} if environment.no_usage else {}
    for percent in stages:
        seconds = environment.dwell.total_seconds()
        yield Step(SHIFT, {"percent": percent, "seconds": seconds, **unwatched}, TRAFFIC_BACK)
    yield Step(COMPLETE, {"revision": facts.revision, "slot": facts.green.value})
    if facts.has_blue:
        if environment.warm:
            yield Step(WARM, {"seconds": environment.warm.total_seconds()})
        yield Step(RETIRE, {"slot": facts.green.other.value, "revision": facts.current or ""})


def _shown(facts: DeployFacts, stages: tuple[int, ...]) -> dict[str, JsonValue]:
    environment = facts.environment
    return {
        "service": facts.service.name,
        "environment": environment.name,
        "revision": facts.revision,
        "commit": facts.commit,
        "current": facts.current,
        "has_blue": facts.has_blue,
        "stages": list(stages),
        "dwell_seconds": environment.dwell.total_seconds(),
        "warm_seconds": environment.warm.total_seconds() if facts.has_blue else 0.0,
        "checks": [
            {"name": each.name, "verdict": each.verdict, "reason": each.reason} for each in facts.checks
        ],
    }
