"""The escalation ladder: who is paged for an alert, and when (alerts.md, Escalation ladder).

Pure: steps and moments in, steps and moments out. The policy is copied into the alert when it opens, so
that a change of the configuration changes nothing for what is under way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from bot.domain.levels import Level


class TargetKind(StrEnum):
    """What an escalation step may reach."""

    PERSON = "person"
    SCHEDULE = "schedule"
    GROUP = "group"
    CHANNEL = "channel"
    APPRISE = "apprise"


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a step reaches, as the configuration names it: `@seoyeon.park`, `U024BE7LH`, `schedule:primary`,
    `group:S0614TZR7`, `#ops`, `apprise:sms`."""

    kind: TargetKind
    name: str

    def __str__(self) -> str:
        match self.kind:
            case TargetKind.PERSON:
                return self.name
            case TargetKind.CHANNEL:
                return f"#{self.name}"
        return f"{self.kind.value}:{self.name}"


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody or something that a page reaches now: a schedule has become the person on call.

    `kind` is never SCHEDULE. `id` is a Slack user id, user group id, channel name or Apprise name.
    """

    kind: TargetKind
    id: str
    name: str = field(default="", compare=False)
    """what people call it, where it can be said without calling anybody"""


@dataclass(frozen=True, slots=True)
class Rung:
    """One step: `after` the begin of its round, the tiers (1 to 3) that are paged."""

    after: timedelta
    tiers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Ladder:
    """The steps of one level. `rounds`: how often all rungs are gone through, `pause` apart; then all tiers
    `every` so often until somebody acknowledges (None: no more)."""

    rungs: tuple[Rung, ...] = ()
    rounds: int = 1
    pause: timedelta = timedelta(minutes=5)
    every: timedelta | None = None

    @property
    def tiers(self) -> tuple[int, ...]:
        """All tiers that this ladder ever pages."""
        return tuple(sorted({tier for rung in self.rungs for tier in rung.tiers}))


def _minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


DEFAULT_LADDERS: Mapping[Level, Ladder] = MappingProxyType(
    {
        Level.INFO: Ladder(),
        Level.WARNING: Ladder((Rung(_minutes(30), (1,)),)),
        Level.ERROR: Ladder((Rung(_minutes(5), (1,)), Rung(_minutes(20), (2,))), every=_minutes(60)),
        Level.CRITICAL: Ladder(
            (Rung(_minutes(1), (1,)), Rung(_minutes(6), (2,)), Rung(_minutes(11), (3,))),
            rounds=3,
            every=_minutes(30),
        ),
        Level.EMERGENCY: Ladder(
            (Rung(_minutes(0), (1, 2)), Rung(_minutes(2), (2,)), Rung(_minutes(5), (3,))), every=_minutes(5)
        ),
    }
)
"""The table of alerts.md; the first delays are the source document's `escalation`."""

DEFAULT_ACK_EXPIRES: Mapping[Level, timedelta] = MappingProxyType(
    {
        Level.INFO: timedelta(hours=8),
        Level.WARNING: timedelta(hours=8),
        Level.ERROR: timedelta(hours=2),
        Level.CRITICAL: timedelta(minutes=30),
        Level.EMERGENCY: timedelta(minutes=30),
    }
)


_NO_LADDER = Ladder()


