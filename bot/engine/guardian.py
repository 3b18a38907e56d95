"""What one can ask the Guardian, and tell it: the face that commands and buttons talk to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.alerts.cards import alert_facts, stream_of
from bot.domain.alerts.model import Alert, Decision
from bot.domain.levels import system_state
from bot.engine.board import Board
from bot.engine.clock import Clock
from bot.engine.desk import AlertDesk
from bot.engine.ledger import Ledger
from bot.engine.outbox import Outbox
from bot.store.changes import DecisionMade
from messages.facts import AlertFacts, DecisionFacts, ProbeFacts, ReadingFacts, StatusFacts

_DECISIONS_SHOWN = 30


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
    ) -> None:
        self.identity = identity
        self._board = board
        self._desk = desk
        self._outbox = outbox
        self._ledger = ledger
        self._clock = clock

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
            alerts=tuple(self._facts(alert) for alert in self._desk.open()),
            probes=self._board.size,
            probes_failing=self._board.failing,
            undelivered=self._outbox.unsent,
            dead_letters=self._outbox.dead,
            store_problem=self._ledger.problem,
        )

    def probes(self) -> tuple[ProbeFacts, ...]:
        """Every probe with its last readings."""
        return self._board.probes()

    def open_alerts(self) -> tuple[AlertFacts, ...]:
        """Open alerts, worst first."""
        return tuple(self._facts(alert) for alert in self._desk.open())

    async def recent_alerts(self, limit: int) -> tuple[AlertFacts, ...]:
        """The latest alerts, open or over, newest first. Raises StoreUnavailable."""
        return tuple(self._facts(alert) for alert in await self._ledger.store.recent_alerts(limit))

    async def alert(self, alert_id: int) -> tuple[AlertFacts, tuple[DecisionFacts, ...]] | None:
        """One alert with the latest decisions about it; None if there is no such alert.

        Raises StoreUnavailable.
        """
        alert = await self._ledger.store.alert(alert_id)
        if alert is None:
            return None
        decisions = await self._ledger.store.decisions(alert_id, _DECISIONS_SHOWN)
        return self._facts(alert), tuple(_decision_facts(decision) for decision in decisions)

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
        return decision, None if decision.alert is None else self._facts(decision.alert)

    def _readings(self) -> tuple[ReadingFacts, ...]:
        waiting = self._desk.waiting()
        if not waiting:
            return self._board.readings()
        return tuple(
            replace(reading, waiting=bool(reading.level) and (reading.metric, reading.target) in waiting)
            for reading in self._board.readings()
        )

    def _facts(self, alert: Alert) -> AlertFacts:
        card = self._outbox.card(stream_of(alert))
        return alert_facts(alert, card.delivery_ms if card else None)


def _decision_facts(decision: DecisionMade) -> DecisionFacts:
    return DecisionFacts(
        at=decision.at.isoformat(),
        event=decision.event,
        reason=decision.reason.value,
        from_status=decision.from_status.value if decision.from_status else "ok",
        to_status=decision.to_status.value,
        level=decision.level.word,
        actor=decision.actor,
        values={"value": decision.value} if decision.value is not None else {},
    )
