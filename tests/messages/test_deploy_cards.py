"""Every code of a deployment and of a rollback has its words in both languages."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import JsonValue

from bot.domain.deploy import plan, rollback
from bot.domain.deploy.sample import Fault, Lack
from messages.catalog import load
from messages.example_deploy import DONE, PENDING, ROLLBACK
from messages.facts import Facts
from messages.operation_facts import OperationProblemFacts, OperationProgressFacts, OperationStepFacts
from messages.render import Voice

ROOT = Path(__file__).parents[2]
_RAISED = re.compile(r'(OperationRefused|StepFailed|TrafficFailed|ReleaseFailed|unhealthy)\(\s*"(\w+)"')


def raised() -> set[tuple[str, str]]:
    """The kind of refusal and the reason of everything that is raised by a literal."""
    folders = ("bot/engine/deploy", "bot/tools/traffic", "bot/tools/releases")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    return {found for file in files for found in _RAISED.findall(file.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_code_has_its_words(language: str) -> None:
    texts = load(language)
    steps = (plan.PREFLIGHT, plan.PREPARE, plan.GREEN, plan.VERIFY, plan.SHIFT, plan.COMPLETE)
    undone = (plan.TRAFFIC_BACK, plan.STOP_GREEN, plan.CHECK_BLUE)
    back = (rollback.JOURNAL, rollback.START, rollback.TRAFFIC, rollback.STILL, rollback.DRAIN)
    wanted = [
        *(f"judge.fault.{each.value}" for each in Fault),
        *(f"judge.lack.{each.value}" for each in Lack),
        *(f"deploy.step.{each}" for each in (*steps, plan.WARM, plan.RETIRE)),
        *(f"deploy.undo.{each}" for each in undone),
        *(f"deploy.live.{each}" for each in (plan.SHIFT, plan.WARM)),
        *(f"rollback.step.{each}" for each in (*back, rollback.RECOVER)),
    ]
    assert [key for key in wanted if key not in texts] == []
    # What is refused need not have other words than what fails.
    reasons = {reason for _, reason in raised()}
    assert [
        reason
        for reason in sorted(reasons)
        if f"deploy.failed.{reason}" not in texts and f"deploy.refused.{reason}" not in texts
    ] == []


def section(facts: Facts, name: str) -> str:
    """All words of a block of the card."""
    message = Voice("ko").message("operation", facts.as_json())
    found = [
        block
        for attachment in message.attachments
        for block in json.loads(json.dumps(attachment["blocks"]))
        if block["block_id"] == name
    ]
    return "\n".join(each["text"] for block in found for each in (block["text"], *block.get("fields", [])))


def test_stages_that_have_not_begun_are_one_line_with_one_way_back() -> None:
    text = section(PENDING, "steps")
    assert "*5–9단계* 트래픽 10 → 25 → 50 → 75 → 100%" in text
    stages, later = text.split("*10단계*")
    assert stages.count("곧바로 Blue로") == 1
    # And as long as Blue is kept warm.
    assert later.count("곧바로 Blue로") == 1
    assert "*10단계*" in text


@pytest.mark.parametrize("stages", [5, 1])
def test_what_is_not_looked_at_is_said_once_with_its_reason(stages: int) -> None:
    unwatched: list[OperationStepFacts] = []
    for step in PENDING.steps:
        if step.name != plan.SHIFT:
            unwatched.append(step)
        elif sum(each.name == plan.SHIFT for each in unwatched) < stages:
            unwatched.append(replace(step, params={**step.params, "no_usage": "다른 곳에서 돎"}))
    text = section(replace(PENDING, steps=tuple(unwatched)), "steps")
    assert text.count("➖ CPU·메모리 생략: 다른 곳에서 돎") == 1
    assert "➖ CPU" not in section(PENDING, "steps")


@pytest.mark.parametrize(
    ("kind", "values"), [("traffic_gone", {"detail": "no such socket"}), ("no_way_back", {"share": 100})]
)
def test_why_it_could_not_be_taken_back_is_said_beside_why_it_had_to_be(
    kind: str, values: dict[str, JsonValue]
) -> None:
    stuck: JsonValue = {"kind": "failed", "reason": kind, "values": values}
    problem = OperationProblemFacts("failed", "lock_lost", {"subject": "production", "stuck": stuck})
    steps = list(DONE.steps)
    steps[4] = replace(steps[4], state="stuck", result={}, problem=problem)
    failed = replace(DONE, state="failed", steps=tuple(steps), problem=problem)
    said = Voice("ko").phrase(f"deploy.failed.{kind}", **values)
    assert said in section(failed, "steps")
    assert "production" in section(failed, "why")


def test_nobody_is_offered_to_stop_a_way_back_half_way() -> None:
    message = Voice("ko").message("operation", replace(ROLLBACK, state="running").as_json())
    assert "op_stop" not in json.dumps(message.attachments)


def test_stages_that_are_over_are_a_line_each() -> None:
    text = section(DONE, "steps")
    for percent in (10, 25, 50, 75, 100):
        assert f"✅ 트래픽 {percent}% – 완료" in text


def test_both_colours_are_drawn_to_one_scale() -> None:
    detail: dict[str, JsonValue] = {
        "share": 25,
        "requests": 10,
        "rate": 1.0,
        "p95": 10.0,
        "blue_requests": 10,
        "blue_rate": 4.0,
        "blue_p95": 10.0,
        "rates": [0.0, 2.0, None],
        "blue_rates": [4.0, 4.0, 4.0],
        "p95s": [],
        "blue_p95s": [],
        "held": False,
        "phase": "dwelling",
        "seconds_left": 1.0,
        "outcome": "pass",
        "reasons": [],
        "needed": None,
        "surely_below": 0.05,
        "probes": 0,
        "cpu": None,
        "memory": None,
    }
    running = replace(
        PENDING, state="running", progress=OperationProgressFacts(5, 0, None, "", None, detail, ("stop",))
    )
    text = section(running, "progress")
    assert "`▁▅·`" in text
    assert "`███`" in text


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize(
    ("reason", "values"),
    [
        ("watchdog", {}),
        ("watchdog", {"share": 25}),
        ("watchdog_absent", {"detail": "Permission denied"}),
        ("slot_carries", {"slot": "a"}),
        ("traffic_goes_on", {"slot": "b"}),
        ("traffic_not_moved", {"share": 40}),
        ("green_unhealthy", {"seconds": 60.0, "problem": "", "values": {}}),
        ("green_restarted", {"count": 1}),
        ("target_other", {"revision": "v1", "found": "v3"}),
        ("target_unhealthy", {"seconds": 0, "problem": "health_gone", "values": {}}),
        ("release_start", {"detail": ""}),
    ],
)
def test_every_failure_can_be_said_with_what_it_is_raised_with(
    language: str, reason: str, values: dict[str, object]
) -> None:
    said = Voice(language).phrase(f"deploy.failed.{reason}", **values)
    assert said and not said.startswith("deploy.") and "{" not in said