@dataclass(frozen=True, slots=True)
class Policy:
    """Who is paged (`tiers`, from the first on), by which ladder, and how long an acknowledgement holds."""

    name: str = "default"
    tiers: tuple[tuple[Target, ...], ...] = ()
    ladders: Mapping[Level, Ladder] = field(default_factory=lambda: DEFAULT_LADDERS)
    ack_expires: Mapping[Level, timedelta] = field(default_factory=lambda: DEFAULT_ACK_EXPIRES)
    _fitting: Mapping[Level, Ladder] = field(init=False, compare=False, repr=False)

    def targets(self, tiers: tuple[int, ...]) -> tuple[Target, ...]:
        """Everybody in those tiers (counted from 1), each once."""
        found = (target for tier in tiers if tier <= len(self.tiers) for target in self.tiers[tier - 1])
        return tuple(dict.fromkeys(found))

    def __post_init__(self) -> None:
        # Thousands of alerts ask for the same ladders, at every check.
        fitting = {level: self._fit(ladder) for level, ladder in self.ladders.items()}
        object.__setattr__(self, "_fitting", fitting)

    def ladder(self, level: Level) -> Ladder:
        """The ladder of that level without the steps for tiers that this policy does not have; an empty one
        pages nobody. A tier that is there and reaches nobody is not left out: that has to be said."""
        return self._fitting.get(level, _NO_LADDER)

    def _fit(self, ladder: Ladder) -> Ladder:
        there = range(1, len(self.tiers) + 1)
        kept = [(rung.after, tuple(tier for tier in rung.tiers if tier in there)) for rung in ladder.rungs]
        return replace(ladder, rungs=tuple(Rung(after, tiers) for after, tiers in kept if tiers))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an alert is on its ladder. `epoch` counts the starts (opening, rise, reopening, expiry), so
    that (alert, epoch, round, step) names one page for good. `round` and `step` are those of the next page,
    from 1; a round beyond the ladder's is one of the repeats that follow. `next_at` is None when nothing
    more is due."""

    epoch: int
    began_at: datetime
    round: int
    step: int
    next_at: datetime | None


def start(ladder: Ladder, epoch: int, now: datetime) -> Progress:
    """The beginning of a ladder whose clock starts now."""
    first = now + ladder.rungs[0].after if ladder.rungs else None
    return Progress(epoch, now, 1, 1, first)


def resume(ladder: Ladder, epoch: int, began_at: datetime, now: datetime) -> Progress | None:
    """A ladder whose clock started at `began_at`, at its first step that is still to come: what should have
    been before `now` is left out. None when nothing is to come."""
    if not ladder.rungs:
        return None
    progress = start(ladder, epoch, began_at)
    while progress.next_at is not None and progress.next_at <= now:
        if progress.round > ladder.rounds and ladder.every is not None:
            return replace(progress, next_at=now + ladder.every)
        progress = advance(ladder, progress, progress.next_at)
    return progress


def paged_tiers(ladder: Ladder, progress: Progress) -> frozenset[int]:
    """The tiers that this run of the ladder has had its steps for."""
    gone = ladder.rungs if progress.round > 1 else ladder.rungs[: progress.step - 1]
    return frozenset(tier for rung in gone for tier in rung.tiers)


def without(ladder: Ladder, progress: Progress | None, tiers: frozenset[int]) -> Progress | None:
    """The progress behind the steps of its round that would only page those tiers once more. The rounds and
    repeats after it stay: they are there to call the same people again."""
    if progress is None:
        return None
    this_round = progress.round
    while progress.next_at is not None and progress.round == this_round <= ladder.rounds:
        if not tiers.issuperset(tiers_due(ladder, progress)):
            break
        progress = advance(ladder, progress, progress.next_at)
    return progress


def tiers_due(ladder: Ladder, progress: Progress) -> tuple[int, ...]:
    """The tiers that the next page goes to."""
    if progress.round > ladder.rounds or not ladder.rungs:
        return ladder.tiers
    return ladder.rungs[progress.step - 1].tiers


def advance(ladder: Ladder, progress: Progress, now: datetime, *, at_once: bool = False) -> Progress:
    """The ladder after the page that was due. The wait for the next one counts from when this one was due,
    but from `now` if that is over: late after a restart is one page and not a burst of them.

    `at_once`: nobody was there to be paged, so the next step comes now.
    """
    number, step = progress.round, progress.step
    wait: timedelta | None
    if number > ladder.rounds:
        # Repeats page everybody there is, again and again: one that reaches nobody is not followed at once.
        wait, step, at_once = ladder.every, step + 1, False
    elif step < len(ladder.rungs):
        wait = ladder.rungs[step].after - ladder.rungs[step - 1].after
        step += 1
    elif number < ladder.rounds:
        wait, number, step = ladder.pause, number + 1, 1
    else:
        wait, number, step, at_once = ladder.every, number + 1, 1, False
    if wait is None:
        return replace(progress, round=number, step=step, next_at=None)
    due = progress.next_at if progress.next_at is not None else now
    following = due + wait
    if at_once:
        following = now
    elif following <= now:
        following = now + wait
    return replace(progress, round=number, step=step, next_at=following)
