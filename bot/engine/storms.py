"""Storms at work: which new alerts are folded, and the letters that tell of those that are.

The parent card is drawn again at most every ten seconds. What happens to folded alerts goes into its thread,
every alert by name, in as few messages as can be: lines that wait are one letter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.alerts.cards import is_loud, places, priority_of
from bot.domain.alerts.facts import SERVICE, recipient_facts, storm_line
from bot.domain.alerts.ladder import Recipient
from bot.domain.alerts.model import Alert, Decision, EditCard, Page, PostCard, Status
from bot.domain.alerts.storm import EDIT_EVERY, Newcomer, Storm, Weather, arrive, ends_at, passed
from bot.domain.letters import Letter, LetterKind, Priority
from bot.domain.levels import Level
from bot.engine.records import Made
from bot.engine.storm_digests import MORE_BELOW, Digest, worst_of
from bot.store.changes import Change, StormSaved
from messages.facts import Facts, StormDigestFacts, StormFacts, StormGroup, StormPageFacts

_GROUPS_SHOWN = 20
_MERGED_WITHIN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Told:
    """Letters to send, those that they replace, and what else is to be written."""

    letters: tuple[Letter, ...] = ()
    superseded: tuple[int, ...] = ()
    changes: tuple[Change, ...] = ()


def storm_stream(storm_id: int) -> str:
    """The stream of a storm's card and its thread."""
    return f"storm:{storm_id}"


