"""Small builders of domain values, and stories: checks in, what people see out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

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
    PostCard,
    Rule,
    Status,
    Subject,
    Unwatched,
)
from bot.domain.alerts.reasons import Reason
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
    return replace(full, **changes)  # type: ignore[arg-type]  # the fields of Alert, checked when it is made


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


@dataclass
class Story:
    """One alert and everything that happens to it. Each method gives what people see of it."""

    rule: Rule = field(default_factory=rule)
    subject: Subject = field(default_factory=subject)
    alert: Alert | None = None
    last: Decision | None = None

    def happens(self, event: Event, now: datetime) -> list[str]:
        """One event; what people see."""
        self.last = step(self.rule, self.subject, self.alert, event, now)
        self.alert = self.last.alert
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
