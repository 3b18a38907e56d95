"""The cases of the alert desk: what is known of every alert, and the way from a decision to the database.

One list of decisions is one transaction: state and letters are written together, and only then do the letters
go to the outbox. If nothing could be written, nothing has happened.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import structlog
from pydantic import JsonValue

from bot.domain.alerts.cards import Telling
from bot.domain.alerts.failed_runs import topic_of
from bot.domain.alerts.lifecycle import step
from bot.domain.alerts.model import Alert, Event, Reported, Rule, Rules, Status, Subject
from bot.domain.alerts.openings import Openings
from bot.domain.alerts.paging import next_page
from bot.domain.alerts.surroundings import NO_LABELS, Surroundings
from bot.engine.book import Book
from bot.engine.clock import Clock
from bot.engine.ledger import Ledger
from bot.engine.live import LiveAlerts
from bot.engine.outbox import Outbox
from bot.engine.records import Made, log_all, records
from bot.engine.storms import Storms, Told
from bot.engine.uninterrupted import uninterrupted
from bot.store.changes import Change, LetterSuperseded, NewLetter
from bot.store.errors import Stale

log = structlog.get_logger(__name__)

_ATTEMPTS = 3
"""How often a decision is made anew because somebody else changed the alert first."""


class Cases:
    """Every alert that can still move. Decisions are made here, one after the other."""

    def __init__(
        self,
        ledger: Ledger,
        outbox: Outbox,
        clock: Clock,
        channel: str,
        rules: Rules,
        book: Book,
    ) -> None:
        self.live = LiveAlerts()
        self.book = book
        self.storms = Storms(
            outbox.last_waiting,
            lambda: self.live,
            outbox.next_ids,
            lambda alert: next_page(alert, self.around(alert)),
        )
        self.extras: dict[int, Mapping[str, JsonValue]] = {}
        """what was found out beside the decisions, by alert"""
        self.last_id = 0
        self._earlier: dict[str, Alert | None] = {}
        """what was known before the transaction that is being made"""
        self._ledger = ledger
        self._outbox = outbox
        self._clock = clock
        self._channel = channel
        self._rules = rules
        self._lock = asyncio.Lock()

    def around(self, alert: Alert) -> Surroundings:
        """What surrounds an alert."""
        own = alert.labels if alert.subject.condition.is_others else NO_LABELS
        return self.book.of(alert.subject, own, alert.layer)

    def rule(self, alert: Alert) -> Rule:
        """The rule that judges an alert."""
        return self._rules.rule_for(alert.subject.metric, alert.subject.target, alert.layer)

    def decide_now(self, alert: Alert, event: Event) -> Made:
        """What an event that happens now makes of an alert."""
        now = self._clock()
        return self.decide(self.rule(alert), alert.subject, event, now, now, alert.labels)

    def decide(
        self,
        rule: Rule,
        subject: Subject,
        event: Event,
        since: datetime,
        now: datetime,
        labels: Mapping[str, str] = NO_LABELS,
        openings: Openings | None = None,
    ) -> Made:
        """What an event makes of what is known about `subject`. `since` is when it was measured or done.
        `openings` are those of this moment, where many may come together."""
        before = self.live.get(subject.key)
        own = labels if subject.condition.is_others else NO_LABELS
        around = self.book.of(subject, own, rule.layer)
        if openings is not None and before is None and isinstance(event, Reported):
            decision = openings.decide(rule, subject, event, around, self.last_id + 1)
        else:
            decision = step(rule, subject, before, event, now, around)
            if decision.alert is not None and decision.alert.id == 0:
                decision = decision.about(self.last_id + 1)
                before = None if before is None or before.status is Status.RESOLVED else before
        if decision.alert is not None:
            self.last_id = max(self.last_id, decision.alert.id)
        # The decisions of one transaction may be about one subject: the next one sees this one's outcome.
        self._remember(subject.key, decision.alert)
        extras = self._found_out(before, decision.alert)
        return Made(subject.key, before, decision, event, Telling(self._channel, now, since, around, extras))

    def _found_out(self, before: Alert | None, alert: Alert | None) -> Mapping[str, JsonValue]:
        """What was found out about an alert; about an earlier run it says nothing of the latest one."""
        if alert is None:
            return {}
        is_run = not alert.subject.condition.is_state
        if is_run and before is not None and topic_of(before) != topic_of(alert):
            self.extras.pop(alert.id, None)
        return self.extras.get(alert.id, {})

    def _remember(self, key: str, alert: Alert | None) -> None:
        self._earlier.setdefault(key, self.live.get(key))
        self._put(key, alert)

    def _put(self, key: str, alert: Alert | None) -> None:
        if alert is None:
            self.live.drop(key)
            self.book.forget(key)
        else:
            self.live.put(alert)
            self.book.know((alert,))

    def forget_history(self, before: datetime) -> int:
        """Drop alerts that have been over since before that moment: nothing can reopen them. How many those
        were. Whoever is reported once and never heard of again would else stay in memory for ever."""
        over = [
            alert
            for alert in self.live
            if alert.status is Status.RESOLVED and (alert.resolved_at or alert.last_at) < before
        ]
        for alert in over:
            self._put(alert.subject.key, None)
            self.extras.pop(alert.id, None)
        return len(over)

    async def exclusively(self, work: Callable[[], Sequence[Change]]) -> None:
        """Do something while nobody decides, and write what it leaves."""
        async with self._lock:
            await self._ledger.write(work())

    async def settled(
        self, deciding: Callable[[], list[Made]], also: Callable[[], Told] | None = None
    ) -> list[Made]:
        """What `deciding` made, once that is written: decided anew when somebody else was first.

        Raises Stale when somebody else is first again and again.
        """

        async def attempts() -> list[Made]:
            for attempt in range(1, _ATTEMPTS + 1):
                restore = self.storms.snapshot()
                self._earlier = {}
                try:
                    made = self._placed(deciding())
                    await self._settle(made, also)
                except BaseException as error:
                    # Nothing was written, so nothing has happened: back to what is known to be true.
                    restore()
                    for key, alert in self._earlier.items():
                        self._put(key, alert)
                    if not isinstance(error, Stale):
                        raise
                    await self._reload(error.alert_ids)
                    if attempt == _ATTEMPTS:
                        raise
                else:
                    return made
            raise AssertionError("the last attempt returns or raises")

        # Who waits for his turn may still be cancelled. Half done, memory and database would differ.
        async with self._lock:
            return await uninterrupted(attempts())

    def _placed(self, made: list[Made]) -> list[Made]:
        """What was made, with new alerts folded into storms where there is one."""
        placed = self.storms.placed(made, self._channel)
        latest = {after.key: (before, after) for before, after in zip(made, placed, strict=True)}
        for before, after in latest.values():
            if before is not after and after.decision.alert is not None:
                self.live.exchange(after.decision.alert)
        return placed

    async def _settle(self, made: Sequence[Made], also: Callable[[], Told] | None) -> None:
        told = [self.storms.tell(made, self._clock())]
        if also is not None:
            told.append(also())
        changes = [change for each in made for change in records(each)]
        letters = [letter for each in made for letter in each.told(self._outbox.next_ids())]
        letters += [letter for each in told for letter in each.letters]
        changes += [change for each in told for change in each.changes]
        changes += [NewLetter(letter) for letter in letters]
        superseded = [
            *self._outbox.superseded_by(letters),
            *(old for each in told for old in each.superseded),
        ]
        changes += [LetterSuperseded(old) for old in superseded]
        with self._outbox.holding(superseded):
            await self._ledger.write(changes)
        self._outbox.accept(letters, superseded)
        log_all(made)

    async def _reload(self, alert_ids: Sequence[int]) -> None:
        log.warning("alerts_changed_elsewhere", alerts=list(alert_ids)[:20])
        for number in alert_ids:
            alert = await self._ledger.store.alert(number)
            known = self.live.by_id(number)
            if alert is not None:
                self._put(alert.subject.key, alert)
            elif known is not None:
                self._put(known.subject.key, None)
