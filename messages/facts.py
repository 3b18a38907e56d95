"""What each message needs to know: plain values, ready for JSON, so that a letter can wait in the database.

Moments are ISO 8601 strings with an offset; levels, states and kinds are the lower-case names of the
enumerations they come from; a user is a Slack user id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class Facts:
    """Base of all facts: something that can be stored as JSON and handed to a template."""

    def as_json(self) -> dict[str, JsonValue]:
        """The facts as a dictionary of JSON values, the shape that templates read."""
        # Many times as fast as `dataclasses.asdict`: a storm has thousands of lines.
        return {
            name: value if type(value := getattr(self, name)) in _AS_IT_IS else _plain(value)
            for name in self.__dataclass_fields__
        }


_AS_IT_IS = frozenset((str, int, float, bool, type(None)))


def _plain(value: JsonValue | Facts | tuple[JsonValue | Facts, ...]) -> JsonValue:
    """A field's value with lists for tuples, as it comes back from the database."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Facts):
        return value.as_json()
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return {name: each if type(each) in _AS_IT_IS else _plain(each) for name, each in value.items()}


@dataclass(frozen=True, slots=True)
class ProblemFacts(Facts):
    """Why there is no value (`probes.base.Problem`)."""

    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class ReadingFacts(Facts):
    """One reading and how it was judged. `level` is None inside the target band or without bands."""

    metric: str
    target: str
    value: float | None
    unit: str
    level: str | None
    band: str | None
    """The band the value is in, as the configuration writes it (`70-85%`); None without bands."""
    problem: ProblemFacts | None
    at: str
    facts: Mapping[str, str] = field(default_factory=dict)
    waiting: bool = False
    """bad, but not often enough in a row for an alert"""


@dataclass(frozen=True, slots=True)
class RecipientFacts(Facts):
    """Who or what is paged: `kind` is person, group, channel or apprise. `name` calls nobody when printed."""

    kind: str
    id: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class CoverFacts(Facts):
    """Why nobody is told of an alert."""

    kind: str
    """silence, maintenance or inhibited"""
    ref: str
    """the silence's number, the window's name or the number of the alert that inhibits"""
    until: str | None
    by: str | None
    why: str


@dataclass(frozen=True, slots=True)
class AlertFacts(Facts):
    """One alert as its card shows it."""

    id: int
    version: int
    status: str
    """pending, firing, acked or resolved"""
    kind: str
    """threshold, no_data (a probe cannot measure), reported (by another system), heartbeat or failed_run"""
    level: str
    peak_level: str
    """the worst level it has had since it opened"""
    metric: str
    target: str
    layer: str
    environment: str
    value: float | None
    unit: str
    band: str | None
    target_band: str | None
    problem: ProblemFacts | None
    value_at_firing: float | None
    peak: float | None
    """the worst value since it opened: highest or lowest, whichever side is bad"""
    detected_at: str
    """when the first of the bad checks was taken"""
    fired_at: str | None
    resolved_at: str | None
    acked_by: str | None
    acked_at: str | None
    repeats: int
    """bad checks since it fired"""
    reopened: int
    """how often it came back within the reopening time"""
    delivery_ms: int | None
    """from the check that fired it until Slack took the card; None until known"""
    facts: Mapping[str, str] = field(default_factory=dict)
    """short facts of the latest reading, such as the largest processes"""
    reason: str = ""
    """the code of the last decision's reason (`bot.domain.alerts.reasons`)"""
    title: str = ""
    """what a reported alert or a job calls itself"""
    service: str = ""
    raised: str | None = None
    """what raised its level above the band's: forecast, layers or no_backend"""
    seen_by: tuple[str, ...] = ()
    """who acknowledged it or wrote in its thread"""
    ack_until: str | None = None
    cover: CoverFacts | None = None
    flapping: bool = False
    next_page_at: str | None = None
    """when the next step of the ladder is due; None when none is"""
    next_page_to: tuple[RecipientFacts, ...] = ()
    """who would be paged then, as things are now"""
    pages: int = 0
    extras: Mapping[str, JsonValue] = field(default_factory=dict)
    """what was found out beside the decision: `context`, `forecast`, `picture` (a file id); any may lack"""


@dataclass(frozen=True, slots=True)
class StatusFacts(Facts):
    """The system as a whole: the answer to `status` and the first post after a start."""

    state: str
    host: str
    environment: str
    version: str
    at: str
    started_at: str
    readings: tuple[ReadingFacts, ...]
    alerts: tuple[AlertFacts, ...]
    """the first open alerts, worst first"""
    alerts_open: Mapping[str, int]
    """how many are open, by level"""
    probes: int
    probes_failing: int
    undelivered: int
    """letters that Slack has not taken yet"""
    dead_letters: int
    store_problem: str | None
    """why the database cannot be written, in the database's words; None when it can"""


@dataclass(frozen=True, slots=True)
class ProbeFacts(Facts):
    """One probe in the list of probes."""

    name: str
    layer: str
    target: str
    interval_seconds: float
    timeout_seconds: float
    last_at: str | None
    took_ms: float | None
    problem: ProblemFacts | None
    readings: tuple[ReadingFacts, ...]


