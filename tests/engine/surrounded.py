"""A desk whose alerts have surroundings: services, routes, silences, windows."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bot.domain.alerts.ladder import Policy
from bot.domain.alerts.model import Measured
from bot.domain.alerts.surroundings import Route
from bot.domain.inhibition import Inhibition
from bot.domain.labels import Service, Services
from bot.domain.matcher_notation import parse
from bot.domain.routing import RouteRule, Routes, default_routes
from bot.engine.board import Board
from bot.engine.covers import Covers
from bot.engine.desk import AlertDesk, Observation
from bot.engine.ledger import Ledger
from bot.engine.maintenance import Maintenance
from bot.engine.outbox import Outbox
from bot.engine.silences import Silences
from bot.engine.surroundings import NOBODY, Duty, People, SurroundingsBook
from bot.store.database import Database
from bot.store.maintenance import MaintenanceStore
from bot.store.silences import SilenceStore
from bot.store.store import Store
from tests.engine.support import QUICK, FakeSlack, SetClock
from tests.engine.watching import OneRule
from tests.factories import rule, seen, subject

SERVICES = Services(
    (
        Service("database", targets=("db-*",)),
        Service("shop", targets=("web-*",), depends_on=("database",), labels={"team": "store"}),
    ),
    host="web-1",
)
ROUTES = Routes(
    (RouteRule(parse("service=shop, level>=critical"), Route("loud", Policy("night"), "loud")),),
    default_routes("guardian-alerts").default,
)


@dataclass
class Surrounded:
    """The desk, its book, and what people can ask."""

    desk: AlertDesk
    book: SurroundingsBook
    covers: Covers
    clock: SetClock
    rules: OneRule
    outbox: Outbox
    ledger: Ledger

    @classmethod
    async def begins(
        cls,
        database: Database,
        clock: SetClock,
        duty: Duty = NOBODY,
        people: People = NOBODY,
        board: Board | None = None,
    ) -> Surrounded:
        """As at the start of a process."""
        ledger = Ledger(Store(database), clock)
        outbox = Outbox(ledger, FakeSlack(), clock, QUICK)
        await outbox.load()
        silences = Silences(SilenceStore(database), clock)
        maintenance = Maintenance(MaintenanceStore(database), clock)
        await silences.load()
        await maintenance.load()
        book = SurroundingsBook(ROUTES, silences, maintenance, SERVICES, Inhibition(SERVICES), duty, people)
        rules = OneRule(rule())
        desk = AlertDesk(ledger, outbox, clock, "guardian-alerts", rules, book)
        await desk.load()
        covers = Covers(book, desk, clock, ZoneInfo("Asia/Seoul"), "test", "/guardian", board)
        return cls(desk, book, covers, clock, rules, outbox, ledger)

    async def check(self, *values: float, target: str = "web-1") -> list[str]:
        """Checks 15 s apart; what people see."""
        told: list[str] = []
        for value in values:
            self.clock.forward(seconds=15)
            about = subject(target=target, source=f"cpu:{target}")
            observation = Observation(self.rules.rule, about, Measured(value, self.clock.now))
            told += seen((await self.desk.judge([observation]))[0])
        return told
