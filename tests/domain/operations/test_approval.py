"""What becomes of a click, rule by rule, and what no combination of them may give."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.operations.approval import (
    ARROWS,
    OPEN,
    UNDER_WAY,
    Click,
    Needs,
    Pending,
    State,
    Verdict,
    judge,
)
from bot.domain.operations.roles import Role, Roles
from tests.factories import T0

ANN, BOB, CHO, EVE = "U0ANN", "U0BOB", "U0CHO", "U0EVE"
ROLES = Roles({Role.OPERATOR: frozenset({ANN, EVE}), Role.APPROVER: frozenset({BOB, CHO})}, assigned=True)
HASH, OTHER = "a" * 64, "b" * 64
PENDING = Pending(State.PENDING, HASH, ANN, T0 + timedelta(minutes=15))
TWO = Needs(second_person=True)
OWN_WORD = Needs(approve=Role.OPERATOR)
LATE = T0 + timedelta(minutes=15)

APPROVE, DENY, CANCEL, GLASS, STOP = Click.APPROVE, Click.DENY, Click.CANCEL, Click.BREAK_GLASS, Click.STOP
HOLD, GO = Click.HOLD, Click.GO
TAKEN, STALE, EXPIRED = Verdict.TAKEN, Verdict.STALE, Verdict.EXPIRED
NOT_ALLOWED, SECOND, NO_REASON = Verdict.NOT_ALLOWED, Verdict.SECOND_PERSON, Verdict.NO_REASON


def judged(
    click: Click,
    by: str,
    pending: Pending = PENDING,
    needs: Needs = Needs(),  # noqa: B008 - frozen
    *,
    shown: str = HASH,
    now: datetime = T0,
    reason: str = "",
) -> Verdict:
    return judge(click, by, shown, pending, needs, ROLES, now, reason)


@pytest.mark.parametrize(
    ("click", "by", "needs", "verdict"),
    [
        (APPROVE, BOB, Needs(), TAKEN),
        (APPROVE, ANN, Needs(), NOT_ALLOWED),
        (APPROVE, "U0WHO", Needs(), NOT_ALLOWED),
        (APPROVE, ANN, OWN_WORD, TAKEN),
        (APPROVE, "U0WHO", OWN_WORD, NOT_ALLOWED),
        (APPROVE, BOB, TWO, TAKEN),
        (APPROVE, ANN, replace(TWO, approve=Role.OPERATOR), SECOND),
        (APPROVE, ANN, TWO, NOT_ALLOWED),  # the role goes first
        (DENY, BOB, Needs(), TAKEN),
        (DENY, BOB, TWO, TAKEN),
        (DENY, ANN, Needs(), NOT_ALLOWED),
        (DENY, ANN, OWN_WORD, TAKEN),
        (CANCEL, ANN, Needs(), TAKEN),
        (CANCEL, BOB, Needs(), TAKEN),
        (CANCEL, EVE, Needs(), NOT_ALLOWED),
        (GLASS, "U0WHO", Needs(), NOT_ALLOWED),
        (GLASS, ANN, TWO, NO_REASON),
        (STOP, ANN, Needs(), STALE),
    ],
)
def test_a_click_on_a_plan_that_waits(click: Click, by: str, needs: Needs, verdict: Verdict) -> None:
    assert judged(click, by, needs=needs) is verdict


@pytest.mark.parametrize(("reason", "verdict"), [("", NO_REASON), (" \n\t", NO_REASON), ("disk full", TAKEN)])
def test_the_glass_needs_a_reason_and_no_second_person(reason: str, verdict: Verdict) -> None:
    assert judged(GLASS, ANN, needs=TWO, reason=reason) is verdict


@pytest.mark.parametrize("click", [APPROVE, DENY, GLASS])
@pytest.mark.parametrize(("now", "verdict"), [(LATE - timedelta(microseconds=1), TAKEN), (LATE, EXPIRED)])
def test_a_plan_lives_until_before_its_end(click: Click, now: datetime, verdict: Verdict) -> None:
    assert judged(click, BOB, now=now, reason="why") is verdict


def test_what_has_ended_unanswered_can_be_cancelled_until_somebody_says_that_it_has() -> None:
    assert judged(CANCEL, ANN, now=LATE) is TAKEN
    assert judged(CANCEL, ANN, replace(PENDING, state=State.EXPIRED)) is EXPIRED


@pytest.mark.parametrize("click", [APPROVE, DENY, GLASS])
def test_a_card_of_another_plan_is_stale(click: Click) -> None:
    assert judged(click, BOB, shown=OTHER, reason="why") is STALE
    assert judged(click, BOB, shown="", reason="why") is STALE


def test_whoever_cancels_or_stops_need_not_have_seen_the_plan() -> None:
    assert judged(CANCEL, ANN, shown="") is TAKEN
    assert judged(STOP, ANN, replace(PENDING, state=State.RUNNING), shown="") is TAKEN


@pytest.mark.parametrize("state", [state for state in State if state is not State.PENDING])
@pytest.mark.parametrize("click", [APPROVE, DENY, GLASS])
def test_nothing_is_decided_twice(click: Click, state: State) -> None:
    expected = EXPIRED if state is State.EXPIRED else STALE
    assert judged(click, BOB, replace(PENDING, state=state), reason="why") is expected


@pytest.mark.parametrize("state", State)
def test_what_can_be_cancelled_has_not_begun(state: State) -> None:
    taken = judged(CANCEL, ANN, replace(PENDING, state=state)) is TAKEN
    assert taken == (state in (State.PENDING, State.QUEUED))


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize(("by", "allowed"), [(ANN, True), (BOB, True), (EVE, False), ("U0WHO", False)])
def test_what_can_be_stopped_runs_and_does_not_go_back_already(state: State, by: str, allowed: bool) -> None:
    expected = (TAKEN if allowed else NOT_ALLOWED) if state is State.RUNNING else STALE
    assert judged(STOP, by, replace(PENDING, state=state)) is expected


def test_nothing_is_stopped_twice() -> None:
    assert judged(STOP, BOB, replace(PENDING, state=State.RUNNING, stopped=True)) is STALE


def test_whoever_asked_and_may_not_ask_any_more_cannot_stop() -> None:
    running = replace(PENDING, state=State.RUNNING, asked_by="U0WHO")
    assert judged(STOP, "U0WHO", running) is NOT_ALLOWED
    assert judged(CANCEL, "U0WHO", replace(running, state=State.QUEUED)) is TAKEN


def test_every_state_can_be_reached_and_only_what_is_over_leads_nowhere() -> None:
    reached, edge = {State.PENDING}, {State.PENDING}
    while edge:
        edge = {after for state in edge for after in ARROWS.get(state, ())} - reached
        reached |= edge
    assert reached == set(State)
    assert ARROWS.keys() == OPEN
    assert UNDER_WAY < OPEN


@given(
    click=st.sampled_from(Click),
    by=st.sampled_from([ANN, BOB, CHO, EVE, "U0WHO"]),
    state=st.sampled_from(State),
    shown=st.sampled_from([HASH, OTHER]),
    minutes=st.integers(0, 30),
    second=st.booleans(),
    reason=st.sampled_from(["", "why"]),
)
def test_no_approval_without_the_plan_the_role_the_time_and_the_second_person(
    click: Click, by: str, state: State, shown: str, minutes: int, second: bool, reason: str
) -> None:
    now = T0 + timedelta(minutes=minutes)
    pending, needs = replace(PENDING, state=state), Needs(second_person=second)
    if judged(click, by, pending, needs, shown=shown, now=now, reason=reason) is not TAKEN:
        return
    if click in (APPROVE, GLASS):
        assert state is State.PENDING
        assert shown == HASH
        assert now < pending.expires_at
    if click is APPROVE:
        assert by in (BOB, CHO)
        assert not (second and by == pending.asked_by)
    if click is GLASS:
        assert reason
    assert by != "U0WHO"


RUNNING = replace(PENDING, state=State.RUNNING)


@pytest.mark.parametrize(
    ("click", "by", "pending", "needs", "verdict"),
    [
        (HOLD, ANN, RUNNING, Needs(), TAKEN),
        (HOLD, EVE, RUNNING, Needs(), TAKEN),
        (HOLD, "U0WHO", RUNNING, Needs(), NOT_ALLOWED),
        (HOLD, BOB, replace(RUNNING, held=True), Needs(), STALE),
        (GO, BOB, replace(RUNNING, held=True), Needs(), TAKEN),
        (GO, BOB, RUNNING, Needs(), TAKEN),
        (GO, ANN, replace(RUNNING, held=True), Needs(), NOT_ALLOWED),
        (GO, ANN, replace(RUNNING, held=True), OWN_WORD, TAKEN),
        (GO, BOB, replace(RUNNING, stopped=True), Needs(), STALE),
        (HOLD, BOB, replace(RUNNING, stopped=True), Needs(), STALE),
        (HOLD, BOB, PENDING, Needs(), STALE),
        (GO, BOB, replace(RUNNING, state=State.UNDOING), Needs(), STALE),
        (STOP, EVE, RUNNING, Needs(), NOT_ALLOWED),
        (STOP, EVE, RUNNING, Needs(stop=Role.OPERATOR), TAKEN),
        (STOP, EVE, RUNNING, Needs(stop=None), STALE),
    ],
)
def test_a_run_is_held_by_whoever_may_ask_and_let_go_on_by_whoever_may_approve(
    click: Click, by: str, pending: Pending, needs: Needs, verdict: Verdict
) -> None:
    assert judged(click, by, pending, needs) is verdict
