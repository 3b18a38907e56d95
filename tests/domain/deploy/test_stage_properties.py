"""Whatever happens to a canary, in whatever order: what must never follow, and what must."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.domain.deploy.measures import Counted, Usage
from bot.domain.deploy.stage import Decision, Kind
from bot.domain.deploy.told import told
from tests.domain.deploy.canary import CALM, FAST, RULES, SLOW, canary

COUNTS = st.builds(Counted.of, st.sampled_from([0, 0, 1, 5, 60, 3000]), st.sampled_from([0] * 8 + [1, 1, 3]))


class Canaries(RuleBasedStateMachine):
    """A canary to which things happen."""

    @initialize(early=st.booleans(), per_second=st.sampled_from([0.0, 0.5, 50.0]), usage_needed=st.booleans())
    def begin(self, early: bool, per_second: float, usage_needed: bool) -> None:
        self.held_to = replace(
            RULES, dwell=15, probe_for=10, probe_early=early, probes_per_second=per_second,
            usage_needed=usage_needed,
        )  # fmt: skip
        self.canary = canary(self.held_to)
        self.decision: Decision | None = None
        self.rolled_back: Decision | None = None
        self.held = self.passed = False
        self.watched = self.ordered = 0.0
        self.seen = False
        self.probed = self.sent = self.carried = 0
        self.asked = self.extended = 0

    def take(self, decision: Decision, seconds: float, answering: bool) -> None:
        """Keep the books on our own."""
        if answering:
            if self.seen and self.gap + seconds <= self.held_to.blind_after:
                self.watched += self.gap + seconds
            self.seen, self.gap = True, 0.0
        else:
            self.gap += seconds
        self.follow(decision)

    def follow(self, decision: Decision) -> None:
        """What holds for each decision."""
        stage = self.canary.stage
        if self.rolled_back is not None:
            assert decision == self.rolled_back, "going back is final"
        if decision.kind is Kind.ROLL_BACK:
            assert decision.reasons, "and has a reason"
            self.rolled_back = decision
        if decision.kind is Kind.PASS:
            self.passed = True
            assert not self.held
            assert self.watched >= self.held_to.dwell, "a dwell is watched time"
            assert decision.by is not None or stage.evidence.stage.requests > 0, "never on no data"
            assert decision.by is not None or stage.evidence.total.requests >= 2995
            assert decision.by is not None or stage.evidence.took.total > 0
            assert decision.by is None or self.asked, "nobody vouches before being asked"
        assert (decision.kind is Kind.PROBE) == (decision.probes > 0)
        assert decision.probes <= max(1, self.held_to.probes_per_second)
        self.sent += decision.probes
        self.extended += decision.kind is Kind.EXTEND
        self.asked += decision.kind is Kind.ASK
        assert self.extended <= 1
        assert not (self.asked and not self.extended)
        self.decision = decision

    gap = 0.0

    @rule(
        green=COUNTS, blue=COUNTS, seconds=st.sampled_from([0.0, 1.0, 1.0, 3.0, 5.0, 6.0]),
        slow=st.sampled_from([False] * 7 + [True]),
    )  # fmt: skip
    def look(self, green: Counted, blue: Counted, seconds: float, slow: bool) -> None:
        """One look."""
        self.carried += green.requests
        took = [SLOW if slow else FAST] * min(green.requests, 60)
        decision = self.canary.look(green, blue, green_ms=took, blue_ms=[FAST], seconds=seconds)
        self.take(decision, seconds, self.canary.answering)

    @rule(requests=st.sampled_from([0, 5, 300, 300]), count=st.integers(5, 40), blank=st.booleans())
    def good_while(self, requests: int, count: int, blank: bool) -> None:
        """A while in which nothing fails, and if not `blank`, nothing is unknown."""
        made = self.canary
        made.healthy = True
        if not blank:
            made.answering, made.latencies, made.usage, made.alive = True, True, CALM, True
        for _ in range(count):
            self.carried += requests
            decision = made.look(Counted(requests, 0), Counted(100, 0))
            self.take(decision, 1.0, made.answering)

    @rule()
    def hold(self) -> None:
        """중단."""
        decision = self.canary.hold()
        self.held = self.rolled_back is None
        self.follow(decision)

    @rule()
    def go(self) -> None:
        """계속."""
        was_held = self.held
        self.held = False
        decision = self.canary.go()
        assert not (was_held and decision.kind is Kind.PASS), "one press, one thing"
        self.follow(decision)

    @rule(answering=st.sampled_from([True, True, False]), latencies=st.sampled_from([True, True, False]))
    def sight(self, answering: bool, latencies: bool) -> None:
        """The load balancer goes away or comes back."""
        self.canary.answering, self.canary.latencies = answering, latencies

    @rule(epoch=st.text("ab", min_size=1, max_size=3))
    def restart_balancer(self, epoch: str) -> None:
        """It counts from nothing."""
        before = self.canary.stage.evidence.total
        self.canary.green.restart(epoch)
        self.canary.blue.restart(epoch)
        assert self.canary.stage.evidence.total == before

    @rule(usage=st.sampled_from([CALM, CALM, None]))
    def usage(self, usage: Usage | None) -> None:
        """What Green takes."""
        self.canary.usage = usage

    @rule(alive=st.sampled_from([True, True, True, None]), healthy=st.sampled_from([True, None, False]))
    def life(self, alive: bool | None, healthy: bool | None) -> None:
        """What is known of Green."""
        self.canary.alive, self.canary.healthy = alive, healthy

    @precondition(lambda self: self.decision is not None and self.decision.kind is Kind.PASS)
    @rule(share=st.sampled_from([25, 50, 100]))
    def next_stage(self, share: int) -> None:
        """What has passed goes on."""
        self.canary.next(share)
        self.decision, self.watched, self.seen, self.gap = None, 0.0, False, 0.0
        self.passed = False
        self.asked = self.extended = 0

    @invariant()
    def own_requests_never_become_fewer(self) -> None:
        probed = self.canary.stage.evidence.probed.requests
        assert self.probed <= probed <= self.sent
        assert probed <= self.canary.stage.evidence.total.requests <= self.carried + self.sent
        self.probed = probed

    @invariant()
    def the_card_can_be_told(self) -> None:
        seen = told(self.canary.stage, self.canary.now)
        assert seen.seconds_left >= 0
        assert len(seen.points) <= 40
        assert (seen.needed or 0) >= 0

    @invariant()
    def watched_time_is_what_was_watched(self) -> None:
        if self.rolled_back is None:
            assert abs(self.canary.stage.watched - self.watched) < 1e-6

    @invariant()
    def time_that_passes_is_watched_or_ends_it(self) -> None:
        if self.rolled_back is None and not self.passed:
            lasted = self.canary.now - self.canary.stage.began_at
            unseen = 2 * self.held_to.blind_after  # before the first look, and since the last one
            assert lasted < 2 * self.watched + self.held_to.blind_patience + unseen + 1e-6


Canaries.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestCanaries = Canaries.TestCase
