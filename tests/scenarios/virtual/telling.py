"""Stories on a virtual clock: a company with three people on call, and what they are told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta

from bot.config import RuleBook, Settings
from bot.domain.alerts.ladder import Policy, Target, TargetKind
from bot.domain.alerts.model import Alert
from bot.domain.alerts.surroundings import Route
from bot.domain.labels import Service, Services
from bot.domain.letters import Letter, LetterKind
from bot.domain.maintenance import Window
from bot.domain.oncall.model import Hours
from bot.domain.routing import Routes
from bot.engine.simulation import Simulation
from bot.engine.virtual import Sample, World
from bot.store.changes import PageMade

EVENING = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)
FIRST, SECOND, THIRD = "USEOYEON", "UMINJUN", "UJIWOO"
CHANNEL = "guardian-alerts"
POLICY = Policy(
    "night",
    tuple((Target(TargetKind.PERSON, person),) for person in (FIRST, SECOND, THIRD)),
)
SHOP = Services(
    (
        Service("database", targets=("db-*",)),
        Service("shop", targets=("web-*",), depends_on=("database",)),
        Service("mail", targets=("mail-*",)),
    )
)


def company(*windows: Window, services: Services = SHOP) -> World:
    """The default bands, three tiers of one person each, one channel."""
    rules = RuleBook(Settings(name="web-1"))
    return World(
        rules, CHANNEL, "test", Routes((), Route(CHANNEL, POLICY)), services=services, windows=windows
    )


def at(clock: str) -> datetime:
    """That time of the night: before noon it is the day after."""
    hour, minute, *second = (int(part) for part in clock.split(":"))
    moment = EVENING.replace(hour=hour, minute=minute, second=second[0] if second else 0)
    return moment + timedelta(days=1) if hour < 12 else moment


async def measured(story: Simulation, metric: str, target: str, *values: float | None) -> None:
    """Those readings, the first now, the others 15 s apart; then the next one would be due."""
    for value in values:
        await story.check([Sample(metric, target, value)])
        await story.advance(seconds=15)


async def holds(story: Simulation, until: str, *samples: Sample) -> None:
    """The same values again and again, the first now, the others 15 s apart, until that time."""
    end = at(until)
    while story.clock.now < end:
        await story.check(samples)
        await story.advance_to(min(end, story.clock.now + timedelta(seconds=15)))


def happened(story: Simulation, alert_id: int | None = None) -> list[str]:
    """What people noticed: `22:00:30 #1 opened`, `22:01:30 #1 paged USEOYEON`; edits of cards are nothing."""
    lines = []
    for entry in story.chronicle.entries:
        if alert_id is not None and (entry.alert is None or entry.alert.id != alert_id):
            continue
        name = f"storm {entry.storm}" if entry.alert is None else f"#{entry.alert.id}"
        told = [_said(letter) for letter in entry.letters if letter.template in ("alert", "alert_note")]
        told += [f"paged {' '.join(each.id for each in page.recipients)}" for page in entry.pages]
        told = [each for each in told if each]
        if told:
            lines.append(f"{entry.at:%H:%M:%S} {name} {', '.join(told)}")
    return lines


def _said(letter: Letter) -> str:
    if letter.template == "alert_note":
        return str(letter.facts["note"]) + (" aloud" if letter.broadcast else "")
    return "card" if letter.kind is LetterKind.CARD else ""


def pages(story: Simulation, alert_id: int | None = None) -> list[str]:
    """Who was paged when."""
    return [
        f"{page.at:%H:%M:%S} {' '.join(each.id for each in page.recipients)}"
        for page in story.chronicle.pages
        if alert_id in (None, page.alert_id)
    ]


def cards(story: Simulation) -> list[str]:
    """The targets of alerts that got a card of their own, as they were posted."""
    return [
        str(letter.facts["target"])
        for entry in story.chronicle.entries
        for letter in entry.letters
        if letter.kind is LetterKind.CARD and letter.template == "alert"
    ]


def the(story: Simulation, target: str) -> Alert:
    """The latest alert about that target."""
    found = [alert for alert in story.chronicle.alerts.values() if alert.subject.target == target]
    return max(found, key=lambda alert: alert.id)


def steps_paged_twice(pages: Iterable[PageMade]) -> list[tuple[int, int, int, int]]:
    """Steps of a ladder that were paged more than once: there must be none."""
    seen: set[tuple[int, int, int, int]] = set()
    twice = []
    for page in pages:
        step = (page.alert_id, page.epoch, page.round, page.step)
        if step in seen:
            twice.append(step)
        seen.add(step)
    return twice


def letters_of(story: Simulation, template: str) -> Sequence[Letter]:
    """Every letter of that template, in order."""
    return [
        letter for entry in story.chronicle.entries for letter in entry.letters if letter.template == template
    ]


def hours(text: str) -> Hours:
    """`23:00-01:00`."""
    start, end = (time.fromisoformat(part) for part in text.split("-"))
    return Hours(start, end)
