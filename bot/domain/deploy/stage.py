"""One stage of a canary: how long it is watched, what is done when that tells too little, who may end it.

`step` takes a look and says what follows. Moments are seconds of a clock that only runs forward: one that
somebody sets must not shorten a dwell. Nothing here is kept across a crash: the stage is begun afresh then.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from bot.domain.deploy.chart import Chart
from bot.domain.deploy.evidence import Evidence, Life, absorbed
from bot.domain.deploy.sample import Fault, Lack, Reason, Sample
from bot.domain.deploy.thresholds import Rules
from bot.domain.deploy.verdict import Outcome, Verdict, verdict


class Kind(StrEnum):
    """What follows from a look."""

    WATCH = "watch"
    """go on"""
    PASS = "pass"  # noqa: S105 - no password
    """the next stage may begin. Looks may still be taken, and may still find a fault"""
    ROLL_BACK = "roll_back"
    """traffic goes back; final"""
    EXTEND = "extend"
    """said once: the dwell is over and too little is known, and so there is another one"""
    PROBE = "probe"
    """send Green `Decision.probes` requests before the next look"""
    ASK = "ask"
    """said once: a person must decide"""


class Phase(StrEnum):
    """How far a stage is."""

    DWELLING = "dwelling"
    EXTENDED = "extended"
    PROBING = "probing"
    """own requests after the extension"""
    ASKING = "asking"


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows, and why."""

    kind: Kind
    reasons: tuple[Reason, ...] = ()
    """faults; of ROLL_BACK only"""
    missing: tuple[Reason, ...] = ()
    """what a stage still lacks to pass"""
    needed: int | None = None
    """further requests until enough is certain; None if requests are not what is missing"""
    probes: int = 0
    """own requests to send now; of PROBE only"""
    by: str | None = None
    """whose word a stage passed by; None where the judge let it pass"""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage while it is watched."""

    rules: Rules
    share: int
    """percent of traffic that Green carries"""
    began_at: float
    evidence: Evidence = field(default_factory=Evidence)
    chart: Chart = field(default_factory=Chart)
    phase: Phase = Phase.DWELLING
    watched: float = 0.0
    """seconds that were really watched"""
    missed: float = 0.0
    """seconds between looks that lay too far apart to be watching, less those watched since"""
    seen_at: float | None = None
    """the last look in which the load balancer told something"""
    looked_at: float | None = None
    """the last look, whatever it told"""
    turned_at: float = 0.0
    """seconds watched when the phase began"""
    asked_at: float | None = None
    held_by: str | None = None
    """who pressed 중단; the stage does not go on until somebody presses 계속"""
    credit: float = 0.0
    """own requests that may be sent by now"""
    passed: Decision | None = None
    rolled_back: Decision | None = None

    def is_blind(self, now: float) -> bool:
        """Whether nobody has watched for too long to call it watching."""
        return self.unseen(now) > self.rules.blind_after

    def unseen(self, now: float) -> float:
        """Seconds since anything was seen."""
        return now - (self.began_at if self.seen_at is None else self.seen_at)

    def unwatched(self, now: float) -> float:
        """Seconds for which it was not watched, made up for by as many that were: less than `blind_patience`
        of them, and the dwell comes to its end."""
        return self.missed + (self.unseen(now) if self.is_blind(now) else 0.0)

    def verdict(self, now: float) -> Verdict:
        """What the judge thinks by now."""
        settled = self.watched >= self.rules.dwell
        return verdict(self.evidence, self.rules, now, settled=settled)


def first_stage(rules: Rules, share: int, now: float, restarts: int | None = None) -> Stage:
    """The first stage of a run. `restarts`: those that Green had when it was found healthy, so that one
    since then is found too."""
    return Stage(rules, share, now, Evidence(life=Life(restarts=restarts)))


def next_stage(stage: Stage, share: int, now: float) -> Stage:
    """The stage after one that has passed. Everything that speaks against Green is taken along, and so are
    its requests: they certify together."""
    return Stage(stage.rules, share, now, stage.evidence.for_stage(), stage.chart)


def step(stage: Stage, sample: Sample | None, now: float) -> tuple[Stage, Decision]:
    """The stage after a look, and what follows. None: only time has passed."""
    if stage.rolled_back is not None:
        return stage, stage.rolled_back
    looked = _look(stage, sample or Sample(), now)
    thought = looked.verdict(now)
    if thought.outcome is Outcome.FAIL:
        return _roll_back(looked, *thought.faults)
    if looked.passed is None and looked.unwatched(now) >= stage.rules.blind_patience:
        return _roll_back(looked, _unwatched(looked, now))
    if looked.is_blind(now):
        return _unseen(looked, thought, now)
    if looked.held_by is not None or looked.watched < stage.rules.dwell:
        return looked, _watching(thought)
    if looked.passed is None and thought.outcome is Outcome.PASS:
        looked = replace(looked, passed=Decision(Kind.PASS))
    if looked.passed is not None:
        return looked, looked.passed
    return _inconclusive(looked, thought, now)


def hold(stage: Stage, by: str, now: float) -> tuple[Stage, Decision]:
    """Somebody pressed 중단: watched on, and no further until somebody lets it."""
    if stage.rolled_back is not None:
        return stage, stage.rolled_back
    return replace(stage, held_by=by, passed=None), _watching(stage.verdict(now))


def go(stage: Stage, by: str, now: float) -> tuple[Stage, Decision]:
    """Somebody pressed 계속. It ends a hold; without one it answers what was asked, and the stage passes by
    that word. It never outweighs a fault, and nobody can vouch for what nobody sees. One press does one of
    these: after a hold, the question is asked anew if it still stands."""
    if stage.rolled_back is not None:
        return stage, stage.rolled_back
    thought = stage.verdict(now)
    if stage.held_by is not None:
        return replace(stage, held_by=None, asked_at=None), _watching(thought)
    if stage.asked_at is None or stage.is_blind(now):
        return stage, _watching(thought)
    passed = Decision(Kind.PASS, missing=thought.lacks, needed=thought.needed, by=by)
    return replace(stage, passed=passed), passed


def _look(stage: Stage, sample: Sample, now: float) -> Stage:
    evidence, news = absorbed(stage.evidence, sample, stage.rules, now)
    watched, missed, seen_at = stage.watched, stage.missed, stage.seen_at
    if sample.green is not None:
        if stage.is_blind(now):
            missed += stage.unseen(now) if stage.passed is None else 0.0
        elif seen_at is not None:
            seconds = max(0.0, now - seen_at)
            watched, missed = watched + seconds, max(0.0, missed - seconds)
        seen_at = now
    chart = stage.chart.after(news, stage.rules, now)
    return replace(
        stage, evidence=evidence, chart=chart, watched=watched, missed=missed, seen_at=seen_at,
        looked_at=now, credit=_credit(stage, now),
    )  # fmt: skip


def _credit(stage: Stage, now: float) -> float:
    """So many a second, and never more than a second's worth at once."""
    rate = stage.rules.probes_per_second
    passed = 0.0 if stage.looked_at is None else max(0.0, now - stage.looked_at)
    return min(stage.credit + passed * rate, max(rate, 1.0))


