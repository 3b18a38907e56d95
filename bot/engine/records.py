"""What a decision leaves behind: rows to write, letters to send, a line in the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import structlog

from bot.domain.alerts.cards import Telling, letters_for
from bot.domain.alerts.model import (
    Acknowledged,
    Active,
    AddNote,
    Alert,
    Decision,
    Event,
    Note,
    Page,
    ResolvedByHand,
    Status,
)
from bot.domain.alerts.reasons import Reason
from bot.domain.letters import Letter
from bot.store.changes import Change, ChangedAlert, DecisionMade, DroppedAlert, NewAlert, PageMade

log = structlog.get_logger(__name__)

_LINES_AT_ONCE = 20
"""about alerts with one reason: a hundred would take as long as the decisions"""
_BY_PEOPLE = (Acknowledged, ResolvedByHand)


class Made(NamedTuple):
    """A decision with what it was made from. `letters` are those that it sends beside its effects."""

    key: str
    before: Alert | None
    decision: Decision
    event: Event
    telling: Telling
    letters: tuple[Letter, ...] = ()

    @property
    def folded(self) -> bool:
        """Whether a storm tells of the alert, and not a card of its own."""
        return self.decision.alert is not None and self.decision.alert.storm is not None

    def told(self, ids: Iterable[int]) -> tuple[Letter, ...]:
        """The letters about an alert that has a card of its own."""
        if self.folded:
            return self.letters
        return (*letters_for(self.decision, self.telling, ids), *self.letters)


def records(made: Made) -> Iterator[Change]:
    """What is to be written of a decision, letters aside."""
    before, after, now = made.before, made.decision.alert, made.telling.now
    if after is None:
        if before is not None and before.status is Status.PENDING:
            yield DroppedAlert(before.id)
        return
    by_people = isinstance(made.event, _BY_PEOPLE)
    pages = [effect for effect in made.decision.effects if isinstance(effect, Page)]
    if before is None:
        yield NewAlert(after)
    elif after != before and not _only_slots(before, after):
        yield ChangedAlert(after, before.version)
    elif not by_people:
        return
    if before is None or after.version != before.version or by_people or pages or _is_news(before, after):
        yield from _decisions(made, after)
    for page in pages:
        yield PageMade(
            alert_id=after.id,
            epoch=page.epoch,
            round=page.round,
            step=page.step,
            at=now,
            recipients=page.recipients,
            level=after.level,
            metric=after.title or after.subject.metric,
        )


def _decisions(made: Made, after: Alert) -> Iterator[DecisionMade]:
    """What became of the event, and every step of the ladder that reached nobody meanwhile."""
    before, reason = made.before, made.decision.reason
    own = DecisionMade(
        alert_id=after.id,
        version=after.version,
        at=made.telling.now,
        event=type(made.event).__name__.lower(),
        reason=reason,
        from_status=before.status if before else None,
        to_status=after.status,
        level=after.level,
        value=after.value,
        actor=made.event.by if isinstance(made.event, (*_BY_PEOPLE, Active)) else None,
        detail=_detail(before, after),
    )
    steps = [
        own._replace(
            reason=Reason.STEP_EMPTY, from_status=after.status, actor=None, detail=step_detail(effect)
        )
        for effect in made.decision.effects
        if isinstance(effect, AddNote) and effect.note is Note.EMPTY_STEP
    ]
    match reason:
        case Reason.STEP_EMPTY:
            yield from steps
        case Reason.PAGED:
            yield from (*steps, own)
        case _:
            yield from (own, *steps)


def step_detail(empty: AddNote) -> str:
    """What the decision about a step that reached nobody was about. Names of targets
    hold no line breaks."""
    return f"step:{empty.round}.{empty.step}:" + "\n".join(map(str, empty.meant))


def _detail(before: Alert | None, after: Alert) -> str | None:
    """What the decision was about beside the alert: a cover that came or went, a storm that folded it."""
    was = before.cover if before is not None else None
    cover = after.cover if after.cover is not None and not after.cover.same_as(was) else None
    if cover is None and was is not None and after.cover is None:
        cover = was
    if cover is not None:
        return f"{cover.kind.value}:{cover.ref}"
    joined = after.storm is not None and (before is None or before.storm != after.storm)
    return f"storm:{after.storm}" if joined else None


def _is_news(before: Alert, after: Alert) -> bool:
    """Whether something changed that people will ask the reason of, though status and level did not."""
    return (
        before.cover != after.cover
        or before.flapping is not after.flapping
        or before.floor is not after.floor
        or before.seen_by != after.seen_by
        or before.progress != after.progress
    )


def _only_slots(before: Alert, after: Alert) -> bool:
    """Whether nothing but the last results of an alert that is over has changed: not worth a write."""
    return (
        after.status is Status.RESOLVED
        and before.status is Status.RESOLVED
        and (before.version, before.recent, before.last_at) == (after.version, after.recent, after.last_at)
    )


def log_all(made: Sequence[Made]) -> None:
    """A line in the log about each decision that people see. Very many at once, and those of a storm, are a
    line for each reason: the decisions themselves are in the database."""
    folded: Counter[Reason] = Counter()
    alone: dict[Reason, list[Alert]] = {}
    for each in made:
        alert, decision = each.decision.alert, each.decision
        if alert is None or decision.silent:
            continue
        if alert.storm is not None:
            folded[decision.reason] += 1
        else:
            alone.setdefault(decision.reason, []).append(alert)
    for reason, alerts in alone.items():
        if len(alerts) > _LINES_AT_ONCE:
            numbers = [alert.id for alert in alerts]
            log.info("alerts", reason=reason.value, count=len(alerts), first=min(numbers), last=max(numbers))
            continue
        for alert in alerts:
            log.info(
                "alert",
                id=alert.id,
                reason=reason.value,
                status=alert.status.value,
                level=alert.level.word,
                metric=alert.subject.metric,
                target=alert.subject.target,
                value=alert.value,
            )
    if folded:
        log.info("storm", alerts=folded.total(), **{reason.value: n for reason, n in folded.items()})
