"""A desk with checks to hand in."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.alerts.model import Condition, Measured, Missed, Rule
from bot.engine.desk import AlertDesk, Observation
from bot.engine.ledger import Ledger
from bot.engine.outbox import Outbox
from bot.store.store import Store
from probes.base import Layer
from tests.engine.support import QUICK, FakeSlack, Office, SetClock
from tests.factories import CPU, TIMEOUT, rule, seen, subject


@dataclass(frozen=True)
class CpuRules:
    """Bands for cpu_usage only."""

    def rule_for(self, metric: str, target: str, layer: Layer) -> Rule:
        return Rule(metric, layer, CPU if metric == "cpu_usage" else None)


@dataclass
class OneRule:
    """The same rule for everything."""

    rule: Rule

    def rule_for(self, metric: str, target: str, layer: Layer) -> Rule:
        return self.rule


@dataclass
class Watch:
    """A desk with its outbox, and checks to hand in."""

    desk: AlertDesk
    outbox: Outbox
    ledger: Ledger
    clock: SetClock
    rules: OneRule

    @classmethod
    async def begins(cls, store: Store, clock: SetClock, office: Office | None = None) -> Watch:
        """As at the start of a process; letters wait when there is no office."""
        if office is None:
            ledger = Ledger(store, clock)
            outbox = Outbox(ledger, FakeSlack(), clock, QUICK)
            await outbox.load()
        else:
            ledger, outbox = office.ledger, office.outbox
        rules = OneRule(rule())
        desk = AlertDesk(ledger, outbox, clock, "guardian-alerts", rules)
        await desk.load()
        return cls(desk, outbox, ledger, clock, rules)

    async def check(self, *values: float | None, target: str = "web-1") -> list[str]:
        """Checks 15 s apart; what people see."""
        told: list[str] = []
        for value in values:
            self.clock.forward(seconds=15)
            told += seen((await self.desk.judge([self.observation(value, target)]))[0])
        return told

    def observation(self, value: float | None, target: str = "web-1") -> Observation:
        """One check now."""
        if value is None:
            missed = Missed(TIMEOUT, self.clock.now)
            return Observation(self.rules.rule, subject(Condition.NO_DATA, target), missed)
        return Observation(
            self.rules.rule, subject(target=target), Measured(value, self.clock.now, {"largest": "x"})
        )
