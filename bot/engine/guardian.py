"""What one can ask the Guardian, and tell it: the face that commands and buttons talk to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import JsonValue

from bot.domain.alerts.facts import recipient_facts
from bot.domain.alerts.model import Alert, Decision
from bot.domain.alerts.reasons import Reason
from bot.domain.audit import Action, Outcome
from bot.domain.levels import system_state
from bot.domain.matchers import Matcher
from bot.engine.audit import UNAUDITED, Audit, AuditBook
from bot.engine.board import Board
from bot.engine.clock import Clock
from bot.engine.covers import Covers
from bot.engine.deploy.choices import Deployments
from bot.engine.desk import AlertDesk
from bot.engine.heartbeats import Heartbeats
from bot.engine.ledger import Ledger
from bot.engine.noise import NoiseBook
from bot.engine.operations.desk import OperationDesk
from bot.engine.operations.locks import LockBook
from bot.engine.outbox import Outbox
from bot.engine.roster import Roster
from bot.store.changes import DecisionMade, PageMade
from messages.backup_facts import BackupStatusFacts
from messages.elsewhere_facts import HeartbeatFacts
from messages.facts import (
    AlertFacts,
    DecisionFacts,
    ExplainFacts,
    PageMadeFacts,
    ProbeFacts,
    ReadingFacts,
    StatusFacts,
)
from messages.insight_facts import NoiseFacts, RatingFacts

_DECISIONS_SHOWN = 30
_DECISIONS_EXPLAINED = 400
_OPEN_SHOWN = 20
"""Open alerts in a status; it is asked for often, and in a storm there are thousands."""
_LOOKED_AT = 5000
STATUS = "status"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this Guardian is."""

    host: str
    environment: str
    version: str
    started_at: datetime


