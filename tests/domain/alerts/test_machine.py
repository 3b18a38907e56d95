"""What must hold of the alert machine whatever happens, in whatever order."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial

from hypothesis import HealthCheck, find, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bot.domain.alerts.lifecycle import step
from bot.domain.alerts.model import (
    Acknowledged,
    AddNote,
    Alert,
    Condition,
    Decision,
    EditCard,
    Event,
    Measured,
    Missed,
    Note,
    PostCard,
    Rule,
    Status,
    Unwatched,
)
from bot.domain.alerts.reasons import Reason
from bot.domain.levels import Level
from probes.base import Layer
from tests.factories import CPU, FIVE, TIMEOUT, Story, at, subject
from tests.factories import rule as a_rule

VALUES = st.sampled_from([0.0, 40.0, 48.0, 52.0, 58.0, 62.0, 69.0, 72.0, 79.0, 82.0, 88.0, 91.0, 100.0])
PAUSES = st.sampled_from([1.0, 15.0, 15.0, 15.0, 60.0, 299.0, 300.0, 899.0, 1000.0, -30.0])
RULES = st.builds(
    lambda bands, layer, confirm, critical, emergency, clear, missed: replace(
        a_rule(bands, layer),
        confirm=confirm,
        confirm_critical=critical,
        confirm_emergency=emergency,
        clear=clear,
        missed=missed,
    ),
    bands=st.sampled_from([CPU, FIVE]),
    layer=st.sampled_from([Layer.INFRASTRUCTURE, Layer.SECURITY]),
    confirm=st.integers(1, 4),
    critical=st.integers(1, 4),
    emergency=st.integers(1, 3),
    clear=st.integers(1, 3),
    missed=st.integers(1, 4),
)
TRANSITIONS = ("status", "level", "reopened")


class AlertMachine(RuleBasedStateMachine):
    """Random checks, clicks and configuration changes on one subject."""

    def __init__(self) -> None:
        super().__init__()
        self.rule: Rule = a_rule()
        self.subject = subject()
        self.alert: Alert | None = None
        self.seconds = 0.0
        self.checks = 0
        self.drawn = 0  # the version on the card that people look at
        self.in_a_row: list[Level | None] = []  # levels of the checks in a row that said something
        self.cards: Counter[int] = Counter()
        self.life = 0  # the number of the latest alert
        self.posted = False  # whether this alert's card is out

    @initialize(rule_=RULES, condition=st.sampled_from(list(Condition)))
    def begin(self, rule_: Rule, condition: Condition) -> None:
        self.rule = rule_
        self.subject = subject(condition)

    def _wait(self, seconds: float) -> None:
        """Let time pass, backwards too; two checks of one microsecond would be one."""
        self.checks += 1
        self.seconds = round(self.seconds) + seconds + self.checks / 1000

    @rule(value=VALUES, pause=PAUSES)
    def measure(self, value: float, pause: float) -> None:
        self._wait(pause)
        no_data = self.subject.condition is Condition.NO_DATA
        bands = self.rule.bands
        assert bands is not None
        self._note(None if no_data else bands.level_of(value))
        self._happens(Measured(value, at(self.seconds)))

    @rule(value=VALUES, times=st.integers(2, 6))
    def measure_again_and_again(self, value: float, times: int) -> None:
        for _ in range(times):
            self.measure(value, 15.0)

    @rule(pause=PAUSES)
    def miss(self, pause: float) -> None:
        self._wait(pause)
        if self.subject.condition is Condition.NO_DATA:
            self._note(Level.ERROR)
        self._happens(Missed(TIMEOUT, at(self.seconds)))

    @rule(by=st.sampled_from(["U1", "U2"]))
    def click_on_the_card(self, by: str) -> None:
        self._happens(Acknowledged(by, self.drawn))

    @rule(by=st.sampled_from(["U1", "U2"]), behind=st.integers(1, 3))
    def click_on_an_old_drawing(self, by: str, behind: int) -> None:
        before = self.alert
        self._happens(Acknowledged(by, self.drawn - behind))
        assert self.alert == before

    @rule()
    def take_it_off_watch(self) -> None:
        self.in_a_row.clear()
        self._happens(Unwatched())

    def _note(self, level: Level | None) -> None:
        if level is None:
            self.in_a_row.clear()
        else:
            self.in_a_row.append(level)

    def _happens(self, event: Event) -> None:
        before = self.alert
        if before is not None and isinstance(event, Measured | Missed) and event.at == before.last_at:
            return  # a clock that stands still: the monitor never does that
        decision = step(self.rule, self.subject, before, event, at(self.seconds))
        if decision.alert is not None and decision.alert.id == 0:
            # A new alert: the store gives it a number.
            self.life += 1
            self.posted = False
            before, decision = None, replace(decision, alert=replace(decision.alert, id=self.life))
        self._check_effects(before, decision)
        if before is not None and decision.alert is not None:
            self._check_change(before, decision.alert, decision, event)
        self.alert = decision.alert
        if any(isinstance(effect, PostCard | EditCard) for effect in decision.effects):
            assert self.alert is not None
            self.drawn = self.alert.version

    def _check_effects(self, before: Alert | None, decision: Decision) -> None:
        assert isinstance(decision.reason, Reason)
        if not decision.effects:
            return
        drawings = [effect for effect in decision.effects if isinstance(effect, PostCard | EditCard)]
        assert drawings == [decision.effects[0]], "the card is drawn once, before anything is said of it"
        if drawings == [PostCard()]:
            self.cards[self.life] += 1
            self.posted = True
        assert self.posted, "edits and notes come after the card"
        notes = {effect.note for effect in decision.effects if isinstance(effect, AddNote)}
        if notes & {Note.RESOLVED, Note.MEASURED_AGAIN}:
            assert before is not None
            assert before.status.is_open, "resolved comes only after opened"

    def _check_change(self, before: Alert, after: Alert, decision: Decision, event: Event) -> None:
        assert after.version >= before.version
        moved = any(getattr(before, name) != getattr(after, name) for name in TRANSITIONS)
        assert (after.version != before.version) == moved
        assert not moved or decision.effects, "people see every transition"
        if before.status.is_open and after.level > before.level:
            assert (after.status, after.acked_by) == (Status.FIRING, None), "no click survives a rise"
        if before.status is Status.RESOLVED and after.status is not Status.RESOLVED:
            assert after.reopened == before.reopened + 1
        if isinstance(event, Missed) and self.subject.condition is Condition.THRESHOLD:
            assert after == before

    @invariant()
    def one_card_each(self) -> None:
        assert all(count == 1 for count in self.cards.values())

    @invariant()
    def no_page_is_lost(self) -> None:
        """What was bad often enough in a row is open, at that level at least."""
        for level in Level:
            no_data = self.subject.condition is Condition.NO_DATA
            needed = self.rule.missed if no_data else self.rule.checks_for(level)
            last = self.in_a_row[-needed:]
            if len(last) == needed and all(seen is not None and seen >= level for seen in last):
                assert self.alert is not None
                assert self.alert.status.is_open
                assert self.alert.level >= level
                assert self.posted

    @invariant()
    def its_parts_agree(self) -> None:
        alert = self.alert
        if alert is None:
            return
        assert (alert.status is Status.ACKED) <= (alert.acked_by is not None)
        assert (alert.status is Status.RESOLVED) == (alert.resolved_at is not None)
        assert alert.status is Status.PENDING or alert.fired_at is not None
        assert alert.peak_level >= alert.level
        assert (alert.version == 0) == (alert.status is Status.PENDING)


AlertMachine.TestCase.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestAlertMachine = AlertMachine.TestCase


STEPS = st.lists(
    st.tuples(st.sampled_from(["measure", "miss", "ack", "unwatch"]), st.sampled_from([40.0, 75.0, 95.0]))
)


def _reaches(status: Status, steps: list[tuple[str, float]]) -> bool:
    story = Story()
    for number, (what, value) in enumerate(steps):
        seconds = number * 120.0
        match what:
            case "measure":
                story.value(seconds, value)
            case "miss":
                story.missed(seconds)
            case "ack":
                story.ack(seconds)
            case _:
                story.unwatched(seconds)
    return story.alert is not None and story.alert.status is status


def test_every_status_can_be_reached() -> None:
    for status in Status:
        find(STEPS, partial(_reaches, status))


def test_every_reason_can_come_about() -> None:
    """A reason that never comes about would be a sentence that nobody reads."""
    story = Story()
    reasons: set[Reason] = set()

    def note(*_: object) -> None:
        reasons.add(story.reason)

    note(story.value(0, 10))
    note(story.missed(1))
    note(story.value(2, 75))
    note(story.value(3, 10))
    for seconds in (4, 5, 6):
        note(story.value(seconds, 75))
    note(story.value(7, 75))
    note(story.value(400, 75))
    drawn = story.now.version
    for seconds in (401, 402):
        note(story.value(seconds, 95))
    note(story.ack(403, version=drawn))
    note(story.ack(404))
    note(story.ack(405))
    for seconds in (406, 407):
        note(story.value(seconds, 75))
    for seconds in (408, 409):
        note(story.value(seconds, 10))
    note(story.ack(410))
    for seconds in (411, 412):
        note(story.value(seconds, 95))
    note(story.unwatched(413))
    story = Story(subject=subject(Condition.NO_DATA))
    for seconds in (0, 1, 2):
        note(story.missed(seconds))
    for seconds in (3, 4):
        note(story.value(seconds, 1.0))
    assert reasons == set(Reason)
