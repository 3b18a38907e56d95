"""What must hold of the alert machine whatever happens, in whatever order."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.domain.alerts.cards import Telling, letters_for, stream_of
from bot.domain.alerts.covers import Cover, CoverKind
from bot.domain.alerts.ladder import DEFAULT_LADDERS, Ladder, Policy, Progress, Rung, tiers_due
from bot.domain.alerts.lifecycle import step
from bot.domain.alerts.model import (
    Acknowledged,
    Active,
    AddNote,
    Alert,
    Condition,
    Decision,
    Due,
    EditCard,
    Event,
    Measured,
    Missed,
    Note,
    Page,
    PostCard,
    Raised,
    Reported,
    ResolvedByHand,
    Rule,
    Status,
    Unwatched,
)
from bot.domain.alerts.paging import deadline_of, ladder_of, shifted
from bot.domain.alerts.reasons import Reason
from bot.domain.letters import LetterKind
from bot.domain.levels import Level
from probes.base import Layer
from tests.factories import CPU, FIVE, TIERS, TIMEOUT, Nearby, at, subject
from tests.factories import rule as a_rule

OTHERS = (Condition.REPORTED, Condition.HEARTBEAT, Condition.FAILED_RUN)
VALUES = st.sampled_from([0.0, 40.0, 48.0, 52.0, 58.0, 62.0, 69.0, 72.0, 79.0, 82.0, 88.0, 91.0, 100.0])
PAUSES = st.sampled_from([1.0, 15.0, 15.0, 15.0, 60.0, 299.0, 300.0, 899.0, 1000.0, -30.0])
LONG_PAUSES = st.sampled_from([1.0, 59.0, 60.0, 300.0, 301.0, 1800.0, 7200.0, 30_000.0, -30.0])
LEVELS = st.sampled_from(list(Level))
PEOPLE = st.sampled_from(["U1", "U2"])
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
LADDERS = st.builds(
    Ladder,
    rungs=st.lists(
        st.builds(
            Rung,
            after=st.integers(0, 20).map(lambda minutes: timedelta(minutes=minutes)),
            tiers=st.sets(st.integers(1, 3), min_size=1).map(lambda tiers: tuple(sorted(tiers))),
        ),
        max_size=4,
        unique_by=lambda rung: rung.after,
    ).map(lambda rungs: tuple(sorted(rungs, key=lambda rung: rung.after))),
    rounds=st.integers(1, 3),
    pause=st.just(timedelta(minutes=5)),
    every=st.sampled_from([None, timedelta(minutes=5), timedelta(hours=1)]),
)
POLICIES = st.builds(
    Policy,
    name=st.just("made"),
    tiers=st.integers(0, 3).map(lambda tiers: TIERS[:tiers]),
    ladders=st.one_of(
        st.just(DEFAULT_LADDERS), st.fixed_dictionaries(dict.fromkeys(list(Level)[1:], LADDERS))
    ),
)
TRANSITIONS = ("status", "level", "reopened")
TRUTH = (
    "level",
    "peak_level",
    "value",
    "peak",
    "reopened",
    "flapping",
    "last_bad",
    "below",
    "recent",
    "flips",
)
"""What goes on underneath covers and acknowledgements."""
ENDS_OF_FLAPPING = (Reason.FLAPPING_OVER, Reason.RESOLVED_BY_HAND, Reason.NO_LONGER_WATCHED)


class AlertMachine(RuleBasedStateMachine):
    """Random checks, reports, clicks, words, covers, duties and deadlines on one subject."""

    def __init__(self) -> None:
        super().__init__()
        self.rule: Rule = a_rule()
        self.subject = subject()
        self.near = Nearby()
        self.alert: Alert | None = None
        self.shadow: Alert | None = None  # the same alert where nothing is covered and nobody to call
        self.seconds = 0.0
        self.latest = at(0)
        self.checks = 0
        self.drawn = 0  # the version on the card that people look at
        self.in_a_row: list[Level | None] = []  # levels of the checks in a row that said something
        self.reported: Level | None = None  # what was reported last
        self.life = 0  # the number of the latest alert
        self.posted = False  # whether this alert's card is out
        self.pages: set[tuple[int, int, int]] = set()
        self.ids = itertools.count(1)

    @initialize(rule_=RULES, condition=st.sampled_from(list(Condition)), policy=POLICIES)
    def begin(self, rule_: Rule, condition: Condition, policy: Policy) -> None:
        self.rule = rule_
        self.subject = subject(condition)
        self.near.policy = policy

    @property
    def by_others(self) -> bool:
        return self.subject.condition in OTHERS

    def _wait(self, seconds: float) -> None:
        """Let time pass, backwards too; two checks of one microsecond would be one."""
        self.checks += 1
        self.seconds = round(self.seconds) + seconds + self.checks / 1000
        self.latest = max(self.latest, at(self.seconds))

    # What happens

    @precondition(lambda self: not self.by_others)
    @rule(value=VALUES, pause=PAUSES)
    def measure(self, value: float, pause: float) -> None:
        self._wait(pause)
        no_data = self.subject.condition is Condition.NO_DATA
        bands = self.rule.bands
        assert bands is not None
        self._note(None if no_data else bands.level_of(value))
        self._happens(Measured(value, at(self.seconds)))

    @precondition(lambda self: not self.by_others)
    @rule(value=VALUES, times=st.integers(2, 6))
    def measure_again_and_again(self, value: float, times: int) -> None:
        for _ in range(times):
            self.measure(value, 15.0)

    @precondition(lambda self: not self.by_others)
    @rule(good=VALUES, bad=VALUES, times=st.integers(3, 8))
    def measure_by_turns(self, good: float, bad: float, times: int) -> None:
        for _ in range(times):
            self.measure(good, 15.0)
            self.measure(bad, 15.0)

    @precondition(lambda self: not self.by_others)
    @rule(pause=PAUSES)
    def miss(self, pause: float) -> None:
        self._wait(pause)
        if self.subject.condition is Condition.NO_DATA:
            self._note(Level.ERROR)
        self._happens(Missed(TIMEOUT, at(self.seconds)))

    @precondition(lambda self: self.subject.condition is Condition.NO_DATA)
    @rule(times=st.integers(2, 6))
    def miss_again_and_again(self, times: int) -> None:
        for _ in range(times):
            self.miss(15.0)

    @precondition(lambda self: self.by_others)
    @rule(level=st.one_of(st.none(), LEVELS), pause=PAUSES)
    def report(self, level: Level | None, pause: float) -> None:
        self._wait(pause)
        self.reported = level
        run = {"operation": f"#{self.checks}"} if self.subject.condition is Condition.FAILED_RUN else {}
        said = Reported(level is not None, level or Level.WARNING, at(self.seconds), "Disk full", run)
        self._happens(said)

    @precondition(lambda self: self.by_others)
    @rule(level=LEVELS, times=st.integers(2, 4))
    def report_by_turns(self, level: Level, times: int) -> None:
        for _ in range(times):
            self.report(None, 15.0)
            self.report(level, 15.0)

    @rule(by=PEOPLE)
    def click_on_the_card(self, by: str) -> None:
        self._happens(Acknowledged(by, self.drawn if self.posted else self._version))

    @rule(by=PEOPLE, behind=st.integers(1, 3))
    def click_on_an_old_drawing(self, by: str, behind: int) -> None:
        before = self.alert
        self._happens(Acknowledged(by, self._version - behind))
        if before is not None and self.alert is not None:
            assert self.alert.acked_by in (before.acked_by, None)

    @rule(by=PEOPLE, behind=st.sampled_from([0, 0, 0, 1]))
    def call_it_resolved(self, by: str, behind: int) -> None:
        before = self.alert
        self._happens(ResolvedByHand(by, self._version - behind))
        if before is not None and before.last_bad and before.status.is_open and not self.by_others:
            assert self.alert is not None
            assert self.alert.status.is_open, "what still fails is not over because somebody says so"

    @rule(by=PEOPLE)
    def write_in_the_thread(self, by: str) -> None:
        before = self.alert
        self._happens(Active(by))
        if before is not None and before.status is Status.ACKED:
            assert self.alert is not None
            assert self.alert.ack_until is not None
            assert self.alert.ack_until > at(self.seconds)

    @rule(level=st.one_of(st.none(), LEVELS))
    def raise_it(self, level: Level | None) -> None:
        self._happens(Raised(level, None if level is None else "layers"))

    @rule()
    def take_it_off_watch(self) -> None:
        self.in_a_row.clear()
        self.reported = None
        self._happens(Unwatched())

    @rule(pause=LONG_PAUSES)
    def look_what_is_due(self, pause: float) -> None:
        self._wait(pause)
        self._happens(Due())

    @rule(pause=LONG_PAUSES)
    def do_everything_when_it_is_due(self, pause: float) -> None:
        end = at(self.seconds + pause)
        for _ in range(200):
            moment = None if self.alert is None else deadline_of(self.alert)
            if moment is None or moment > end:
                break
            self.seconds = max(self.seconds, (moment - at(0)).total_seconds())
            self.latest = max(self.latest, at(self.seconds))
            self._happens(Due())

    # What lies around

    @rule(
        kind=st.sampled_from([CoverKind.SILENCE, *CoverKind]),
        ref=st.sampled_from(["1", "2"]),
        lasts=st.one_of(st.none(), st.sampled_from([0.0, 60.0, 3600.0])),
        told=st.booleans(),
    )
    def cover(self, kind: CoverKind, ref: str, lasts: float | None, told: bool) -> None:
        until = None if lasts is None else at(self.seconds + lasts)
        self.near.lies = Cover(kind, ref, until)
        if told:
            self._happens(Due())

    @rule(told=st.booleans())
    def uncover(self, told: bool) -> None:
        self.near.lies = None
        if told:
            self._happens(Due())

    @rule(on_call=st.sets(st.sampled_from(["first", "second", "third"])))
    def change_duties(self, on_call: set[str]) -> None:
        self.near.on_call = {tier: f"U{tier}" for tier in on_call}

    @rule(policy=POLICIES)
    def change_the_policy(self, policy: Policy) -> None:
        self.near.policy = policy

    @rule(seconds=st.sampled_from([61.0, 3600.0]))
    def step_the_clock_back_and_notice(self, seconds: float) -> None:
        back = timedelta(seconds=-seconds)
        self.seconds -= seconds
        self.latest += back
        if self.alert is not None:
            self.alert = shifted(self.alert, back)
        if self.shadow is not None:
            self.shadow = shifted(self.shadow, back)

    # What becomes of it

    @property
    def _version(self) -> int:
        return 0 if self.alert is None else self.alert.version

    def _note(self, level: Level | None) -> None:
        if level is None:
            self.in_a_row.clear()
        else:
            self.in_a_row.append(level)

    def _happens(self, event: Event) -> None:
        before, now = self.alert, at(self.seconds)
        decision = step(self.rule, self.subject, before, event, now, self.near)
        accepted = decision.reason is Reason.RESOLVED_BY_HAND
        if decision.alert is not None and decision.alert.id == 0:
            # A new alert: the store gives it a number.
            self.life += 1
            self.posted = False
            self.pages.clear()
            before, decision = None, decision.about(self.life)
        self._check_effects(before, decision, now)
        self._check_letters(decision, now)
        if decision.alert is not None:
            self._check_people(before, decision.alert, decision, now)
            if before is not None:
                self._check_change(before, decision.alert, decision, event)
            self._check_deadline(before, decision.alert, decision, event, now)
        self.alert = decision.alert
        if any(isinstance(effect, PostCard | EditCard) for effect in decision.effects):
            self.drawn = self._version
        self._let_the_shadow_follow(event, now, accepted=accepted)

    def _let_the_shadow_follow(self, event: Event, now: datetime, *, accepted: bool) -> None:
        match event:
            case Acknowledged() | Active():
                return
            case ResolvedByHand():
                if not accepted or self.shadow is None:
                    return
                event = replace(event, version=self.shadow.version)
        self.shadow = step(self.rule, self.subject, self.shadow, event, now).alert

    def _check_effects(self, before: Alert | None, decision: Decision, now: datetime) -> None:
        assert isinstance(decision.reason, Reason)
        if not decision.effects:
            return
        drawings = [effect for effect in decision.effects if isinstance(effect, PostCard | EditCard)]
        assert drawings == [decision.effects[0]], "the card is drawn once, before anything is said of it"
        if drawings == [PostCard()]:
            assert not self.posted, "one card each"
            self.posted = True
        assert self.posted, "edits and notes come after the card"
        notes = [effect for effect in decision.effects if isinstance(effect, AddNote)]
        if {note.note for note in notes} & {Note.RESOLVED, Note.MEASURED_AGAIN, Note.RESOLVED_BY_HAND}:
            assert before is not None
            assert before.status.is_open, "resolved comes only after opened"
        if decision.alert is not None and decision.alert.cover is not None:
            assert not decision.posts, "nobody is told of what is covered"
            assert not any(isinstance(effect, Page) for effect in decision.effects)
            assert not any(note.broadcast for note in notes)

    def _check_letters(self, decision: Decision, now: datetime) -> None:
        letters = letters_for(decision, Telling("alerts", now, now, self.near), self.ids)
        if decision.alert is None:
            assert not letters
            return
        own = [letter.kind for letter in letters if letter.stream == stream_of(decision.alert)]
        if own:
            # Whoever is called need not wait for a drawing, but nothing comes before the card.
            called = any(isinstance(effect, Page) for effect in decision.effects)
            drawn, *rest = reversed(own) if called and LetterKind.CARD not in own else own
            assert drawn in (LetterKind.CARD, LetterKind.EDIT)
            assert set(rest) <= {LetterKind.NOTE}

    def _check_people(self, before: Alert | None, after: Alert, decision: Decision, now: datetime) -> None:
        pages = [effect for effect in decision.effects if isinstance(effect, Page)]
        assert len(pages) <= 1, "late is one step and not a burst"
        for page in pages:
            name = (page.epoch, page.round, page.step)
            assert name not in self.pages, "each step once"
            self.pages.add(name)
            assert page.recipients
            assert after.status is Status.FIRING
        assert after.pages == len(self.pages)
        assert after.carded == self.posted
        assert after.epoch >= (0 if before is None else before.epoch)
        if before is not None and before.status is not Status.PENDING and before.policy is not None:
            assert after.policy is before.policy, "what is under way keeps its policy"

    def _check_change(self, before: Alert, after: Alert, decision: Decision, event: Event) -> None:
        assert after.version >= before.version
        moved = any(getattr(before, name) != getattr(after, name) for name in TRANSITIONS)
        runs = self.subject.condition is Condition.FAILED_RUN and before.status.is_open
        another = runs and after.status.is_open and after.facts != before.facts
        assert (after.version != before.version) == (moved or another)
        assert not moved or decision.effects or not after.carded, "people see every transition"
        assert not moved or decision.alert is after
        if before.status.is_open and after.level > before.level:
            assert (after.status, after.acked_by) == (Status.FIRING, None), "no click survives a rise"
        if before.status is Status.RESOLVED and after.status is not Status.RESOLVED:
            assert after.reopened == before.reopened + 1
        if before.flapping and after.status is Status.RESOLVED:
            assert decision.reason in ENDS_OF_FLAPPING, "what flaps is held open"
        if before.flapping and not after.flapping and after.carded and after.status.is_open:
            told = decision.posts or AddNote(Note.FLAPPING_OVER) in decision.effects
            assert told, "its true state is told at the end"
        if isinstance(event, Missed) and self.subject.condition is Condition.THRESHOLD:
            assert after == before

    def _check_deadline(
        self, before: Alert | None, after: Alert, decision: Decision, event: Event, now: datetime
    ) -> None:
        deadline = deadline_of(after)
        if isinstance(event, Due) and deadline is not None:
            assert deadline > now, "what was done is due no more"
        if before is None or not isinstance(event, Due) or after.status is not Status.FIRING:
            return
        progress = before.progress
        if progress is None or progress.next_at is None or progress.next_at > now:
            return
        if after.cover is not None or before.level is not after.level:
            return
        if self._somebody(before, progress, now):
            assert any(isinstance(effect, Page) for effect in decision.effects), "no page is lost"
        else:
            assert any(
                isinstance(effect, AddNote) and effect.note is Note.EMPTY_STEP for effect in decision.effects
            ), "who was to be called and was not there is named"

    def _somebody(self, alert: Alert, progress: Progress, now: datetime) -> bool:
        assert alert.policy is not None
        return bool(self.near.reach(alert.policy.targets(tiers_due(ladder_of(alert), progress)), now))

    # What holds at any time

    @invariant()
    def no_alert_is_lost(self) -> None:
        """What was bad often enough in a row is open, at that level at least, and people know or need not."""
        for level in Level:
            no_data = self.subject.condition is Condition.NO_DATA
            needed = self.rule.missed if no_data else self.rule.checks_for(level)
            last = self.in_a_row[-needed:]
            if len(last) == needed and all(seen is not None and seen >= level for seen in last):
                self._is_open_at(level)
        if self.reported is not None:
            self._is_open_at(self.reported)

    def _is_open_at(self, level: Level) -> None:
        alert = self.alert
        assert alert is not None
        over_by_hand = self.by_others and alert.reason is Reason.RESOLVED_BY_HAND
        assert alert.status.is_open or over_by_hand
        assert alert.level >= level or over_by_hand
        assert self.posted or alert.cover is not None or over_by_hand

    @invariant()
    def the_ladder_stands_ready(self) -> None:
        """Whoever may still have to be called has a moment at which that happens, and it is not too late."""
        alert = self.alert
        if alert is None:
            return
        if alert.status is not Status.FIRING or alert.cover is not None:
            assert alert.progress is None
            return
        ladder = ladder_of(alert)
        if not ladder.rungs:
            assert alert.progress is None
            return
        # A fall from a level that calls nobody calls nobody either.
        if alert.progress is None:
            assert alert.level < alert.peak_level
            return
        assert alert.progress.epoch == alert.epoch
        if alert.progress.next_at is None:
            assert ladder.every is None
            return
        afters = [timedelta(0), *(rung.after for rung in ladder.rungs)]
        gaps = [later - earlier for earlier, later in itertools.pairwise(afters)]
        longest = max(*gaps, ladder.pause, ladder.every or timedelta(0))
        # A fall leaves out the steps for those who have been paged already, but never what comes after them.
        assert alert.progress.next_at <= self.latest + longest + ladder.rungs[-1].after

    @invariant()
    def its_parts_agree(self) -> None:
        alert = self.alert
        if alert is None:
            return
        assert (alert.status is Status.ACKED) <= (alert.acked_by is not None)
        assert (alert.status is Status.ACKED) == (alert.ack_until is not None)
        assert (alert.status is Status.RESOLVED) == (alert.resolved_at is not None)
        assert alert.status is Status.PENDING or alert.fired_at is not None
        assert alert.peak_level >= alert.level
        assert (alert.version == 0) == (alert.status is Status.PENDING)
        assert alert.status.is_open or (alert.cover, alert.flapping, alert.floor) == (None, False, None)
        assert not self.posted or self.drawn == alert.version, "the card shows the present state"

    @invariant()
    def the_truth_goes_on_underneath(self) -> None:
        alert, shadow = self.alert, self.shadow
        assert (alert is None) == (shadow is None)
        if alert is None or shadow is None:
            return
        assert alert.status.is_open == shadow.status.is_open
        for name in TRUTH:
            assert getattr(alert, name) == getattr(shadow, name), name


AlertMachine.TestCase.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestAlertMachine = AlertMachine.TestCase