class Guardian:
    """Answers questions about the watch with facts, and passes on what people decide."""

    def __init__(
        self,
        identity: Identity,
        board: Board,
        desk: AlertDesk,
        outbox: Outbox,
        ledger: Ledger,
        clock: Clock,
        heartbeats: Heartbeats | None = None,
        noise: NoiseBook | None = None,
        covers: Covers | None = None,
        audit: AuditBook | None = None,
    ) -> None:
        self.identity = identity
        self._board = board
        self._desk = desk
        self._outbox = outbox
        self._ledger = ledger
        self._clock = clock
        self.duty: Roster | None = None
        """who is on call; None without schedules"""
        self.operations: OperationDesk | None = None
        """None where nothing is operated, as in a simulation"""
        self.locks: LockBook | None = None
        self.backups: Callable[[str], Awaitable[BackupStatusFacts | None]] | None = None
        """how the backups stand, for a slash command; its answer is None without any"""
        self.deployments: Deployments | None = None
        """what can be deployed, and how that stands; None where nothing is deployed"""
        self._heartbeats = heartbeats
        self._noise = noise
        self._covers = covers
        self._audit = audit
        self._notes: Audit = UNAUDITED if audit is None else audit

    def status(self) -> StatusFacts:
        """The system as a whole, now, to the second: nobody reads more."""
        return StatusFacts(
            state=system_state(self._desk.levels()).value,
            host=self.identity.host,
            environment=self.identity.environment,
            version=self.identity.version,
            at=self._clock().replace(microsecond=0).isoformat(),
            started_at=self.identity.started_at.isoformat(),
            readings=self._readings(),
            alerts=tuple(self._facts(alert) for alert in self._desk.open()[:_OPEN_SHOWN]),
            alerts_open=Counter(level.word for level in self._desk.levels()),
            probes=self._board.size,
            probes_failing=self._board.failing,
            undelivered=self._outbox.unsent,
            dead_letters=self._outbox.dead,
            store_problem=self._ledger.problem,
        )

    def probes(self) -> tuple[ProbeFacts, ...]:
        """Every probe with its last readings."""
        return self._board.probes()

    def heartbeats(self) -> tuple[HeartbeatFacts, ...]:
        """Every job that must report: bad ones first, then by what is due next."""
        return () if self._heartbeats is None else self._heartbeats.facts(self._clock())

    async def noise(self, days: int) -> NoiseFacts:
        """What every rule cost in the last days and what it was worth, worst first.

        Raises StoreUnavailable.
        """
        return await self._noise_book().report(days)

    async def rate(self, alert_id: int, by: str, useful: bool) -> RatingFacts | None:
        """Somebody says whether an alert was right; None if there is no such alert.

        Raises StoreUnavailable.
        """
        return await self._noise_book().rate(alert_id, by, useful)

    def open_alerts(self, limit: int, matcher: Matcher | None = None) -> tuple[tuple[AlertFacts, ...], int]:
        """Open alerts, worst first, at most `limit`, and how many there are. `status` is among the labels
        that a matcher can ask for."""
        found = [
            alert
            for alert in self._desk.open()
            if matcher is None or matcher.matches({**alert.labels, STATUS: alert.status.value}, alert.level)
        ]
        return tuple(self._facts(alert) for alert in found[:limit]), len(found)

    async def recent_alerts(self, limit: int, matcher: Matcher | None = None) -> tuple[AlertFacts, ...]:
        """The latest alerts, open or over, newest first; with a matcher those of the latest 5,000 that it
        matches. Raises StoreUnavailable."""
        store = self._ledger.store
        if matcher is None:
            found = await store.recent_alerts(limit)
        else:
            found = await store.recent_matching(limit, matcher.matches, _LOOKED_AT)
        return tuple(self._facts(alert) for alert in found)

    async def alert(self, alert_id: int) -> tuple[AlertFacts, tuple[DecisionFacts, ...]] | None:
        """One alert with the latest decisions about it; None if there is no such alert.

        Raises StoreUnavailable.
        """
        alert = await self._ledger.store.alert(alert_id)
        if alert is None:
            return None
        decisions = await self._ledger.store.decisions(alert_id, _DECISIONS_SHOWN)
        return self._facts(alert), tuple(_decision_facts(decision, alert.unit) for decision in decisions)

    async def explain(self, alert_id: int) -> ExplainFacts | None:
        """One alert with every decision about it and every page; None if there is no such alert.

        Raises StoreUnavailable.
        """
        store = self._ledger.store
        alert = self._desk.alert(alert_id) or await store.alert(alert_id)
        if alert is None:
            return None
        decisions = await store.decisions(alert_id, _DECISIONS_EXPLAINED)
        return ExplainFacts(
            alert=self._facts(alert),
            decisions=tuple(_decision_facts(decision, alert.unit) for decision in decisions),
            pages=tuple(_page_facts(page) for page in await store.pages(alert_id)),
            more=await store.decision_count(alert_id) - len(decisions),
        )

    def delivery_problems(self) -> dict[str, str]:
        """Why Slack takes no letters just now: Slack's word for it, by channel (`edits` for all edits)."""
        return dict(self._outbox.failing)

    @property
    def delivery_fails(self) -> bool:
        """Whether Slack takes no letters just now, so that cards don't show what has been decided."""
        return bool(self._outbox.failing)

    async def acknowledge(self, alert_id: int, by: str, version: int) -> tuple[Decision, AlertFacts | None]:
        """Someone pressed 확인: the decision, and the alert as it is now (None: there is no such alert)."""
        decision = await self._desk.acknowledge(alert_id, by, version)
        if decision.reason is Reason.ACKED and decision.alert is not None:
            self._note_alert(by, Action.ALERT_ACKNOWLEDGE, decision.alert)
        return decision, None if decision.alert is None else self._facts(decision.alert)

    async def resolve(
        self, alert_id: int, by: str, version: int | None
    ) -> tuple[Decision, AlertFacts | None]:
        """Someone says that it is over: the decision, and the alert as it is now."""
        decision = await self._desk.resolve(alert_id, by, version)
        if decision.alert is not None and decision.reason is Reason.RESOLVED_BY_HAND:
            self._note_alert(by, Action.ALERT_RESOLVE, decision.alert)
        elif decision.alert is not None and decision.reason is Reason.STILL_BAD:
            self._note_alert(by, Action.ALERT_RESOLVE, decision.alert, Outcome.REFUSED)
        return decision, None if decision.alert is None else self._facts(decision.alert)

    async def acknowledge_storm(self, storm_id: int, by: str) -> int:
        """Someone takes all alerts of a storm; how many those were."""
        count = await self._desk.acknowledge_storm(storm_id, by)
        if count:
            detail = {"alerts": count}
            self._notes.note(by, Action.STORM_ACKNOWLEDGE, f"storm:{storm_id}", detail=detail)
        return count

    async def wrote(self, channel_id: str, thread_ts: str, by: str) -> None:
        """Someone wrote in a thread: if it is an alert's or a storm's, they have seen what that is about.

        Raises StoreUnavailable.
        """
        stream = await self._ledger.store.stream_at(channel_id, thread_ts)
        match (stream or "").split(":"):
            # A page into another channel has a stream of its own behind the alert's.
            case ["alert", number, *_] if number.isdecimal():
                await self._desk.active(int(number), by)
            case ["storm", number] if number.isdecimal():
                await self._desk.active_in_storm(int(number), by)

    async def card_deleted(self, channel_id: str, ts: str) -> None:
        """Somebody deleted a message: if it was a card, nobody is called in its thread any more.

        Raises StoreUnavailable.
        """
        stream = await self._ledger.store.stream_at(channel_id, ts)
        if stream is not None:
            await self._outbox.lose_card(stream, ts)

    @property
    def covers(self) -> Covers:
        """Silences, maintenance windows and routes."""
        if self._covers is None:
            raise LookupError("this Guardian was made without covers")
        return self._covers

    @property
    def audit(self) -> AuditBook:
        """What people did."""
        if self._audit is None:
            raise LookupError("this Guardian was made without an audit book")
        return self._audit

    def _note_alert(self, by: str, action: Action, alert: Alert, outcome: Outcome = Outcome.DONE) -> None:
        subject = alert.subject
        detail: dict[str, str] = {
            "metric": subject.metric,
            "target": subject.target,
            "level": alert.level.word,
        }
        if outcome is Outcome.REFUSED:
            detail["why"] = Reason.STILL_BAD.value
        self._notes.note(by, action, f"alert:{alert.id}", outcome, detail=detail)

    def _noise_book(self) -> NoiseBook:
        if self._noise is None:
            raise LookupError("this Guardian was made without a noise book")
        return self._noise

    def _readings(self) -> tuple[ReadingFacts, ...]:
        waiting = self._desk.waiting()
        if not waiting:
            return self._board.readings()
        return tuple(
            replace(reading, waiting=bool(reading.level) and (reading.metric, reading.target) in waiting)
            for reading in self._board.readings()
        )

    def _facts(self, alert: Alert) -> AlertFacts:
        return self._desk.facts(alert)


