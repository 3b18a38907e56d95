"""Small builders of domain values, and stories: checks in, what people see out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bot.domain.alerts.covers import Cover, CoverKind
from bot.domain.alerts.ladder import Policy, Recipient, Target, TargetKind
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
    Page,
    PostCard,
    Raised,
    Reported,
    ResolvedByHand,
    Rule,
    Status,
    Subject,
    Unwatched,
)
from bot.domain.alerts.paging import deadline_of
from bot.domain.alerts.reasons import Reason
from bot.domain.alerts.surroundings import NOWHERE, Plain, Route, Surroundings
from bot.domain.band_notation import parse_bands
from bot.domain.bands import Bands
from bot.domain.letters import Letter, LetterKind, Priority
from bot.domain.levels import Level
from probes.base import Layer, Problem, ProblemKind, Unit

T0 = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
CPU = parse_bands({"target": "< 70%", "warning": "70-85%", "critical": "> 85%"}, Unit.PERCENT)
UPTIME = parse_bands({"target": "> 99.9%", "warning": "99.5-99.9%", "critical": "< 99.5%"}, Unit.PERCENT)
FIVE = parse_bands(
    {
        "target": "< 50%",
        "info": "50-60%",
        "warning": "60-70%",
        "error": "70-80%",
        "critical": "80-90%",
        "emergency": "> 90%",
    },
    Unit.PERCENT,
)
VALUE_AT = {
    Level.INFO: 55.0,
    Level.WARNING: 65.0,
    Level.ERROR: 75.0,
    Level.CRITICAL: 85.0,
    Level.EMERGENCY: 95.0,
}
"""A value of each level in the bands `FIVE`."""
TIMEOUT = Problem(ProblemKind.TIMEOUT, "5 s")


def at(seconds: float) -> datetime:
    """The moment so many seconds into the story."""
    return T0 + timedelta(seconds=seconds)


def rule(bands: Bands | None = CPU, layer: Layer = Layer.INFRASTRUCTURE) -> Rule:
    """A rule with the design's defaults; `dataclasses.replace` changes one."""
    return Rule("cpu_usage", layer, bands)


def subject(
    condition: Condition = Condition.THRESHOLD, target: str = "web-1", source: str = "cpu:web-1"
) -> Subject:
    """What the alert of a story is about."""
    return Subject("test", source, "cpu_usage", target, condition)


def alert(**changes: object) -> Alert:
    """An alert that fires at warning level, with every field that can be filled filled in."""
    full = Alert(
        id=7,
        subject=subject(),
        layer=Layer.INFRASTRUCTURE,
        version=3,
        status=Status.FIRING,
        level=Level.WARNING,
        peak_level=Level.CRITICAL,
        unit="%",
        value=72.5,
        band="70-85%",
        target_band="< 70%",
        problem=TIMEOUT,
        detected_at=at(0),
        last_at=at(60),
        recent=(2, 4, 2),
        below=(2, 0),
        value_at_firing=71.25,
        peak=91.0,
        fired_at=at(30),
        resolved_at=at(61),
        acked_by="U1",
        acked_at=at(45),
        last_post_at=at(45),
        repeats=4,
        reopened=1,
        facts={"largest": "수호자 12 %"},
        reason=Reason.DUPLICATE,
    )
    return full._replace(**changes)  # type: ignore[arg-type]  # the fields of Alert, checked when it is made


