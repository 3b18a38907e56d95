"""The alert desk: every check, click, report and deadline passes here, one after the other.

It looks up what is known, lets the alert machine decide, writes state and letters in one transaction,
and only then hands the letters to the outbox.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from pydantic import JsonValue

from bot.domain.alerts.cards import Telling, edit_of, stream_of
from bot.domain.alerts.facts import alert_facts
from bot.domain.alerts.model import (
    Acknowledged,
    Active,
    Alert,
    Condition,
    Decision,
    Due,
    Event,
    Measured,
    Missed,
    Raised,
    ResolvedByHand,
    Rule,
    Rules,
    Status,
    Subject,
    Unwatched,
)
from bot.domain.alerts.openings import Openings
from bot.domain.alerts.paging import shifted
from bot.domain.alerts.reasons import Reason
from bot.domain.levels import Level
from bot.engine.book import Book, PlainBook
from bot.engine.cases import Cases
from bot.engine.clock import Clock
from bot.engine.ledger import Ledger
from bot.engine.outbox import Outbox
from bot.engine.records import Made
from bot.engine.reports import Report, ReportOutcome, ReportsNotTaken
from bot.store.changes import Change, ChangedAlert
from messages.facts import AlertFacts, StormFacts

log = structlog.get_logger(__name__)

LONGEST_REOPENING = timedelta(days=1)
"""The longest reopening time that a configuration may give: older alerts are history."""
_TIDY_EVERY = timedelta(hours=1)
DUE_AT_ONCE = 500
"""Deadlines in one transaction; the checks that wait meanwhile must not wait long."""


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
        book: Book | None = None,
    ) -> None:
        self._ledger = ledger
        self._outbox = outbox
        self._clock = clock
        self._channel = channel
        self._rules = rules
        self._cases = Cases(ledger, outbox, clock, channel, rules, book or PlainBook(channel))
        self._live = self._cases.live
        self._storms = self._cases.storms
        self._tidied_at: datetime | None = None

    async def load(self) -> None:
        """Read all alerts that can still move. Raises StoreUnavailable."""
        now, store = self._clock(), self._ledger.store
        alerts = await store.live_alerts(now - LONGEST_REOPENING)
        # The clock may have stepped back while nobody watched: what is due must not wait for it.
        moved = [shifted(alert, min(timedelta(0), now - alert.last_at)) for alert in alerts]
        self._cases.book.know(moved)
        self._live.fill(moved)
        self._cases.last_id, _ = await store.last_ids()
        storms = await store.storms(now - LONGEST_REOPENING)
        self._storms.load(storms, alerts, await store.last_storm(), now)
        await self._outbox.know_cards(stream_of(alert) for alert in alerts if alert.storm is None)

    # What can be asked

    def open(self) -> list[Alert]:
        """Alerts that people have been told of and that are not over: first those that nobody has taken, of
        these the worst, then the oldest."""
        return self._live.open()

    def each_open(self) -> Iterable[Alert]:
        """The same in no order: for those who look at many."""
        return self._live.each_open()

    def each_resolved(self) -> Iterable[Alert]:
        """Alerts that are over and can still be reopened, in no order."""
        return (alert for alert in self._live if alert.status is Status.RESOLVED)

    def waiting(self) -> set[tuple[str, str]]:
        """Metric and target of the alerts that wait for their confirmation."""
        return {
            (alert.subject.metric, alert.subject.target)
            for alert in self._live
            if alert.status is Status.PENDING
        }

    def levels(self) -> Iterator[Level]:
        """The levels of the open alerts."""
        return (alert.level for alert in self._live.each_open())

    def live(self, key: str) -> Alert | None:
        """The alert with that dedupe key, if it can still move."""
        return self._live.get(key)

    def alert(self, alert_id: int) -> Alert | None:
        """The alert with that number, if it can still move."""
        return self._live.by_id(alert_id)

    def facts(self, alert: Alert) -> AlertFacts:
        """What is told of an alert, as things are now."""
        card = self._outbox.card(stream_of(alert))
        around = self._cases.around(alert)
        return alert_facts(
            alert, card.delivery_ms if card else None, around, self._cases.extras.get(alert.id)
        )

    def storm(self, storm_id: int) -> StormFacts | None:
        """A storm as its card shows it."""
        return self._storms.facts(storm_id)

    def next_due(self) -> datetime | None:
        """When something is due next; None while nothing is."""
        moments = (self._live.next_due(), self._storms.next_due())
        return min((moment for moment in moments if moment is not None), default=None)

    def overdue(self, now: datetime, by: timedelta) -> list[Alert]:
        """Alerts with a step of the ladder that should have been taken `by` so long ago."""
        return [
            alert
            for alert in self._live.each_open()
            if alert.progress is not None
            and alert.progress.next_at is not None
            and alert.cover is None
            and now - alert.progress.next_at > by
        ]

    # What happens

    async def judge(self, observations: Sequence[Observation]) -> list[Decision]:
        """Decide about the observations of one check, and write what came of them as one transaction."""
        if all(map(self._is_quiet, observations)):
            return [Decision(None, (), Reason.TARGET_BAND) for _ in observations]

        def decide() -> list[Made]:
            now = self._clock()
            return [
                self._cases.decide(each.rule, each.subject, each.event, each.event.at, now)
                for each in observations
            ]

        return [each.decision for each in await self._cases.settled(decide)]

    async def report(self, reports: Sequence[Report]) -> ReportOutcome:
        """Decide about what others report, all of it as one transaction.

        Raises ReportsNotTaken while the database cannot be written: what was reported is acted upon all the
        same, but it is only kept in memory, and whoever reported it should say it again.
        """

        def decide() -> list[Made]:
            now = self._clock()
            openings = Openings(now)
            return [
                self._cases.decide(
                    self._rules.rule_for(each.subject.metric, each.subject.target, each.layer),
                    each.subject,
                    each.event,
                    each.event.at,
                    now,
                    each.labels,
                    openings,
                )
                for each in reports
            ]

        outcome = _outcome(await self._cases.settled(decide))
        if self._ledger.problem is not None:
            raise ReportsNotTaken(self._ledger.problem)
        return outcome

    async def acknowledge(self, alert_id: int, by: str, version: int | None) -> Decision:
        """Someone pressed 확인 on a card drawn for `version` (None: on whatever there is now); the decision
        says what became of it.

        Raises StoreUnavailable when the alert is long over and cannot be looked up.
        """
        return await self._asked(alert_id, lambda alert: Acknowledged(by, _of(alert, version)))

    async def resolve(self, alert_id: int, by: str, version: int | None) -> Decision:
        """Someone says that it is over. Raises as `acknowledge`."""
        return await self._asked(alert_id, lambda alert: ResolvedByHand(by, _of(alert, version)))

    async def active(self, alert_id: int, by: str) -> Decision:
        """Someone wrote in the alert's thread. Raises as `acknowledge`."""
        return await self._asked(alert_id, lambda alert: Active(by))

    async def raise_to(self, alert_id: int, level: Level | None, why: str | None) -> Decision:
        """At least that level from now on, or no longer. Raises as `acknowledge`."""
        return await self._asked(alert_id, lambda alert: Raised(level, why))

    async def acknowledge_storm(self, storm_id: int, by: str) -> int:
        """Someone takes everything that a storm gathers; how many alerts that were."""

        def click(alert: Alert) -> Event | None:
            return Acknowledged(by, alert.version) if alert.status is Status.FIRING else None

        return await self._in_parts(self._storms.folded(storm_id), click)

    async def active_in_storm(self, storm_id: int, by: str) -> int:
        """Someone wrote in a storm's thread, which is that of everything it gathers; how many alerts that
        are."""

        def seen(alert: Alert) -> Event | None:
            return Active(by) if alert.status.is_open else None

        return await self._in_parts(self._storms.folded(storm_id), seen)

    async def enrich(self, alert_id: int, extras: Mapping[str, JsonValue]) -> None:
        """Remember what was found out beside the decisions, and draw the card again if that is news."""

        def decide() -> list[Made]:
            alert = self._live.by_id(alert_id)
            if alert is None or dict(self._cases.extras.get(alert_id, {})) == dict(extras):
                return []
            if not alert.carded or alert.storm is not None:
                return []
            around = self._cases.around(alert)
            now = self._clock()
            telling = Telling(self._channel, now, now, around, extras)
            letter = edit_of(alert, telling, next(self._outbox.next_ids()))
            quiet = Decision(alert, (), Reason.NOT_DUE)
            return [Made(alert.subject.key, alert, quiet, Due(), telling, letters=(letter,))]

        await self._cases.settled(decide)
        if self._live.by_id(alert_id) is not None:
            self._cases.extras[alert_id] = dict(extras)

    async def tick(self) -> int:
        """Do what is due: pages, expired acknowledgements, covers that end, storms. How many alerts that
        were; call again at once if it is many."""
        count = 0

        def decide() -> list[Made]:
            nonlocal count
            due = self._live.due(self._clock(), DUE_AT_ONCE)
            count = len(due)
            return [made for alert in due if (made := self._decided(alert)) is not None]

        now = self._clock()
        await self._tidy(now)
        due = self._live.next_due()
        storm_due = self._storms.next_due()
        if (due is not None and due <= now) or (storm_due is not None and storm_due <= now):
            await self._cases.settled(decide, also=lambda: self._storms.tick(self._clock()))
        return count

    async def _tidy(self, now: datetime) -> None:
        """Forget now and then what is history."""
        if self._tidied_at is not None and timedelta(0) <= now - self._tidied_at < _TIDY_EVERY:
            return
        self._tidied_at = now

        def forget() -> Sequence[Change]:
            self._cases.forget_history(now - LONGEST_REOPENING)
            # A new alert with the key of an old one takes its place, and never asks what was known of that.
            extras = self._cases.extras
            for number in [each for each in extras if self._live.by_id(each) is None]:
                del extras[number]
            return ()

        await self._cases.exclusively(forget)

    def _decided(self, alert: Alert) -> Made | None:
        """What its deadline makes of an alert that was taken out of the queue."""
        try:
            return self._cases.decide_now(alert, Due())
        except Exception:  # what is wrong with one must not keep the others from being paged
            log.exception("deadline_not_decided", alert=alert.id)
            self._live.put(alert)  # it is due again at the next look
            return None

    async def look_again(self, which: Callable[[Alert], bool] = lambda alert: True) -> None:
        """What lies over alerts may have changed: a silence, a window, a dependency."""
        now = self._clock()
        changed = [
            alert for alert in self._live.each_open() if which(alert) and self._covered_anew(alert, now)
        ]
        await self._in_parts(
            changed, lambda alert: Due() if self._covered_anew(alert, self._clock()) else None
        )

    async def clock_stepped(self, by: timedelta) -> None:
        """The clock has stepped back (`by` is negative): what was due in five minutes still is."""

        def shift() -> Sequence[Change]:
            moved = [(alert, shifted(alert, by)) for alert in self._live]
            for _, alert in moved:
                self._live.put(alert)
            self._cases.book.know([alert for _, alert in moved])
            # A restart must not find the moments of before the step.
            changed = [ChangedAlert(after, after.version) for before, after in moved if after is not before]
            return [*changed, *self._storms.clock_stepped(by)]

        await self._cases.exclusively(shift)

    async def release_unwatched(self, environment: str, sources: Iterable[str]) -> None:
        """End the alerts of another environment, of sources that the configuration no longer has, and of
        metrics that it no longer has bands for. What others report is theirs to end."""
        watched = set(sources)
        await self._release(
            lambda alert: (
                not alert.subject.condition.is_others
                and (alert.subject.environment != environment or not self._is_watched(alert, watched))
            )
        )

    def targets(self, source: str) -> set[str]:
        """The targets of that source that have alerts which are pending or open."""
        return {
            alert.subject.target
            for alert in self._live.of_source(source)
            if alert.status is not Status.RESOLVED
        }

    async def release_targets(self, source: str, targets: Collection[str]) -> None:
        """End the alerts of those targets: the source no longer finds them."""
        await self._release(lambda alert: alert.subject.source == source and alert.subject.target in targets)

    async def _release(self, gone: Callable[[Alert], bool]) -> None:
        def decide() -> list[Made]:
            alerts = [alert for alert in self._live if gone(alert)]
            return [self._cases.decide_now(alert, Unwatched()) for alert in alerts]

        await self._cases.settled(decide)

    def _is_watched(self, alert: Alert, sources: set[str]) -> bool:
        if alert.subject.source not in sources:
            return False
        return alert.subject.condition is not Condition.THRESHOLD or self._cases.rule(alert).bands is not None

    def _is_quiet(self, observation: Observation) -> bool:
        """Whether nothing is known of the subject and the check is good: the usual case, decided cheaply."""
        event, rule = observation.event, observation.rule
        if self._live.get(observation.subject.key) is not None:
            return False
        return isinstance(event, Measured) and (
            observation.subject.condition is Condition.NO_DATA
            or rule.bands is None
            or rule.bands.level_of(event.value) is None
        )

    def _covered_anew(self, alert: Alert, now: datetime) -> bool:
        cover = self._cases.around(alert).cover(alert.level, now, alert.broken)
        if cover is None:
            return alert.cover is not None
        moved = alert.cover is not None and cover.until != alert.cover.until
        return moved or not cover.same_as(alert.cover)

    async def _in_parts(self, alerts: Sequence[Alert], event: Callable[[Alert], Event | None]) -> int:
        """What an event makes of each of the alerts as it is when its turn comes; for how many there was one.

        A part is a transaction: in a storm there are thousands, and checks and clicks must not wait for all.
        """

        def decide(part: Sequence[Alert]) -> list[Made]:
            known = (self._live.by_id(alert.id) for alert in part)
            asked = [(alert, event(alert)) for alert in known if alert is not None]
            return [self._cases.decide_now(alert, each) for alert, each in asked if each is not None]

        count = 0
        for start in range(0, len(alerts), DUE_AT_ONCE):
            part = alerts[start : start + DUE_AT_ONCE]
            count += len(await self._cases.settled(partial(decide, part)))
        return count

    async def _asked(self, alert_id: int, event: Callable[[Alert], Event]) -> Decision:
        """What an event that names an alert by its number makes of it."""

        def decide() -> list[Made]:
            alert = self._live.by_id(alert_id)
            return [] if alert is None else [self._cases.decide_now(alert, event(alert))]

        for made in await self._cases.settled(decide):
            return made.decision
        return Decision(await self._ledger.store.alert(alert_id), (), Reason.NOT_OPEN)


def _of(alert: Alert, version: int | None) -> int:
    return alert.version if version is None else version


def _outcome(made: Sequence[Made]) -> ReportOutcome:
    counts = Counter(_became(each) for each in made)
    return ReportOutcome(
        opened=counts["opened"],
        resolved=counts["resolved"],
        repeated=counts["repeated"],
        changed=counts["changed"],
    )


def _became(made: Made) -> str:
    before, after = made.before, made.decision.alert
    was_open, is_open = (alert is not None and alert.status.is_open for alert in (before, after))
    if was_open is not is_open:
        return "opened" if is_open else "resolved"
    same = before is not None and after is not None and before.version == after.version
    return "repeated" if same or not is_open else "changed"