@dataclass(frozen=True, slots=True)
class CommandFacts(Facts):
    """One subcommand in the help."""

    name: str
    korean: str
    arguments: str
    """how its arguments are written, `[ID]`; empty when it takes none"""


@dataclass(frozen=True, slots=True)
class AlertNoteFacts(Facts):
    """One line in an alert's thread: what has just happened to it."""

    alert: AlertFacts
    note: str
    """a name of `bot.domain.alerts.model.Note`: opened, acked, level_up, ack_expired, covered …"""
    actor: str | None = None
    """who did it, when it was a person"""
    from_level: str | None = None
    """the level before, for level_up and level_down"""
    step: int | None = None
    """the step of the ladder that reached nobody, for empty_step"""


@dataclass(frozen=True, slots=True)
class PageFacts(Facts):
    """People are called for an alert."""

    alert: AlertFacts
    recipients: tuple[RecipientFacts, ...]
    round: int
    step: int
    expired: bool
    """because an acknowledgement expired"""


@dataclass(frozen=True, slots=True)
class StormLine(Facts):
    """What happened to one alert that a storm gathers."""

    what: str
    """opened, resolved, level_up, level_down, acked, reopened …"""
    id: int
    level: str
    metric: str
    title: str
    target: str
    service: str


@dataclass(frozen=True, slots=True)
class StormDigestGroup(Facts):
    """Alerts of a storm to which the same happened, at one level, of one metric and service."""

    what: str
    """as in `StormLine`"""
    level: str
    metric: str
    title: str
    service: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StormDigestFacts(Facts):
    """Some of what happened in a storm, every alert by name."""

    storm: int
    groups: tuple[StormDigestGroup, ...]


@dataclass(frozen=True, slots=True)
class StormPageFacts(Facts):
    """People are called for several alerts of a storm at once."""

    storm: int
    recipients: tuple[RecipientFacts, ...]
    lines: tuple[StormLine, ...]
    """the first of them"""
    total: int


@dataclass(frozen=True, slots=True)
class StormGroup(Facts):
    """A row of a storm's table: the alerts of one service."""

    service: str
    level: str
    """the worst level among those that are open"""
    open: int
    resolved: int
    acked: int
    newest: str
    """the metric or title of the latest"""


@dataclass(frozen=True, slots=True)
class StormFacts(Facts):
    """The parent card of a storm."""

    id: int
    began_at: str
    ended_at: str | None
    folded: int
    """alerts gathered so far"""
    open: int
    acked: int
    level: str
    """the worst open level, or the worst of all when none is open"""
    groups: tuple[StormGroup, ...]
    """worst first, at most as many as the table shows"""
    services: int
    delivery_ms: int | None = None
    next_page_at: str | None = None
    """when the next of its alerts calls people; None when none does"""
    next_page_to: tuple[RecipientFacts, ...] = ()
    pages: int = 0
    """how often people were called for its alerts"""
    seen_by: tuple[str, ...] = ()
    """who acknowledged some of it or wrote in its thread"""


@dataclass(frozen=True, slots=True)
class ProbeListFacts(Facts):
    """All probes: the answer to `probes`."""

    probes: tuple[ProbeFacts, ...]


@dataclass(frozen=True, slots=True)
class AlertListFacts(Facts):
    """Some alerts: the answer to `alerts`."""

    alerts: tuple[AlertFacts, ...]
    filter: str
    """open or all"""
    total: int
    """how many match the filter, of which `alerts` are the first"""
    matcher: str = ""
    """what else was asked for; empty for everything"""


@dataclass(frozen=True, slots=True)
class DecisionFacts(Facts):
    """One decision in the life of an alert, silence included."""

    at: str
    event: str
    """what was judged: a code of the alert engine such as reading or ack"""
    reason: str
    """code of the reason (`bot.domain.alerts.reasons`)"""
    from_status: str | None
    """None for the first decision about an alert"""
    to_status: str
    level: str | None
    actor: str | None = None
    values: Mapping[str, JsonValue] = field(default_factory=dict)
    """what the reason's sentence may name: bad, needed, good, level, value, unit, band, storm, cover, ref;
    round, step and meant (targets as the configuration names them) of a step that reached nobody"""


@dataclass(frozen=True, slots=True)
class AlertDetailFacts(Facts):
    """One alert and why it is as it is."""

    alert: AlertFacts
    decisions: tuple[DecisionFacts, ...]
    """oldest first"""


@dataclass(frozen=True, slots=True)
class PageMadeFacts(Facts):
    """One time that people were called for an alert."""

    at: str
    round: int
    """0 with step 0: because an acknowledgement expired"""
    step: int
    level: str
    recipients: tuple[RecipientFacts, ...]


@dataclass(frozen=True, slots=True)
class ExplainFacts(Facts):
    """One alert with every decision about it and every page: the answer to `explain`."""

    alert: AlertFacts
    decisions: tuple[DecisionFacts, ...]
    """oldest first"""
    pages: tuple[PageMadeFacts, ...]
    more: int
    """decisions that are older than those here"""


@dataclass(frozen=True, slots=True)
class HomeFacts(Facts):
    """The Home tab."""

    status: StatusFacts
    command: str
    """the slash command as people type it, `/guardian`"""
    commands: tuple[CommandFacts, ...]
