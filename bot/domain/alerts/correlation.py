"""What may be behind an alert, and what it may be behind (alerts.md, Context and forecast)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from pydantic import JsonValue

from bot.domain.alerts.failed_runs import is_about_deployments
from bot.domain.alerts.happenings import DEPLOYS, Happening, in_time, is_canary
from bot.domain.alerts.model import Alert
from bot.domain.alerts.together import Pairs, Together
from bot.domain.alerts.whereabouts import BY_NAME, Whereabouts
from bot.domain.labels import NO_SERVICES, Services

CHANGED_WITHIN = timedelta(minutes=30)
SLACK = timedelta(minutes=5)
"""How much later than its effect a cause may be noticed: what is checked more often is noticed first."""
EFFECTS_SHOWN = 5
_NO_PAIRS: Pairs = MappingProxyType({})


class CauseKind(StrEnum):
    """Why something is a candidate, in the order in which candidates are named."""

    SAME_RESOURCE = "same_resource"
    DEPENDENCY = "dependency"
    CHANGE = "change"
    TOGETHER = "together"


_ORDER = {kind: place for place, kind in enumerate(CauseKind)}


@dataclass(frozen=True, slots=True)
class Cause:
    """A candidate: an alert or a change, since when, how many services upstream it is, and what speaks for
    it: `resource`, `path`, `minutes` before, `times` and `lift`."""

    kind: CauseKind
    at: datetime
    upstream: int = 0
    alert_id: int | None = None
    change_id: int | None = None
    evidence: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Context:
    """`causes` in the order of their kinds; `probable` is the most upstream of them, then the earliest.
    `effects` counts the alerts that this one may explain; the ids of the first few are `first_effects`."""

    causes: tuple[Cause, ...] = ()
    probable: Cause | None = None
    effects: int = 0
    first_effects: tuple[int, ...] = ()


def context_of(
    alert: Alert,
    others: Iterable[Alert],
    changes: Iterable[Happening] = (),
    services: Services = NO_SERVICES,
    pairs: Pairs = _NO_PAIRS,
    where: Whereabouts = BY_NAME,
) -> Context:
    """The context of `alert` among the other open alerts and the latest changes. An alert is named once, by
    the first rule that it meets. Rings of dependencies do no harm: who is upstream is walked to once."""
    own = _Own.of(alert, services, pairs, where)
    causes = [cause for change in changes if (cause := _by_change(own, change)) is not None]
    effects: list[tuple[datetime, int]] = []
    for other in others:
        if other.id == alert.id or not other.status.is_open:
            continue
        if other.subject.environment != alert.subject.environment or _is_long_past(other, alert):
            continue
        cause = _cause(own, other)
        if cause is not None:
            causes.append(cause)
        elif _explains(own, other, services):
            effects.append((_since(other), other.id))
    causes.sort(key=lambda cause: (_ORDER[cause.kind], -cause.upstream, cause.at, cause.alert_id or 0))
    probable = min(causes, key=lambda cause: (-cause.upstream, cause.at, _ORDER[cause.kind]), default=None)
    first = tuple(number for _, number in sorted(effects)[:EFFECTS_SHOWN])
    return Context(tuple(causes), probable, len(effects), first)


def touching(
    alert: Alert,
    changes: Iterable[Happening],
    services: Services = NO_SERVICES,
    where: Whereabouts = BY_NAME,
) -> tuple[Happening, ...]:
    """The changes that are candidates for the cause of the alert, the newest first."""
    own = _Own.of(alert, services, _NO_PAIRS, where)
    found = [change for change in changes if _by_change(own, change) is not None]
    return tuple(sorted(found, key=lambda change: change.at, reverse=True))


def standing(alert: Alert, changes: Iterable[Happening]) -> tuple[Happening, ...]:
    """The changes without those that something later has put an end to: of each service in each environment
    only the latest deployment or rollback is still there to be a cause. One that goes on after the alert
    began, as canaries do, is the one from before, with the facts of how it stands by now."""
    others: list[Happening] = []
    placed: dict[tuple[str, str], list[Happening]] = {}
    for each in changes:
        if each.kind in DEPLOYS and each.service:
            placed.setdefault((each.service, each.environment), []).append(each)
        else:
            others.append(each)
    return (*others, *(found for each in placed.values() if (found := _last(each, alert)) is not None))


def _last(changes: list[Happening], alert: Alert) -> Happening | None:
    """What counts of one service's deployments in one environment. While Green carries a part of the traffic
    it is a change, however long ago it got that part: a stage may last for hours, or be held."""
    last = max(changes, key=in_time)
    if last.at <= alert.detected_at:
        return replace(last, until=alert.detected_at) if is_canary(last) else last
    operation = last.facts.get("operation")
    if operation is None or last.facts.get("event") == "back":
        return None
    own = [each for each in changes if each.at <= alert.detected_at]
    before = max(own, key=in_time, default=None)
    if before is None or before.facts.get("operation") != operation:
        return None
    return replace(before, facts=last.facts, until=alert.detected_at)


def deployment_before(
    alert: Alert,
    changes: Iterable[Happening],
    context: Context | None = None,
    where: Whereabouts = BY_NAME,
) -> Happening | None:
    """The deployment or rollback to name beside the alert: the one that the context names first for a cause,
    or the latest in the alert's environment within half an hour before it, whatever service it was of: one
    does not know yet what hangs together. `changes` are those that stand."""
    before = [
        each
        for each in changes
        if each.kind in DEPLOYS
        and where.meets(alert, each.service, each.environment)
        and timedelta(0) <= alert.detected_at - each.latest_at <= CHANGED_WITHIN
    ]
    if context is not None:
        found = {each.id: each for each in before}
        causes = context.causes if context.probable is None else (context.probable, *context.causes)
        for cause in causes:
            if cause.change_id in found:
                return found[cause.change_id]
    return max(before, key=in_time, default=None)


@dataclass(frozen=True, slots=True)
class _Own:
    """What is asked of the alert again and again."""

    alert: Alert
    since: datetime
    service: str
    resources: frozenset[str]
    ways: Mapping[str, tuple[str, ...]]
    """the way from its service to each one that it depends on"""
    partners: Mapping[str, Together]
    """what it fired together with, by dedupe key"""
    where: Whereabouts

    @classmethod
    def of(cls, alert: Alert, services: Services, pairs: Pairs, where: Whereabouts) -> _Own:
        """All that follows from the alert alone."""
        key = alert.subject.key if pairs else ""
        partners = {next(iter(pair - {key})): together for pair, together in pairs.items() if key in pair}
        service = _service(alert)
        ways = _ways(service, services)
        return cls(alert, _since(alert), service, _resources(alert), ways, partners, where)

    def before(self, other: Alert) -> bool:
        """Whether it fired before the other one."""
        return (self.since, self.alert.id) < (_since(other), other.id)

    def partner(self, other: Alert) -> Together | None:
        """How often it fired together with the other one."""
        return self.partners.get(other.subject.key) if self.partners else None


def _service(alert: Alert) -> str:
    return alert.labels.get("service", "")


def _is_long_past(other: Alert, alert: Alert) -> bool:
    """Whether `other` is about a run that failed too long before the alert to be behind it."""
    return not other.subject.condition.is_state and alert.detected_at - other.last_at > CHANGED_WITHIN


def _since(alert: Alert) -> datetime:
    return alert.fired_at or alert.detected_at


def _ways(service: str, services: Services) -> Mapping[str, tuple[str, ...]]:
    """The shortest way from the service to each one that it depends on, itself first."""
    ways: dict[str, tuple[str, ...]] = {service: (service,)} if service else {}
    waiting = list(ways)
    while waiting:
        reached: list[str] = []
        for name in waiting:
            known = services.named(name)
            for upstream in known.depends_on if known is not None else ():
                if upstream not in ways:
                    ways[upstream] = (*ways[name], upstream)
                    reached.append(upstream)
        waiting = reached
    return ways


def _resources(alert: Alert) -> frozenset[str]:
    """The names of what it is about: the target, and the machine where that is known."""
    names = (alert.subject.target, alert.labels.get("host", ""), alert.labels.get("instance", ""))
    return frozenset(name for name in names if name)


def _cause(own: _Own, other: Alert) -> Cause | None:
    """`other` as a candidate for the cause of the alert; None if it is none."""
    since, later = _since(other), own.before(other)
    way = own.ways.get(_service(other), ())
    evidence: dict[str, JsonValue] = {"minutes": _minutes(own.since - since)}
    if not later and (shared := own.resources & _resources(other)):
        evidence["resource"] = min(shared)
        return Cause(CauseKind.SAME_RESOURCE, since, max(0, len(way) - 1), other.id, evidence=evidence)
    if len(way) > 1 and since <= own.since + SLACK:
        evidence["path"] = list(way)
        return Cause(CauseKind.DEPENDENCY, since, len(way) - 1, other.id, evidence=evidence)
    both = None if later else own.partner(other)
    if both is not None:
        evidence |= {"times": both.times, "lift": round(both.lift, 1)}
        return Cause(CauseKind.TOGETHER, since, 0, other.id, evidence=evidence)
    return None


def _explains(own: _Own, other: Alert, services: Services) -> bool:
    """Whether the alert is a candidate for the cause of `other`, which is none for its own."""
    if own.before(other) and (own.resources & _resources(other) or own.partner(other) is not None):
        return True
    return own.service in services.above(_service(other)) and own.since <= _since(other) + SLACK


def _by_change(own: _Own, change: Happening) -> Cause | None:
    """A change of the last half hour before the alert that touches it: its target, its service or one that it
    depends on, or, named without either, its environment. What a deployment ran into is not put down to
    another one."""
    began = own.alert.detected_at
    if not timedelta(0) <= began - change.latest_at <= CHANGED_WITHIN:
        return None
    if change.environment and not _is_there(own, change):
        return None
    if is_about_deployments(own.alert) and change.kind in DEPLOYS:
        return None
    way = own.ways.get(change.service, ()) if change.service else ()
    touched = change.target in own.resources if change.target else not change.service
    sections = change.facts.get("sections")
    if isinstance(sections, list):
        # The Guardian's own configuration: what has nothing to do with the alert's metric explains nothing.
        touched = any(_concerns(str(section), own.alert) for section in sections)
    if not touched and not way:
        return None
    evidence: dict[str, JsonValue] = {"minutes": _minutes(began - change.at)}
    if len(way) > 1:
        evidence["path"] = list(way)
    upstream = max(0, len(way) - 1)
    return Cause(CauseKind.CHANGE, change.at, upstream, change_id=change.id, evidence=evidence)


def _is_there(own: _Own, change: Happening) -> bool:
    """Whether a change was in the alert's environment: what is no deployment names it as alerts do."""
    if change.kind in DEPLOYS:
        return own.where.meets(own.alert, change.service, change.environment)
    return change.environment == own.alert.subject.environment


_PROBE_OF = {"http": "response_time"}
"""Sections of `probes` whose probe has another name."""


def _concerns(section: str, alert: Alert) -> bool:
    """Whether a part of the Guardian's configuration is about what the alert measures: `rules.cpu_usage`."""
    group, _, name = section.partition(".")
    if group == "probes":
        return _PROBE_OF.get(name, name) == alert.subject.source.partition(":")[0]
    return name in (alert.subject.metric, "default")


def _minutes(before: timedelta) -> int:
    """Whole minutes from the cause to the alert; negative when it was noticed later."""
    return round(before.total_seconds() / 60)