class Storms:
    """The weather of every channel."""

    def __init__(
        self,
        waiting: Callable[[str], Letter | None],
        members: Callable[[], Iterable[Alert]],
        ids: Callable[[], Iterator[int]],
        next_page: Callable[[Alert], tuple[datetime, tuple[Recipient, ...]] | None] = lambda alert: None,
    ) -> None:
        """`waiting` gives the last letter of a stream that is not under way yet, `members` all alerts that
        can still move, `ids` numbers for letters, `next_page` when an alert calls whom next."""
        self._waiting = waiting
        self._members = members
        self._ids = ids
        self._next_page = next_page
        self._weather: dict[str, Weather] = {}
        self._storms: dict[int, Storm] = {}
        self._dirty: set[int] = set()
        self._drawn_at: dict[int, datetime] = {}
        self._over: list[Storm] = []
        self._last_id = 0

    def load(self, storms: Sequence[Storm], alerts: Iterable[Alert], last_id: int, now: datetime) -> None:
        """Begin with the storms of the database that are not over, and the alerts that opened lately. `now`
        tells whether the clock was put back meanwhile."""
        alerts = list(alerts)
        gathering = {alert.storm for alert in alerts}
        self._last_id = last_id
        arrivals: defaultdict[str, list[tuple[datetime, str]]] = defaultdict(list)
        for alert in alerts:
            if alert.fired_at is not None and alert.carded:
                arrivals[alert.channel].append((alert.fired_at, alert.labels.get(SERVICE, "")))
        self._weather = {channel: Weather(tuple(sorted(moments))) for channel, moments in arrivals.items()}
        for storm in storms:
            self._storms[storm.id] = storm
            # A storm is written down together with its card: that is there, and gets no second one. It may
            # show less than is known: whatever ended the Guardian may have come before the next drawing.
            self._drawn_at[storm.id] = storm.began_at
            if storm.id in gathering:
                self._dirty.add(storm.id)
            if storm.ended_at is None:
                weather = self._weather.get(storm.channel, Weather())
                self._weather[storm.channel] = replace(weather, storm=storm)
        latest = max((alert.last_at for alert in alerts), default=now)
        if latest > now:
            self.clock_stepped(now - latest)
        for channel, weather in self._weather.items():
            self._weather[channel] = replace(weather, arrivals=_until(weather.arrivals, now))

    def clock_stepped(self, by: timedelta) -> list[Change]:
        """The clock was set: what came a minute ago still came a minute ago. What is to be written of it."""
        self._drawn_at = {storm_id: drawn + by for storm_id, drawn in self._drawn_at.items()}
        for channel, weather in self._weather.items():
            arrivals = tuple((moment + by, service) for moment, service in weather.arrivals)
            storm = weather.storm
            if storm is not None:
                storm = self._storms[storm.id] = replace(storm, busy_at=storm.busy_at + by)
            self._weather[channel] = Weather(arrivals, storm)
        return [StormSaved(weather.storm) for weather in self._weather.values() if weather.storm is not None]

    def snapshot(self) -> Callable[[], None]:
        """A call that makes everything as it is now, for when nothing could be written."""
        weather, storms, last = dict(self._weather), dict(self._storms), self._last_id
        dirty, drawn, over = set(self._dirty), dict(self._drawn_at), list(self._over)

        def restore() -> None:
            self._weather, self._storms, self._last_id = weather, storms, last
            self._dirty, self._drawn_at, self._over = dirty, drawn, over

        return restore

    def placed(self, made: Sequence[Made], channel: str) -> list[Made]:
        """The decisions with their new alerts folded where there is a storm. `channel` is for alerts that
        know none. An alert that becomes an emergency leaves its storm and gets a card of its own."""
        placed = [_unfolded(each) for each in made]
        newcomers: defaultdict[str, list[int]] = defaultdict(list)
        for number, each in enumerate(placed):
            alert = each.decision.alert
            if alert is not None and alert.storm is None and each.decision.posts:
                newcomers[alert.channel or channel].append(number)
        for place, numbers in newcomers.items():
            alerts = [alert for number in numbers if (alert := placed[number].decision.alert) is not None]
            now = placed[numbers[0]].telling.now
            for number, storm in zip(numbers, self._place(alerts, place, now), strict=True):
                if storm is not None:
                    placed[number] = _gathered(placed[number], storm)
        return _carried_on(made, placed)

    def _place(self, newcomers: Sequence[Alert], channel: str, now: datetime) -> list[int | None]:
        self._end_if_over(channel, now)
        placed = arrive(
            self._weather.get(channel, Weather()),
            [Newcomer(alert.labels.get(SERVICE, ""), alert.level) for alert in newcomers],
            self._last_id + 1,
            channel,
            now,
        )
        self._weather[channel] = placed.weather
        storm = placed.weather.storm
        if storm is None:
            return [None for _ in newcomers]
        self._storms[storm.id] = storm
        self._last_id = max(self._last_id, storm.id)
        self._dirty.add(storm.id)
        return [storm.id if folded else None for folded in placed.folded]

    def tell(self, made: Sequence[Made], now: datetime) -> Told:
        """The letters about what happened to folded alerts, after the card of a storm that has just begun."""
        letters: list[Letter] = []
        superseded: list[int] = []
        changes: list[Change] = self._take_over()
        for storm_id in sorted(self._dirty - self._drawn_at.keys()):
            letters.append(self._card(self._storms[storm_id], LetterKind.CARD, now))
            self._dirty.discard(storm_id)
            changes.append(StormSaved(self._storms[storm_id]))
        of_storm: defaultdict[int, list[Made]] = defaultdict(list)
        for each in made:
            alert = each.decision.alert
            if alert is not None and alert.storm in self._storms and each.decision.effects:
                of_storm[self._storms[alert.storm].id].append(each)
        for storm_id, events in of_storm.items():
            self._dirty.add(storm_id)
            storm = self._storms[storm_id]
            # Those that came along and got a card of their own too: one place has the name of every alert,
            # and it is read within seconds, however slowly the cards come.
            digest = Digest()
            for event in (*self._beside(storm, made), *events):
                digest.add(event.decision)
            for letter, old in self._digests(storm, digest, now):
                letters.append(letter)
                superseded += old
            letters += self._pages(storm, events, now)
            changes.append(StormSaved(storm))
        return Told(tuple(letters), tuple(superseded), tuple(changes))

    def _beside(self, storm: Storm, made: Sequence[Made]) -> Iterator[Made]:
        """The new alerts that have a card beside the storm's, as its channel has the storm now."""
        weather = self._weather.get(storm.channel)
        if weather is None or weather.storm is None or weather.storm.id != storm.id:
            return
        for each in made:
            alert = each.decision.alert
            if alert is None or alert.storm is not None or not each.decision.posts:
                continue
            if (alert.channel or storm.channel) == storm.channel:
                yield each

    def next_due(self) -> datetime | None:
        """When a card has to be drawn again or a storm may be over."""
        moments = [
            self._drawn_at[storm_id] + EDIT_EVERY for storm_id in self._dirty if storm_id in self._drawn_at
        ]
        moments += [ends_at(weather.storm) for weather in self._weather.values() if weather.storm]
        return min(moments, default=None)

    def tick(self, now: datetime) -> Told:
        """Draw the cards that have changed and end the storms that are over."""
        letters: list[Letter] = []
        for channel in list(self._weather):
            self._end_if_over(channel, now)
        changes = self._take_over()
        for storm_id in sorted(self._dirty):
            drawn = self._drawn_at.get(storm_id)
            if drawn is not None and timedelta(0) <= now - drawn < EDIT_EVERY:
                continue
            letters.append(self._card(self._storms[storm_id], LetterKind.EDIT, now))
            self._dirty.discard(storm_id)
        return Told(tuple(letters), (), tuple(changes))

    def _end_if_over(self, channel: str, now: datetime) -> None:
        """End the storm of that channel if it has been calm; its card is drawn once more, soon."""
        weather = self._weather.get(channel, Weather())
        calm = passed(weather, now)
        if calm is weather or weather.storm is None:
            return
        over = replace(weather.storm, ended_at=now)
        self._storms[over.id] = over
        self._weather[channel] = calm
        self._drawn_at[over.id] = now - EDIT_EVERY
        self._dirty.add(over.id)
        self._over.append(over)

    def _take_over(self) -> list[Change]:
        """The storms that have ended and are not written yet."""
        over, self._over = self._over, []
        return [StormSaved(storm) for storm in over]

    def facts(self, storm_id: int) -> StormFacts | None:
        """A storm as its card shows it; None if nothing is known of it any more."""
        storm = self._storms.get(storm_id)
        return None if storm is None else self._facts(storm)

    def folded(self, storm_id: int) -> list[Alert]:
        """The alerts that a storm gathers."""
        return [alert for alert in self._members() if alert.storm == storm_id]

    def _card(self, storm: Storm, kind: LetterKind, now: datetime) -> Letter:
        self._drawn_at[storm.id] = now
        facts = self._facts(storm)
        urgent = max(priority_of(Level.of(facts.level)), Priority.CRITICAL)
        return self._letter(storm, kind, "storm", facts, urgent, now)

    def _facts(self, storm: Storm) -> StormFacts:
        alerts = self.folded(storm.id)
        soonest = min(
            (alert for alert in alerts if alert.progress is not None and alert.progress.next_at is not None),
            key=lambda alert: (alert.progress and alert.progress.next_at) or storm.began_at,
            default=None,
        )
        following = None if soonest is None else self._next_page(soonest)
        seen = dict.fromkeys(who for alert in alerts for who in alert.seen_by)
        return replace(
            storm_facts(storm, alerts),
            next_page_at=following[0].isoformat() if following else None,
            next_page_to=recipient_facts(following[1]) if following else (),
            pages=max((alert.pages for alert in alerts), default=0),
            seen_by=tuple(seen)[:5],
        )

    def _digests(self, storm: Storm, news: Digest, now: datetime) -> Iterator[tuple[Letter, list[int]]]:
        """The news in letters, the first of them with those of a letter that still waits."""
        if not news:
            return
        digest = Digest()
        old: list[int] = []
        last = self._waiting(storm_stream(storm.id))
        since = now
        if last is not None and _takes_more(last, now):
            digest.add_letter(last)
            if digest.size < MORE_BELOW:
                old, since = [last.id], last.created_at
            else:
                digest = Digest()
        digest.add_all(news)
        for groups in digest.letters():
            facts, urgency = StormDigestFacts(storm.id, groups), priority_of(worst_of(groups))
            letter = self._letter(storm, LetterKind.NOTE, "storm_digest", facts, urgency, now)
            yield replace(letter, created_at=since, since=since), old
            old, since = [], now

    def _pages(self, storm: Storm, events: Sequence[Made], now: datetime) -> Iterator[Letter]:
        """One page for all alerts whose steps reach the same people now."""
        groups: defaultdict[tuple[Recipient, ...], list[Alert]] = defaultdict(list)
        for event in events:
            alert = event.decision.alert
            for effect in event.decision.effects:
                if isinstance(effect, Page) and alert is not None:
                    groups[effect.recipients].append(alert)
        for everybody, alerts in groups.items():
            alerts.sort(key=lambda alert: alert.id)
            lines = tuple(storm_line(alert, "paged") for alert in alerts[:_GROUPS_SHOWN])
            worst = max(alert.level for alert in alerts)
            for place, recipients in places(everybody, storm.channel):
                facts = StormPageFacts(storm.id, recipient_facts(recipients), lines, len(alerts))
                kind = LetterKind.NOTE if place is None else LetterKind.CARD
                letter = self._letter(storm, kind, "storm_page", facts, priority_of(worst), now)
                if place is None:
                    yield replace(letter, broadcast=is_loud(worst, recipients))
                else:
                    yield replace(letter, channel=place, stream=f"{letter.stream}:page:{letter.id}")

    def _letter(
        self, storm: Storm, kind: LetterKind, template: str, facts: Facts, priority: Priority, now: datetime
    ) -> Letter:
        return Letter(
            id=next(self._ids()),
            stream=storm_stream(storm.id),
            kind=kind,
            channel=storm.channel,
            template=template,
            facts=facts.as_json(),
            priority=priority,
            created_at=now,
            since=now,
        )


