"""The alert desk: every check and every click passes here, one after the other.

It looks up what is known, lets the alert machine decide, writes state and letters in one transaction,
and only then hands the letters to the outbox.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from bot.domain.alerts.cards import letters_for, stream_of
from bot.domain.alerts.lifecycle import step
from bot.domain.alerts.model import (
    Acknowledged,
    Alert,
    Condition,
    Decision,
    Event,
    Measured,
    Missed,
    Rule,
    Rules,
    Status,
    Subject,
    Unwatched,
)
from bot.domain.alerts.reasons import Reason
from bot.domain.letters import Letter
from bot.domain.levels import Level
from bot.engine.clock import Clock
from bot.engine.ledger import Ledger
from bot.engine.outbox import Outbox
from bot.engine.uninterrupted import uninterrupted
from bot.store.changes import (
    Change,
    ChangedAlert,
    DecisionMade,
    DroppedAlert,
    LetterSuperseded,
    NewAlert,
    NewLetter,
)
from bot.store.errors import Stale

log = structlog.get_logger(__name__)

LONGEST_REOPENING = timedelta(days=1)
"""The longest reopening time that a configuration may give: older alerts are history."""
_ATTEMPTS = 3
"""How often a decision is made anew because somebody else changed the alert first."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One event about one subject, with the rule that judges it."""

    rule: Rule
    subject: Subject
    event: Measured | Missed


class AlertDesk:
    """Knows every alert that can still move and is the only one that moves them."""

    def __init__(
        self,
        ledger: Ledger,
        outbox: Outbox,
        clock: Clock,
        channel: str,
        rules: Rules,
    ) -> None:
        self._ledger = ledger
        self._outbox = outbox
        self._clock = clock
        self._channel = channel
        self._rules = rules
        self._live: dict[str, Alert] = {}
        self._lock = asyncio.Lock()
        self._last_id = 0

    async def load(self) -> None:
        """Read all alerts that can still move. Raises StoreUnavailable."""
        alerts = await self._ledger.store.live_alerts(self._clock() - LONGEST_REOPENING)
        self._live = {alert.subject.key: alert for alert in alerts}
        self._last_id, _ = await self._ledger.store.last_ids()
        await self._outbox.know_cards(stream_of(alert) for alert in alerts)

    def open(self) -> list[Alert]:
        """Alerts that people have been told of and that are not over: worst first, then oldest."""
        alerts = (alert for alert in self._live.values() if alert.status.is_open)
        return sorted(alerts, key=lambda alert: (-alert.level, alert.id))

    def waiting(self) -> set[tuple[str, str]]:
        """Metric and target of the alerts that wait for their confirmation."""
        return {
            (alert.subject.metric, alert.subject.target)
            for alert in self._live.values()
            if alert.status is Status.PENDING
        }

    def levels(self) -> Iterator[Level]:
        """The levels of the open alerts."""
        return (alert.level for alert in self._live.values() if alert.status.is_open)

    def live(self, key: str) -> Alert | None:
        """The alert with that dedupe key, if it can still move."""
        return self._live.get(key)

    async def judge(self, observations: Sequence[Observation]) -> list[Decision]:
        """Decide about the observations of one check, and write what came of them as one transaction."""
        quiet = [self._is_quiet(observation) for observation in observations]
        if all(quiet):
            return [Decision(None, (), Reason.TARGET_BAND) for _ in observations]

        def decide() -> list[_Made]:
            now = self._clock()
            return [
                self._decide(each.rule, each.subject, each.event, each.event.at, now) for each in observations
            ]

        return [each.decision for each in await self._settled(decide)]

    async def acknowledge(self, alert_id: int, by: str, version: int) -> Decision:
        """Someone pressed 확인 on a card drawn for `version`; the decision says what became of it.

        Raises StoreUnavailable when the alert is long over and cannot be looked up.
        """

        def decide() -> list[_Made]:
            alert = self._by_id(alert_id)
            return [] if alert is None else [self._decide_now(alert, Acknowledged(by, version))]

        for made in await self._settled(decide):
            return made.decision
        return Decision(await self._ledger.store.alert(alert_id), (), Reason.NOT_OPEN)

    async def release_unwatched(self, environment: str, sources: Iterable[str]) -> None:
        """End the alerts of another environment, of sources that the configuration no longer has, and of
        metrics that it no longer has bands for."""
        watched = set(sources)
        await self._release(
            lambda alert: alert.subject.environment != environment or not self._is_watched(alert, watched)
        )

    def targets(self, source: str) -> set[str]:
        """The targets of that source that have alerts which are pending or open."""
        return {
            alert.subject.target
            for alert in self._live.values()
            if alert.subject.source == source and alert.status is not Status.RESOLVED
        }

    async def release_targets(self, source: str, targets: Collection[str]) -> None:
        """End the alerts of those targets: the source no longer finds them."""
        await self._release(lambda alert: alert.subject.source == source and alert.subject.target in targets)

    async def _release(self, gone: Callable[[Alert], bool]) -> None:
        def decide() -> list[_Made]:
            alerts = [alert for alert in self._live.values() if gone(alert)]
            return [self._decide_now(alert, Unwatched()) for alert in alerts]

        await self._settled(decide)

    def _is_watched(self, alert: Alert, sources: set[str]) -> bool:
        if alert.subject.source not in sources:
            return False
        return alert.subject.condition is Condition.NO_DATA or self._rule(alert).bands is not None

    def _is_quiet(self, observation: Observation) -> bool:
        """Whether nothing is known of the subject and the check is good: the usual case, decided cheaply."""
        event, rule = observation.event, observation.rule
        if observation.subject.key in self._live:
            return False
        return isinstance(event, Measured) and (
            observation.subject.condition is Condition.NO_DATA
            or rule.bands is None
            or rule.bands.level_of(event.value) is None
        )

    def _rule(self, alert: Alert) -> Rule:
        return self._rules.rule_for(alert.subject.metric, alert.subject.target, alert.layer)

    def _by_id(self, alert_id: int) -> Alert | None:
        return next((alert for alert in self._live.values() if alert.id == alert_id), None)

    def _decide_now(self, alert: Alert, event: Acknowledged | Unwatched) -> _Made:
        now = self._clock()
        return self._decide(self._rule(alert), alert.subject, event, now, now)

    def _decide(self, rule: Rule, subject: Subject, event: Event, since: datetime, now: datetime) -> _Made:
        before = self._live.get(subject.key)
        decision = step(rule, subject, before, event, now)
        after = decision.alert
        if after is not None and after.id == 0:
            self._last_id += 1
            after = replace(after, id=self._last_id)
            decision = replace(decision, alert=after)
            before = None if before is None or before.status is Status.RESOLVED else before
        letters = letters_for(decision, self._channel, now, since, self._outbox.next_ids())
        # The decisions of one transaction may be about one subject: the next one sees this one's outcome.
        self._remember(subject.key, after)
        return _Made(subject.key, before, decision, letters, _changes(before, decision, event, now))

    def _remember(self, key: str, alert: Alert | None) -> None:
        if alert is None:
            self._live.pop(key, None)
        else:
            self._live[key] = alert

    async def _settled(self, decide: Callable[[], list[_Made]]) -> list[_Made]:
        """What `decide` made, once that is written: decided anew when somebody else was first.

        Raises Stale when somebody else is first again and again.
        """

        async def attempts() -> list[_Made]:
            for attempt in range(1, _ATTEMPTS + 1):
                made = decide()
                try:
                    await self._settle(made)
                except Stale as error:
                    await self._reload(error.alert_id)
                    if attempt == _ATTEMPTS:
                        raise
                else:
                    return made
            raise AssertionError("the last attempt returns or raises")

        # Who waits for his turn may still be cancelled. Half done, memory and database would differ.
        async with self._lock:
            return await uninterrupted(attempts())

    async def _settle(self, made: Sequence[_Made]) -> None:
        letters = [letter for each in made for letter in each.letters]
        changes = [change for each in made for change in each.changes]
        changes += [NewLetter(letter) for letter in letters]
        superseded = self._outbox.superseded_by(letters)
        changes += [LetterSuperseded(old) for old in superseded]
        try:
            await self._ledger.write(changes)
        except BaseException:
            # Nothing was written, so nothing has happened: back to what is known to be true.
            for each in reversed(made):
                self._remember(each.key, each.before)
            raise
        self._outbox.accept(letters, superseded)
        for each in made:
            _log(each)

    async def _reload(self, alert_id: int) -> None:
        log.warning("alert_changed_elsewhere", alert=alert_id)
        alert = await self._ledger.store.alert(alert_id)
        known = self._by_id(alert_id)
        if alert is not None:
            self._remember(alert.subject.key, alert)
        elif known is not None:
            self._remember(known.subject.key, None)