def _unseen(stage: Stage, thought: Verdict, now: float) -> tuple[Stage, Decision]:
    """Nobody watches. What has passed waits for its next stage, and is not taken back for that."""
    if _nobody_answered(stage, now):
        return _unanswered(stage, now)
    lacks = (Reason(Lack.NO_DATA, {"seconds": stage.unseen(now)}), *thought.lacks)
    return stage, Decision(Kind.WATCH, missing=lacks, needed=thought.needed)


def _unwatched(stage: Stage, now: float) -> Reason:
    """At one stretch, or in pieces between looks that came too seldom."""
    if stage.unseen(now) >= stage.rules.blind_patience:
        return Reason(Fault.BLIND, {"seconds": stage.unseen(now)})
    return Reason(Fault.HARDLY_SEEN, {"seconds": now - stage.began_at, "watched": stage.watched})


def _inconclusive(stage: Stage, thought: Verdict, now: float) -> tuple[Stage, Decision]:
    """The dwell is over and too little is known: extend, send own requests, ask, in this order."""
    rules = stage.rules
    helps = rules.probes_per_second > 0 and thought.needed is not None
    in_phase = stage.watched - stage.turned_at
    match stage.phase:
        case Phase.DWELLING:
            return _turn(stage, Phase.EXTENDED), _saying(Kind.EXTEND, thought)
        case Phase.EXTENDED if in_phase < rules.dwell:
            return _probing(stage, thought) if helps and rules.probe_early else (stage, _watching(thought))
        case Phase.EXTENDED if helps:
            return _probing(_turn(stage, Phase.PROBING), thought)
        case Phase.PROBING if helps and in_phase < rules.probe_for:
            return _probing(stage, thought)
        case Phase.ASKING if stage.asked_at is not None:
            return _unanswered(stage, now) if _nobody_answered(stage, now) else (stage, _watching(thought))
        case _:
            asking = replace(_turn(stage, Phase.ASKING), asked_at=now)
            return asking, _saying(Kind.ASK, thought)


def _probing(stage: Stage, thought: Verdict) -> tuple[Stage, Decision]:
    count = min(int(stage.credit), thought.needed or 0)
    if count == 0:
        return stage, _watching(thought)
    sent = replace(stage, credit=stage.credit - count)
    return sent, replace(_saying(Kind.PROBE, thought), probes=count)


def _turn(stage: Stage, phase: Phase) -> Stage:
    return replace(stage, phase=phase, turned_at=stage.watched)


def _nobody_answered(stage: Stage, now: float) -> bool:
    """A hold is an answer: somebody is there."""
    waits = stage.asked_at is not None and stage.held_by is None and stage.passed is None
    return waits and now - (stage.asked_at or 0.0) >= stage.rules.ask_for


def _unanswered(stage: Stage, now: float) -> tuple[Stage, Decision]:
    seconds = now - (now if stage.asked_at is None else stage.asked_at)
    return _roll_back(stage, Reason(Fault.NOBODY_ANSWERED, {"seconds": seconds}))


def _roll_back(stage: Stage, *reasons: Reason) -> tuple[Stage, Decision]:
    decision = Decision(Kind.ROLL_BACK, reasons)
    return replace(stage, rolled_back=decision, passed=None), decision


def _watching(thought: Verdict) -> Decision:
    return _saying(Kind.WATCH, thought)


def _saying(kind: Kind, thought: Verdict) -> Decision:
    return Decision(kind, missing=thought.lacks, needed=thought.needed)