def letter(number: int, kind: LetterKind = LetterKind.CARD, **changes: object) -> Letter:
    """A letter of the stream `alert:1`."""
    plain = Letter(
        id=number,
        stream="alert:1",
        kind=kind,
        channel="guardian-alerts",
        template="alert",
        facts={"metric": "cpu_usage", "value": 0.0, "problem": None, "facts": {"largest": "수호자"}},
        priority=Priority.ALERT,
        created_at=at(0),
        since=at(0),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # the fields of Letter, checked when it is made


TIERS = tuple((Target(TargetKind.SCHEDULE, name),) for name in ("first", "second", "third"))


@dataclass
class Nearby:
    """Surroundings that a story changes as it goes: three tiers, each a schedule with somebody on call."""

    policy: Policy = field(default_factory=lambda: Policy(tiers=TIERS))
    lies: Cover | None = None
    on_call: dict[str, str] = field(
        default_factory=lambda: {"first": "UFIRST", "second": "USECOND", "third": "UTHIRD"}
    )
    labels: Mapping[str, str] = field(default_factory=lambda: {"service": "shop"})
    channel: str = "guardian-alerts"

    def route(self, level: Level) -> Route:
        """The one channel, with the policy of now."""
        return Route(self.channel, self.policy)

    def cover(self, level: Level, now: datetime, without: Collection[str] = ()) -> Cover | None:
        """What lies over everything now."""
        if self.lies is None or (self.lies.kind is CoverKind.SILENCE and self.lies.ref in without):
            return None
        return replace(self.lies, level=level)

    def reach(self, targets: Sequence[Target], now: datetime) -> tuple[Recipient, ...]:
        """Who is on call now, and whatever needs no looking up."""
        found: list[Recipient] = []
        for target in targets:
            if target.kind is not TargetKind.SCHEDULE:
                found += Plain().reach([target], now)
            elif target.name in self.on_call:
                found.append(Recipient(TargetKind.PERSON, self.on_call[target.name]))
        return tuple(dict.fromkeys(found))


def silence(until: float | None = None, ref: str = "1") -> Cover:
    """A silence that ends so many seconds into the story."""
    return Cover(CoverKind.SILENCE, ref, None if until is None else at(until), "U7", "deploying")


@dataclass
class Story:
    """One alert and everything that happens to it. Each method gives what people see of it."""

    rule: Rule = field(default_factory=rule)
    subject: Subject = field(default_factory=subject)
    alert: Alert | None = None
    last: Decision | None = None
    around: Surroundings = NOWHERE
    called: list[tuple[float, tuple[str, ...]]] = field(default_factory=list)
    """every page so far: the minute, and who"""
    reasons: list[Reason] = field(default_factory=list)
    """the reason of every decision so far"""

    def happens(self, event: Event, now: datetime) -> list[str]:
        """One event; what people see."""
        self.last = step(self.rule, self.subject, self.alert, event, now, self.around)
        self.alert = self.last.alert
        self.reasons.append(self.last.reason)
        self.called += [
            (round((now - T0).total_seconds() / 60, 2), tuple(who.id for who in page.recipients))
            for page in self.pages
        ]
        return seen(self.last)

    def value(self, seconds: float, value: float, facts: Mapping[str, str] | None = None) -> list[str]:
        """A check gave a value."""
        return self.happens(Measured(value, at(seconds), facts or {}), at(seconds))

    def missed(self, seconds: float, problem: Problem = TIMEOUT) -> list[str]:
        """A check gave none."""
        return self.happens(Missed(problem, at(seconds)), at(seconds))

    def ack(self, seconds: float, by: str = "U1", version: int | None = None) -> list[str]:
        """Someone presses 확인 on the card as it is, or on the one drawn for `version`."""
        drawn = version if version is not None else self.alert.version if self.alert else 0
        return self.happens(Acknowledged(by, drawn), at(seconds))

    def report(self, seconds: float, level: Level | None, title: str = "Disk full") -> list[str]:
        """Another system says that it fails at that level, or (None) that it is over."""
        said = Reported(level is not None, level or Level.WARNING, at(seconds), title)
        return self.happens(said, at(seconds))

    def failed(self, seconds: float, run: int, level: Level = Level.ERROR) -> list[str]:
        """A run of that number has failed."""
        said = Reported(True, level, at(seconds), f"v{run} failed", {"operation": f"#{run}"})
        return self.happens(said, at(seconds))

    def went_well(self, seconds: float, run: int) -> list[str]:
        """A run of that number has ended well."""
        said = Reported(False, Level.ERROR, at(seconds), f"v{run} done", {"operation": f"#{run}"})
        return self.happens(said, at(seconds))

    def due(self, seconds: float) -> list[str]:
        """Somebody looks whether anything is due."""
        return self.happens(Due(), at(seconds))

    def active(self, seconds: float, by: str = "U1") -> list[str]:
        """Somebody writes in the thread."""
        return self.happens(Active(by), at(seconds))

    def resolve(self, seconds: float, by: str = "U1", version: int | None = None) -> list[str]:
        """Somebody says that it is over, on the card as it is, or on the one drawn for `version`."""
        drawn = version if version is not None else self.alert.version if self.alert else 0
        return self.happens(ResolvedByHand(by, drawn), at(seconds))

    def raised(self, seconds: float, level: Level | None, why: str | None = "layers") -> list[str]:
        """Something else than the bands asks for a level, or (None) no more."""
        return self.happens(Raised(level, why if level else None), at(seconds))

    def passes(self, until: float) -> list[tuple[float, str]]:
        """Time passes, and everything due is done when it is due; what people see, with the second."""
        told: list[tuple[float, str]] = []
        while self.alert is not None and (moment := deadline_of(self.alert)) is not None:
            seconds = (moment - T0).total_seconds()
            if seconds > until:
                break
            told += [(seconds, word) for word in self.due(seconds)]
            after = deadline_of(self.now)
            assert after is None or after > moment, "what was done is due no more"
        return told

    def unwatched(self, seconds: float) -> list[str]:
        """The configuration no longer has it."""
        return self.happens(Unwatched(), at(seconds))

    def tell(self, checks: Iterable[tuple[float, float | None]]) -> list[str]:
        """Many checks, None for one without a value; everything people see, in order."""
        return [
            word
            for seconds, value in checks
            for word in (self.missed(seconds) if value is None else self.value(seconds, value))
        ]

    @property
    def pages(self) -> tuple[Page, ...]:
        """Whom the last decision called."""
        return (
            () if self.last is None else tuple(each for each in self.last.effects if isinstance(each, Page))
        )

    @property
    def now(self) -> Alert:
        """The alert, which must be there."""
        assert self.alert is not None
        return self.alert

    @property
    def reason(self) -> Reason:
        """Why the last decision came out as it did."""
        assert self.last is not None
        return self.last.reason


def told(checks: Iterable[tuple[float, float | None]], under: Rule | None = None) -> list[str]:
    """What people see of a threshold alert whose probe gives these values at these seconds."""
    return Story(under or rule()).tell(checks)


def seen(decision: Decision) -> list[str]:
    """A decision as people see it: a new card with its note is OPENED, an edit alone EDITED."""
    notes = [effect.note.name for effect in decision.effects if isinstance(effect, AddNote)]
    if notes:
        return notes
    if any(isinstance(effect, PostCard) for effect in decision.effects):
        return ["POSTED"]
    return ["EDITED" for effect in decision.effects if isinstance(effect, EditCard)]
