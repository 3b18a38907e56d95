"""What a deployment and a rollback consist of, in which order, and how each step is undone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.deploy.plan import DeployFacts, deploy_plan
from bot.domain.deploy.risk import Risk, RiskLevel, RiskReason
from bot.domain.deploy.rollback import RollbackFacts, rollback_plan
from bot.domain.deploy.slots import Slot, share_of, share_of_b
from bot.domain.operations.plan import OnFailure, difference, plan_of
from tests.domain.deploy.places import FACTS, PRODUCTION, without_blue
from tests.factories import T0


def test_the_document_s_order_with_the_way_back_from_each_step() -> None:
    plan = deploy_plan(FACTS, T0)
    assert [(step.name, step.undo) for step in plan.steps] == [
        ("preflight", None),
        ("prepare", "check_blue"),
        ("green", "stop_green"),
        ("verify", None),
        *[("shift", "traffic_back")] * 5,
        ("complete", None),
        ("warm", None),
        ("retire", None),
    ]
    assert [step.params["percent"] for step in plan.steps if step.name == "shift"] == [10, 25, 50, 75, 100]
    assert plan.on_failure is OnFailure.UNDO_ALL


def test_undone_backwards_traffic_goes_back_before_green_is_stopped_and_blue_looked_at_last() -> None:
    undone = [step.undo for step in reversed(deploy_plan(FACTS, T0).steps) if step.undo]
    assert list(dict.fromkeys(undone)) == ["traffic_back", "stop_green", "check_blue"]


def test_without_a_blue_all_traffic_goes_over_at_once_and_nothing_is_kept_warm() -> None:
    names = [step.name for step in deploy_plan(without_blue(), T0).steps]
    assert names == ["preflight", "prepare", "green", "verify", "shift", "complete"]
    shift = deploy_plan(without_blue(), T0).steps[4]
    assert shift.params["percent"] == 100


def test_one_environment_takes_one_deployment_and_a_rollback_of_the_same_service_excludes_it() -> None:
    back = rollback_plan(RollbackFacts("shop", PRODUCTION, "v1", Slot.A, True, "v2"), T0)
    other = rollback_plan(RollbackFacts("billing", PRODUCTION, "v1", Slot.A, True, "v2"), T0)
    deployment = deploy_plan(FACTS, T0)
    assert deployment.subject == "production"
    assert set(deployment.subjects) & set(back.subjects)
    assert not set(deployment.subjects) & set(other.subjects)


@pytest.mark.parametrize(
    "changed",
    [
        replace(FACTS, revision="v3"),
        replace(FACTS, commit="f" * 40),
        replace(FACTS, current="v0"),
        replace(FACTS, green=Slot.A),
        replace(FACTS, checks=FACTS.checks[:-1]),
        replace(FACTS, environment=replace(PRODUCTION, stages=(50, 100))),
        replace(FACTS, environment=replace(PRODUCTION, dwell=timedelta(seconds=1))),
        replace(FACTS, environment=replace(PRODUCTION, no_usage="runs elsewhere")),
        without_blue(),
    ],
)
def test_everything_that_is_approved_is_in_the_hash(changed: DeployFacts) -> None:
    before, after = deploy_plan(FACTS, T0), deploy_plan(changed, T0)
    assert before.hash != after.hash
    assert difference(before, after)


def test_figures_that_come_and_go_are_shown_and_not_in_the_hash() -> None:
    def alerts(count: int) -> DeployFacts:
        reason = RiskReason("alerts", RiskLevel.MEDIUM, {"count": count})
        return replace(FACTS, risk=Risk(RiskLevel.MEDIUM, (reason,)), notes={"count": count})

    one, other = deploy_plan(FACTS, T0), deploy_plan(alerts(2), T0)
    assert one.hash == other.hash
    assert one.aside != other.aside
    assert plan_of(one.as_json()) == one


def test_a_rollback_has_the_five_steps_and_goes_past_one_that_fails() -> None:
    plan = rollback_plan(RollbackFacts("shop", PRODUCTION, "v1", Slot.A, True, "v2"), T0)
    assert [step.name for step in plan.steps] == ["journal", "traffic", "still", "drain", "recover"]
    assert [step.undo for step in plan.steps] == [None] * 5
    assert plan.on_failure is OnFailure.UNDO_STEP


def test_a_release_that_is_not_warm_any_more_is_started_before_traffic_goes_to_it() -> None:
    plan = rollback_plan(RollbackFacts("shop", PRODUCTION, "v1", Slot.A, False, "v2"), T0)
    assert [step.name for step in plan.steps][:3] == ["journal", "start", "traffic"]


@pytest.mark.parametrize(("green", "percent", "b"), [(Slot.A, 10, 90), (Slot.B, 10, 10), (Slot.A, 0, 100)])
def test_shares_are_of_slot_b_for_the_load_balancer(green: Slot, percent: int, b: int) -> None:
    assert share_of_b(green, percent) == b
    assert share_of(green, b) == percent
