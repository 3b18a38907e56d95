"""Which rules call people for little, and how to tune them (alerts.md, Resolve; the document's 알림 정확도).

A rule is a metric, or the title of what another system reported. All figures are of the alerts that fired in
the time that is looked at.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

TARGET_ACCURACY = 0.85
"""알림 정확도, `> 85%` in the source document."""
FEWEST_RATINGS = 3
"""Fewer ratings say nothing about a rule as a whole."""
FEWEST_ALERTS = 5
"""Fewer alerts are no ground for a suggestion."""
HINT_EVERY = 5
"""So many 👎 make a tuning hint."""
QUIETER = 0.5
"""Which share of the alerts a suggestion would spare."""
_WASTE = 0.5
"""Rules of which less is wasted need no tuning."""
_MOST_CHECKS = 12
_CHECK = timedelta(seconds=15)
"""How far apart the checks of a pending alert are at most (alerts.md, State)."""


@dataclass(frozen=True, slots=True)
class Fired:
    """One alert of the past. `pages`: how often people were called for it, a part of one where a call was for
    several; `duration` is None while it is open; `seen`: somebody acknowledged it or wrote in its thread;
    `useful` and `useless` count its ratings."""

    rule: str
    unit: str
    pages: float
    duration: timedelta | None
    seen: bool
    acked: bool
    peak: float | None = None
    useful: int = 0
    useless: int = 0


@dataclass(frozen=True, slots=True)
class Setting:
    """How a rule is set now: where its mildest level begins, where the next one does (None: there is none),
    which side is bad, how many bad checks confirm it, how many good ones end it."""

    bound: float
    next_bound: float | None
    rising: bool
    confirm: int
    clear: int


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`kind` is bound or confirm: set to `value` instead of `now`, `spared` of the alerts would not have
    fired, `spared_seen` of which somebody looked at."""

    kind: str
    value: float
    now: float
    spared: int
    spared_seen: int


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How many alerts people called useful and useless."""

    useful: int = 0
    useless: int = 0

    @property
    def rated(self) -> int:
        """How many ratings there are."""
        return self.useful + self.useless

    @property
    def share(self) -> float | None:
        """The useful ones' share, from 0 to 1; None without ratings."""
        return self.useful / self.rated if self.rated else None


@dataclass(frozen=True, slots=True)
class RuleNoise:
    """What a rule cost and what it was worth. Shares are from 0 to 1; `unseen` is the share that resolved
    without anyone looking, None while nothing has resolved; `waste` what of it was for nothing."""

    rule: str
    unit: str
    alerts: int
    pages: int
    per_day: float
    duration: timedelta | None
    """the median; None while none has resolved"""
    acked: float
    unseen: float | None
    accuracy: Accuracy
    waste: float
    suggestion: Suggestion | None = None


def noise(
    fired: Iterable[Fired], days: float, settings: Mapping[str, Setting] | None = None
) -> tuple[RuleNoise, ...]:
    """Every rule that fired, the one that paged most for least first: pages times waste, then alerts times
    waste. Waste is the share that was rated useless, or without enough ratings the share that resolved
    unseen."""
    groups: defaultdict[str, list[Fired]] = defaultdict(list)
    for each in fired:
        groups[each.rule].append(each)
    known = settings or {}
    rules = [_rule(name, group, days, known.get(name)) for name, group in groups.items()]
    return tuple(
        sorted(rules, key=lambda rule: (-rule.pages * rule.waste, -rule.alerts * rule.waste, rule.rule))
    )


def accuracy(fired: Iterable[Fired]) -> Accuracy:
    """All ratings of these alerts together."""
    rated = [(each.useful, each.useless) for each in fired]
    return Accuracy(sum(useful for useful, _ in rated), sum(useless for _, useless in rated))


def hints_due(useless: int, told: int) -> int | None:
    """How many 👎 have been answered with a hint once this one is given; None when none is due. `told` is
    what this gave the last time, 0 at first: a rating that is taken back and given again is no new one."""
    reached = useless // HINT_EVERY * HINT_EVERY
    return reached if reached > told else None


def _rule(name: str, group: Sequence[Fired], days: float, setting: Setting | None) -> RuleNoise:
    over = [each for each in group if each.duration is not None]
    lasted = [each.duration.total_seconds() for each in group if each.duration is not None]
    unseen = sum(not each.seen for each in over) / len(over) if over else None
    judged = accuracy(group)
    share = judged.share
    if share is not None and judged.rated >= FEWEST_RATINGS:
        waste = 1 - share
    else:
        waste = unseen or 0.0
    advice = None
    if setting is not None and len(group) >= FEWEST_ALERTS and waste >= _WASTE:
        advice = suggested_bound(group, setting) or suggested_confirm(group, setting)
    return RuleNoise(
        rule=name,
        unit=group[0].unit,
        alerts=len(group),
        pages=math.ceil(round(sum(each.pages for each in group), 6)),
        per_day=len(group) / days,
        duration=timedelta(seconds=median(lasted)) if lasted else None,
        acked=sum(each.acked for each in group) / len(group),
        unseen=unseen,
        accuracy=judged,
        waste=waste,
        suggestion=advice,
    )


def suggested_bound(fired: Sequence[Fired], setting: Setting, share: float = QUIETER) -> Suggestion | None:
    """The mildest level's bound that at least `share` of these alerts would not have reached, rounded to what
    people write. None where that is no stricter than now, goes beyond the next level, or would mostly hide
    alerts that somebody looked at."""
    sign = 1.0 if setting.rising else -1.0
    peaks = sorted(sign * each.peak for each in fired if each.peak is not None)
    if len(peaks) < FEWEST_ALERTS:
        return None
    reached = peaks[math.ceil(share * len(peaks)) - 1]
    if reached == 0:
        return None  # there is no next figure to zero
    bound = sign * _above(reached)
    full = setting.rising and fired[0].unit == "%" and bound >= 100
    if full or sign * bound <= sign * setting.bound:
        return None
    if setting.next_bound is not None and sign * bound >= sign * setting.next_bound:
        return None
    spared = [each for each in fired if each.peak is not None and sign * each.peak < sign * bound]
    return _worth(Suggestion("bound", bound, setting.bound, len(spared), sum(each.seen for each in spared)))


def suggested_confirm(fired: Sequence[Fired], setting: Setting, share: float = QUIETER) -> Suggestion | None:
    """How many bad checks should confirm it, so that at least `share` of these alerts would have been over
    before. None for alerts that last too long for that, or that somebody mostly looked at."""
    bad = sorted(
        (max(timedelta(0), each.duration - _CHECK * setting.clear), each.seen)
        for each in fired
        if each.duration is not None
    )
    if len(bad) < FEWEST_ALERTS:
        return None
    longest = bad[math.ceil(share * len(bad)) - 1][0]
    confirm = setting.confirm + math.floor(longest / _CHECK) + 1
    if confirm > _MOST_CHECKS:
        return None
    reach = _CHECK * (confirm - setting.confirm)
    spared = [seen for lasted, seen in bad if lasted < reach]
    return _worth(Suggestion("confirm", confirm, setting.confirm, len(spared), sum(spared)))


def _worth(suggestion: Suggestion) -> Suggestion | None:
    return suggestion if suggestion.spared_seen * 2 <= suggestion.spared else None


def _above(value: float) -> float:
    """The next figure above `value` that people would write: three digits, from 100 down whole or halves."""
    step: float = 10.0 ** (math.floor(math.log10(abs(value))) - 1)
    step = step if abs(value) / step >= 50 else step / 2
    return round((math.floor(value / step + 1e-9) + 1) * step, 6)