def _until(arrivals: tuple[tuple[datetime, str], ...], now: datetime) -> tuple[tuple[datetime, str], ...]:
    """Arrivals of before the clock was set back, which nobody moved: the last one came now at the latest."""
    ahead = max((moment for moment, _ in arrivals), default=now) - now
    return arrivals if ahead <= timedelta(0) else tuple((moment - ahead, each) for moment, each in arrivals)


def _takes_more(letter: Letter, now: datetime) -> bool:
    """Whether more may be added to a letter that waits: one that is old may have gone another way."""
    fresh = timedelta(0) <= now - letter.created_at < _MERGED_WITHIN
    known = letter.template == "storm_digest" and "groups" in letter.facts
    return known and letter.leased_until is None and fresh


def storm_facts(storm: Storm, alerts: Sequence[Alert]) -> StormFacts:
    """What the parent card shows: the alerts by service, the worst first."""
    services: defaultdict[str, list[Alert]] = defaultdict(list)
    for alert in alerts:
        services[alert.labels.get(SERVICE, "")].append(alert)
    groups = sorted(
        (_group(service, members) for service, members in services.items()),
        key=lambda group: (-Level.of(group.level), -group.open, group.service),
    )
    opened = [alert for alert in alerts if alert.status.is_open]
    worst = max((alert.level for alert in opened or alerts), default=Level.WARNING)
    return StormFacts(
        id=storm.id,
        began_at=storm.began_at.isoformat(),
        ended_at=storm.ended_at.isoformat() if storm.ended_at else None,
        folded=storm.folded,
        open=len(opened),
        acked=sum(alert.status is Status.ACKED for alert in opened),
        level=worst.word,
        groups=tuple(groups[:_GROUPS_SHOWN]),
        services=len(groups),
    )