@dataclass(frozen=True, slots=True)
class _Made:
    """A decision with what it was made from and what it leaves behind."""

    key: str
    before: Alert | None
    decision: Decision
    letters: tuple[Letter, ...]
    changes: tuple[Change, ...]


def _changes(before: Alert | None, decision: Decision, event: Event, now: datetime) -> tuple[Change, ...]:
    after = decision.alert
    if after is None:
        dropped = before is not None and before.status is Status.PENDING
        return (DroppedAlert(before.id),) if before is not None and dropped else ()
    told = isinstance(event, Acknowledged)
    if after == before and not told:
        return ()
    changes: list[Change] = []
    if before is None:
        changes.append(NewAlert(after))
    elif after != before:
        changes.append(ChangedAlert(after, before.version))
    if before is None or after.version != before.version or told:
        changes.append(
            DecisionMade(
                alert_id=after.id,
                version=after.version,
                at=now,
                event=type(event).__name__.lower(),
                reason=decision.reason,
                from_status=before.status if before else None,
                to_status=after.status,
                level=after.level,
                value=after.value,
                actor=event.by if isinstance(event, Acknowledged) else None,
            )
        )
    return tuple(changes)


def _log(made: _Made) -> None:
    alert = made.decision.alert
    if alert is None or made.decision.silent:
        return
    log.info(
        "alert",
        id=alert.id,
        reason=made.decision.reason.value,
        status=alert.status.value,
        level=alert.level.word,
        metric=alert.subject.metric,
        target=alert.subject.target,
        value=alert.value,
    )