def _decision_facts(decision: DecisionMade, unit: str) -> DecisionFacts:
    values: dict[str, JsonValue] = {"level": decision.level.word}
    if decision.value is not None:
        values |= {"value": decision.value, "unit": unit}
    if decision.detail is not None:
        values |= _about(decision.detail)
    return DecisionFacts(
        at=decision.at.isoformat(),
        event=decision.event,
        reason=decision.reason.value,
        from_status=decision.from_status.value if decision.from_status else "ok",
        to_status=decision.to_status.value,
        level=decision.level.word,
        actor=decision.actor,
        values=values,
    )


def _about(detail: str) -> dict[str, JsonValue]:
    """What a decision was about beside the alert (`DecisionMade.detail`), by the names of the sentences."""
    kind, _, ref = detail.partition(":")
    match kind:
        case "storm":
            return {"storm": ref}
        case "step":
            place, _, meant = ref.partition(":")
            number, _, step = place.partition(".")
            return {"round": int(number), "step": int(step), "meant": [*meant.split("\n")]}
    return {"cover": kind, "ref": ref}


def _page_facts(page: PageMade) -> PageMadeFacts:
    return PageMadeFacts(
        at=page.at.isoformat(),
        round=page.round,
        step=page.step,
        level=page.level.word,
        recipients=recipient_facts(page.recipients),
    )