def _group(service: str, alerts: Sequence[Alert]) -> StormGroup:
    opened = [alert for alert in alerts if alert.status.is_open]
    newest = max(alerts, key=lambda alert: alert.id)
    return StormGroup(
        service=service,
        level=max(alert.level for alert in opened or alerts).word,
        open=len(opened),
        resolved=len(alerts) - len(opened),
        acked=sum(alert.status is Status.ACKED for alert in opened),
        newest=newest.title or newest.subject.metric,
    )


def _unfolded(made: Made) -> Made:
    alert = made.decision.alert
    if alert is None or alert.storm is None or not made.decision.effects or alert.cover is not None:
        return made
    if alert.level is not Level.EMERGENCY or not alert.status.is_open:
        return made
    rest = [effect for effect in made.decision.effects if not isinstance(effect, EditCard)]
    apart = made.decision._replace(alert=alert._replace(storm=None), effects=(PostCard(), *rest))
    return made._replace(decision=apart)


def _gathered(made: Made, storm: int | None) -> Made:
    alert = made.decision.alert
    if alert is None:
        return made
    gathered = Decision(alert._replace(storm=storm), made.decision.effects, made.decision.reason)
    return made._replace(decision=gathered)


def _carried_on(made: Sequence[Made], placed: list[Made]) -> list[Made]:
    """`placed`, in which later decisions about an alert know where the earlier ones of the same transaction
    have put it: one payload may say two things about one alert."""
    where: dict[int, int | None] = {}
    for number, (before, after) in enumerate(zip(made, placed, strict=True)):
        alert = after.decision.alert
        if alert is None:
            continue
        if before is after and alert.id in where and alert.storm != where[alert.id]:
            storm = where[alert.id]
            known = None if after.before is None else after.before._replace(storm=storm)
            after = placed[number] = _unfolded(_gathered(after, storm)._replace(before=known))
            alert = after.decision.alert
        if before is not after and alert is not None:
            where[alert.id] = alert.storm
    return placed
