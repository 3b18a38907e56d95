"""The life of operations against `judge`, the store and its locks, in whatever order things happen: clicks
come late and on cards that show what is no longer so."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from bot.domain.operations.approval import ARROWS, OPEN, UNDER_WAY, Click, Needs, State, Verdict, judge
from bot.domain.operations.locks import Lock, in_the_way
from bot.domain.operations.plan import Plan, Step
from bot.domain.operations.record import OperationRecord
from bot.domain.operations.roles import Role, Roles
from bot.store.also import Also, all_of
from bot.store.database import Database
from bot.store.operation_locks import LockStore
from bot.store.operations import OperationStore
from tests.factories import T0

T = TypeVar("T")
ANN, BOB, EVE, WHO = "U0ANN", "U0BOB", "U0EVE", "U0WHO"
PEOPLE = st.sampled_from([ANN, BOB, EVE, WHO])
ENDS = [State.DONE, State.PARTIAL, State.STOPPED, State.UNDONE, State.FAILED]
SUBJECTS = st.sampled_from(["production", "host:web-1"])
ROLES = Roles({Role.OPERATOR: frozenset({ANN, EVE}), Role.APPROVER: frozenset({BOB})}, assigned=True)
DECIDED = {
    Click.APPROVE: State.QUEUED,
    Click.BREAK_GLASS: State.QUEUED,
    Click.DENY: State.DENIED,
    Click.CANCEL: State.CANCELLED,
}


@dataclass
class Shadow:
    """What an operation must be, by what was answered."""

    subject: str
    states: list[State] = field(default_factory=lambda: [State.PENDING])
    winners: int = 0
    stops: int = 0
    token: int | None = None

    @property
    def state(self) -> State:
        return self.states[-1]


class LifeOfOperations(RuleBasedStateMachine):
    """`cards` are operations as somebody has seen them; only the store knows what they are by now."""

    cards: Bundle[OperationRecord] = Bundle("cards")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.database = self.run(Database.open("sqlite+aiosqlite://"))
        self.store, self.locks = OperationStore(self.database), LockStore(self.database)
        self.now = T0
        self.shadows: dict[int, Shadow] = {}
        self.tokens: dict[str, int] = {}
        self.holders: dict[str, int] = {}
        """the run that holds a subject"""

    def run(self, work: Coroutine[object, object, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.run(self.database.close())
        self.runner.close()

    def write(self, number: int, before: State, after: State, *also: Also, by: str | None = None) -> bool:
        """Move on as the desk does: from where the card showed it."""
        moving = self.store.moving(number, [before], after)
        if by is not None:
            moving = self.store.moving(number, [before], after, decided_by=by, decided_at=self.now)
        done = self.run(self.store.write(all_of(moving, *also)))
        shadow = self.shadows[number]
        if done:
            assert shadow.state is before
            shadow.states.append(after)
        return done

    @rule(target=cards, subject=SUBJECTS, by=st.sampled_from([ANN, BOB, EVE]))
    def ask(self, subject: str, by: str) -> OperationRecord:
        number = len(self.shadows) + 1
        plan = Plan("chest", subject, self.now, (Step("put", {"word": str(number)}),))
        until = self.now + timedelta(minutes=15)
        record = OperationRecord(number, plan, plan.hash, {}, State.PENDING, "ops", by, self.now, until)
        assert self.run(self.store.write(self.store.adding(record)))
        self.shadows[number] = Shadow(subject)
        return record

    def now_is(self, number: int) -> OperationRecord:
        found = self.run(self.store.get(number))
        assert found is not None
        return found

    @rule(target=cards, card=cards)
    def see(self, card: OperationRecord) -> OperationRecord:
        return self.now_is(card.id)

    @rule(target=cards, card=consumes(cards))
    def see_anew(self, card: OperationRecord) -> OperationRecord:
        return self.now_is(card.id)

    @rule(
        card=cards,
        click=st.sampled_from(Click),
        by=PEOPLE,
        other=st.booleans(),
        second=st.booleans(),
        reason=st.sampled_from(["", "why"]),
    )
    def click(
        self, card: OperationRecord, click: Click, by: str, other: bool, second: bool, reason: str
    ) -> None:
        shown = "0" * 64 if other else card.plan_hash
        needs = Needs(second_person=second)
        verdict = judge(click, by, shown, card.pending, needs, ROLES, self.now, reason)
        if verdict is not Verdict.TAKEN:
            return
        assert by != WHO
        shadow = self.shadows[card.id]
        if click is Click.STOP:
            if self.write(card.id, card.state, card.state, self.store.stopping(card.id, by)):
                shadow.states.pop()  # a stop is no arrow: it goes on or is undone as its steps say
                shadow.stops += 1
            return
        if self.write(card.id, card.state, DECIDED[click], by=by):
            shadow.winners += shadow.states[-2] is State.PENDING

    @rule(card=cards, after=st.sampled_from([State.EXPIRED, State.SUPERSEDED]))
    def end_unanswered(self, card: OperationRecord, after: State) -> None:
        if after is State.SUPERSEDED or self.now >= card.expires_at:
            self.shadows[card.id].winners += self.write(card.id, State.PENDING, after)

    @rule(card=cards, after=st.sampled_from([State.CHANGED, State.REFUSED]))
    def object_to(self, card: OperationRecord, after: State) -> None:
        self.write(card.id, State.QUEUED, after)

    @rule(card=cards)
    def start(self, card: OperationRecord) -> None:
        subject = card.plan.subject
        lock = Lock(subject, 0, card.asked_by, self.now, card.id)
        held = in_the_way(self.run(self.locks.held(self.now)), [subject], self.now)
        started = self.write(card.id, State.QUEUED, State.RUNNING, self.locks.taking(lock))
        if not started:
            return
        assert held is None
        assert subject not in self.holders
        self.holders[subject] = card.id
        found = self.now_is(card.id)
        assert found.token is not None
        assert found.token > self.tokens.get(subject, 0)
        self.tokens[subject] = self.shadows[card.id].token = found.token

    @rule(card=cards)
    def turn_back(self, card: OperationRecord) -> None:
        self.write(card.id, State.RUNNING, State.UNDOING)

    @rule(card=cards, after=st.sampled_from(ENDS))
    def end(self, card: OperationRecord, after: State) -> None:
        before = self.shadows[card.id].state
        if before not in UNDER_WAY or after not in ARROWS[before]:
            return
        subject = card.plan.subject
        assert self.write(card.id, before, after, self.locks.releasing(subject, run=card.id))
        assert self.holders.pop(subject) == card.id

    @rule(subject=SUBJECTS, by=PEOPLE, minutes=st.integers(1, 90))
    def lock(self, subject: str, by: str, minutes: int) -> None:
        held = in_the_way(self.run(self.locks.held(self.now)), [subject], self.now)
        wanted = Lock(subject, 0, by, self.now, None, "why", self.now + timedelta(minutes=minutes))
        assert self.run(self.store.write(self.locks.taking(wanted))) == (held is None)
        taken = in_the_way(self.run(self.locks.held(self.now)), [subject], self.now)
        assert taken is not None
        if held is None:
            assert taken == replace(wanted, token=taken.token)
            assert taken.token > self.tokens.get(subject, 0)
            self.tokens[subject] = taken.token
        else:
            assert taken == held

    @rule(subject=SUBJECTS, old=st.integers(0, 2))
    def unlock(self, subject: str, old: int) -> None:
        held = in_the_way(self.run(self.locks.held(self.now)), [subject], self.now)
        token = self.tokens.get(subject, 0) - old
        lifted = self.run(self.store.write(self.locks.releasing(subject, token=token)))
        after = in_the_way(self.run(self.locks.held(self.now)), [subject], self.now)
        if held is not None and (held.run is not None or held.token != token):
            assert not lifted
            assert after == held
        else:
            assert after is None

    @rule(minutes=st.sampled_from([1, 5, 15, 60]))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @invariant()
    def the_store_is_what_was_answered(self) -> None:
        found = {each.id: each for each in self.run(self.store.latest(1000))}
        assert {number: each.state for number, each in found.items()} == {
            number: shadow.state for number, shadow in self.shadows.items()
        }
        assert [each.id for each in self.run(self.store.open())] == [
            number for number, shadow in self.shadows.items() if shadow.state in OPEN
        ]
        for number, shadow in self.shadows.items():
            assert found[number].token == shadow.token
            assert (found[number].stopped_by is not None) == (shadow.stops > 0)

    @invariant()
    def nothing_goes_where_no_arrow_leads_and_of_clicks_one_wins(self) -> None:
        for shadow in self.shadows.values():
            for before, after in pairwise(shadow.states):
                assert after in ARROWS[before]
            assert shadow.winners == (len(shadow.states) > 1)
            assert shadow.stops <= 1

    @invariant()
    def whoever_runs_holds_the_lock_alone(self) -> None:
        running = {
            number: shadow.subject for number, shadow in self.shadows.items() if shadow.state in UNDER_WAY
        }
        assert self.holders == {subject: number for number, subject in running.items()}
        assert len(self.holders) == len(running)
        held = self.run(self.locks.held(self.now))
        assert {lock.run: lock.subject for lock in held if lock.run is not None} == running
        assert all(lock.token == self.tokens[lock.subject] for lock in held)


class ManyLives(LifeOfOperations):
    """The same, for longer."""


def _so_many(examples: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


LifeOfOperations.TestCase.settings = _so_many(15)
ManyLives.TestCase.settings = _so_many(300)
TestLifeOfOperations = LifeOfOperations.TestCase
TestManyLives = pytest.mark.soak(ManyLives.TestCase)
