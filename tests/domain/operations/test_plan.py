"""A plan's hash binds everything that will be done, and the difference names what is otherwise."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from bot.domain.operations.plan import (
    Difference,
    JsonObject,
    OnFailure,
    Plan,
    PlanFile,
    Step,
    difference,
    plan_of,
)
from tests.factories import T0

STEP = Step("move", {"count": 3, "roots": ["/a", "/b"]}, "move_back")
LIST = PlanFile("list.txt", "/var/somewhere", "a" * 64)
PLAN = Plan("cleanup", "host:web-1", T0, (STEP, Step("look")), {"size": 10}, (LIST,))

TEXTS = st.text(max_size=8)
VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
OBJECTS: st.SearchStrategy[JsonObject] = st.dictionaries(TEXTS, VALUES, max_size=3)
PLANS = st.builds(
    Plan,
    operation=TEXTS,
    subject=TEXTS,
    at=st.just(T0),
    steps=st.lists(st.builds(Step, TEXTS, OBJECTS, st.none() | TEXTS), max_size=3).map(tuple),
    shown=OBJECTS,
    files=st.lists(st.builds(PlanFile, TEXTS, TEXTS, TEXTS), max_size=2).map(tuple),
    on_failure=st.sampled_from(OnFailure),
    topic=TEXTS,
)


def first(plan: Plan, **changes: object) -> Plan:
    return replace(plan, steps=(replace(plan.steps[0], **changes), *plan.steps[1:]))  # type: ignore[arg-type] # of whatever field


CHANGES: dict[str, tuple[Callable[[Plan], Plan], list[Difference]]] = {
    "operation": (
        lambda plan: replace(plan, operation="deploy"),
        [Difference("operation", "cleanup", "deploy")],
    ),
    "subject": (
        lambda plan: replace(plan, subject="host:web-2"),
        [Difference("subject", "host:web-1", "host:web-2")],
    ),
    "moment": (
        lambda plan: replace(plan, at=T0 + timedelta(seconds=1)),
        [Difference("at", T0.isoformat(), (T0 + timedelta(seconds=1)).isoformat())],
    ),
    "what a step is called": (
        lambda plan: first(plan, name="shift"),
        [Difference("steps.0.name", "move", "shift")],
    ),
    "what a step does": (
        lambda plan: first(plan, params={"count": 4, "roots": ["/a", "/b"]}),
        [Difference("steps.0.params.count", "3", "4")],
    ),
    "how it is undone": (
        lambda plan: first(plan, undo=None),
        [Difference("steps.0.undo", "move_back", "null")],
    ),
    "one more in a list": (
        lambda plan: first(plan, params={"count": 3, "roots": ["/a", "/b", "/c"]}),
        [Difference("steps.0.params.roots.2", None, "/c")],
    ),
    "a list that is empty now": (
        lambda plan: first(plan, params={"count": 3, "roots": []}),
        [
            Difference("steps.0.params.roots.0", "/a", None),
            Difference("steps.0.params.roots.1", "/b", None),
            Difference("steps.0.params.roots", None, "[]"),
        ],
    ),
    "one step fewer": (
        lambda plan: replace(plan, steps=(STEP,)),
        [
            Difference("steps.1.name", "look", None),
            Difference("steps.1.params", "{}", None),
            Difference("steps.1.undo", "null", None),
        ],
    ),
    "what is shown": (lambda plan: replace(plan, shown={"size": 11}), [Difference("shown.size", "10", "11")]),
    "a number that is a text now": (lambda plan: replace(plan, shown={"size": "10"}), []),
    "what a file holds": (
        lambda plan: replace(plan, files=(replace(LIST, sha256="b" * 64),)),
        [Difference("files.0.sha256", "a" * 64, "b" * 64)],
    ),
    "what follows a failure": (
        lambda plan: replace(plan, on_failure=OnFailure.STOP),
        [Difference("on_failure", "undo_all", "stop")],
    ),
}


@pytest.mark.parametrize("what", [what for what in CHANGES if "text" not in what])
def test_whatever_changes_makes_another_hash_and_is_named(what: str) -> None:
    change, expected = CHANGES[what]
    changed = change(PLAN)
    assert changed.hash != PLAN.hash
    assert list(difference(PLAN, changed)) == expected


def test_a_number_and_the_text_of_it_are_two_plans() -> None:
    changed, _ = CHANGES["a number that is a text now"]
    assert changed(PLAN).hash != PLAN.hash
    assert difference(PLAN, changed(PLAN)) == (Difference("shown.size", "10", '"10"'),)


def test_where_a_file_lies_is_not_bound() -> None:
    moved = replace(PLAN, files=(replace(LIST, path="/elsewhere"),))
    assert moved.hash == PLAN.hash
    assert difference(PLAN, moved) == ()


def test_a_plan_makes_way_for_one_about_the_same_and_for_no_other() -> None:
    about = replace(PLAN, topic="files → /srv/one")
    assert about.replaces(replace(about, steps=()))
    assert not about.replaces(replace(about, topic="files → /srv/two"))
    assert not about.replaces(PLAN)
    assert not about.replaces(replace(about, subject="host:web-2"))
    assert about.hash == PLAN.hash, "its steps say what is done"


def test_the_order_of_steps_is_bound_and_that_of_params_is_not() -> None:
    turned = replace(PLAN, steps=PLAN.steps[::-1])
    same = first(PLAN, params={"roots": ["/a", "/b"], "count": 3})
    assert turned.hash != PLAN.hash
    assert same.hash == PLAN.hash


def test_long_values_are_cut_in_the_difference_alone() -> None:
    (found,) = difference(PLAN, replace(PLAN, subject="x" * 1000))
    assert found.after == "x" * 119 + "…"


def test_values_that_differ_behind_the_cut_are_named_too() -> None:
    before, after = replace(PLAN, subject="x" * 200 + "a"), replace(PLAN, subject="x" * 200 + "b")
    assert before.hash != after.hash
    (found,) = difference(before, after)
    assert found == Difference("subject", "…" + "x" * 29 + "a", "…" + "x" * 29 + "b")


@given(PLANS)
def test_the_database_gives_back_the_same_plan(plan: Plan) -> None:
    back = plan_of(json.loads(json.dumps(plan.as_json())))
    assert back == plan
    assert back.hash == plan.hash
    assert difference(plan, back) == ()


@given(PLANS, PLANS)
def test_there_is_a_difference_where_hashes_differ(one: Plan, other: Plan) -> None:
    found = difference(one, other)
    assert (one.hash == other.hash) == (not found)
    assert all(each.before != each.after for each in found)


@given(st.integers(100, 300), st.integers(0, 300), TEXTS, TEXTS)
def test_people_see_how_long_values_differ(same: int, more: int, one: str, other: str) -> None:
    before, after = (replace(PLAN, subject="x" * same + each + "y" * more) for each in (one, other))
    for each in difference(before, after):
        assert each.before != each.after
        assert len(each.before or "") <= 120
        assert len(each.after or "") <= 120


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {**PLAN.as_json(), "steps": "none"},
        {**PLAN.as_json(), "steps": ["move"]},
        {**PLAN.as_json(), "steps": [{"name": "move", "params": [], "undo": None}]},
        {**PLAN.as_json(), "files": [7]},
        {**PLAN.as_json(), "shown": []},
        {**PLAN.as_json(), "at": "yesterday"},
        {**PLAN.as_json(), "on_failure": "cry"},
    ],
)
def test_what_is_no_plan_is_an_error(broken: JsonObject) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        plan_of(broken)
