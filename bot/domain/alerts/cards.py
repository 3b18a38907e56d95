"""From an alert and the effects of a decision to the letters that tell it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from pydantic import JsonValue

from bot.domain.alerts.facts import alert_facts, recipient_facts
from bot.domain.alerts.ladder import Recipient, TargetKind
from bot.domain.alerts.model import AddNote, Alert, Decision, EditCard, Effect, Note, Page, PostCard
from bot.domain.alerts.reasons import Reason
from bot.domain.alerts.surroundings import NOWHERE, Surroundings
from bot.domain.letters import APPRISE, Letter, LetterKind, Priority
from bot.domain.levels import Level
from messages.facts import AlertFacts, AlertNoteFacts, Facts, PageFacts


def stream_of(alert: Alert) -> str:
    """The stream that everything about this alert goes out on."""
    return f"alert:{alert.id}"


class Telling(NamedTuple):
    """What letters about a decision need beside the decision: `channel` for an alert that knows none itself,
    `since` when what they tell was measured, `extras` what was found out beside it."""

    channel: str
    now: datetime
    since: datetime
    around: Surroundings = NOWHERE
    extras: Mapping[str, JsonValue] = MappingProxyType({})


def letters_for(decision: Decision, telling: Telling, ids: Iterable[int]) -> tuple[Letter, ...]:
    """The letters that a decision sends, in order; each takes the next of `ids`.

    A decision without an alert sends nothing: there is nothing to tell of what was never confirmed.
    """
    alert = decision.alert
    if alert is None or not decision.effects:
        return ()
    facts = alert_facts(alert, None, telling.around, telling.extras)
    supply = iter(ids)
    return tuple(
        Letter(
            id=next(supply),
            stream=draft.stream,
            kind=draft.kind,
            channel=draft.channel,
            template=draft.template,
            facts=draft.facts.as_json(),
            priority=_priority(decision, alert, effect),
            created_at=telling.now,
            since=telling.since,
            broadcast=draft.broadcast,
        )
        for effect in _in_order(decision.effects)
        for draft in _drafts(effect, alert, facts, alert.channel or telling.channel)
    )


def edit_of(alert: Alert, telling: Telling, number: int) -> Letter:
    """A letter that draws the card again, with what is known now."""
    return Letter(
        id=number,
        stream=stream_of(alert),
        kind=LetterKind.EDIT,
        channel=alert.channel or telling.channel,
        template="alert",
        facts=alert_facts(alert, None, telling.around, telling.extras).as_json(),
        priority=Priority.EDIT,
        created_at=telling.now,
        since=telling.since,
    )


@dataclass(frozen=True, slots=True)
class _Draft:
    kind: LetterKind
    template: str
    facts: Facts
    stream: str
    channel: str
    broadcast: bool = False


def _drafts(effect: Effect, alert: Alert, facts: AlertFacts, channel: str) -> Iterator[_Draft]:
    stream = stream_of(alert)
    match effect:
        case PostCard():
            yield _Draft(LetterKind.CARD, "alert", facts, stream, channel)
        case EditCard():
            yield _Draft(LetterKind.EDIT, "alert", facts, stream, channel)
        case AddNote():
            note = AlertNoteFacts(
                alert=facts,
                note=effect.note.value,
                actor=effect.actor,
                from_level=effect.from_level.word if effect.from_level else None,
                step=effect.step,
            )
            yield _Draft(LetterKind.NOTE, "alert_note", note, stream, channel, effect.broadcast)
        case Page():
            yield from _pages(effect, alert, facts, channel)


def _pages(page: Page, alert: Alert, facts: AlertFacts, channel: str) -> Iterator[_Draft]:
    stream = stream_of(alert)
    for place, recipients in places(page.recipients, channel):
        told = PageFacts(facts, recipient_facts(recipients), page.round, page.step, page.expired)
        if place is None:
            loud = is_loud(alert.level, recipients)
            yield _Draft(LetterKind.NOTE, "page", told, stream, channel, loud)
        else:
            # A stream of its own: it belongs into no thread, and must not wait for what does.
            own = f"{stream}:{page.epoch}.{page.round}.{page.step}:{place}"
            yield _Draft(LetterKind.CARD, "page", told, own, place)


def places(
    recipients: Iterable[Recipient], channel: str
) -> Iterator[tuple[str | None, tuple[Recipient, ...]]]:
    """Where a page has to go: into the thread (None) for everybody who is reached there, and to each other
    channel and each target of the second way out by itself."""
    here: list[Recipient] = []
    elsewhere: list[tuple[str, Recipient]] = []
    for each in recipients:
        if each.kind is TargetKind.APPRISE:
            elsewhere.append((f"{APPRISE}{each.id}", each))
        elif each.kind is TargetKind.CHANNEL and each.id != channel:
            elsewhere.append((each.id, each))
        else:
            here.append(each)
    if here:
        yield None, tuple(here)
    for place, each in elsewhere:
        yield place, (each,)


def is_loud(level: Level, recipients: Iterable[Recipient]) -> bool:
    """Whether a page in a thread is shown in the channel too."""
    return level >= Level.CRITICAL or any(each.kind is TargetKind.CHANNEL for each in recipients)


def priority_of(level: Level) -> Priority:
    """How urgent the news of an alert at that level are."""
    if level is Level.EMERGENCY:
        return Priority.EMERGENCY
    if level is Level.CRITICAL:
        return Priority.CRITICAL
    return Priority.INFO if level is Level.INFO else Priority.ALERT


def _in_order(effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
    """The effects with a page before what can wait: letters of one stream go out one after the other, and an
    edit waits for all other cards' edits."""
    if not any(isinstance(effect, Page) for effect in effects):
        return effects
    return tuple(sorted(effects, key=_can_wait))


def _can_wait(effect: Effect) -> bool:
    return isinstance(effect, EditCard) or (isinstance(effect, AddNote) and effect.note in _SAID_BY_THE_CARD)


_SAID_BY_THE_CARD = (Note.OPENED, Note.NO_DATA)
_ONLY_FIGURES = (
    Reason.STILL_FIRING,
    Reason.PAGED,
    Reason.STEP_EMPTY,
    Reason.SEEN,
    Reason.ACK_RENEWED,
)
"""Reasons after which the card says nothing new that cannot wait."""


def _priority(decision: Decision, alert: Alert, effect: Effect) -> Priority:
    if isinstance(effect, Page):
        return priority_of(alert.level)
    if decision.reason in (Reason.ACKED, Reason.RESOLVED_BY_HAND):
        return Priority.ANSWER
    if isinstance(effect, EditCard) and decision.reason in _ONLY_FIGURES:
        return Priority.EDIT
    if isinstance(effect, AddNote) and effect.note in _SAID_BY_THE_CARD:
        return max(Priority.EDIT, priority_of(alert.level))
    return priority_of(alert.level)
