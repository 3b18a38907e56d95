"""An operation that is imported and made when somebody first asks for it: what it needs costs memory for as
long as the Guardian runs, and most days nobody asks.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.domain.operations.plan import JsonObject, Plan, Step
from bot.engine.operations.contract import Operation, Work


class Lazily:
    """Keeps the contract of `Operation` by the one that `make` gives."""

    def __init__(self, name: str, make: Callable[[], Operation]) -> None:
        """`make` is called every time: it keeps what it has made."""
        self.name = name
        self._make = make

    async def plan(self, request: JsonObject, at: datetime) -> Plan:
        """As `Operation` has it."""
        return await self._make().plan(request, at)

    async def do(self, plan: Plan, step: Step, work: Work) -> JsonObject:
        """As `Operation` has it."""
        return await self._make().do(plan, step, work)

    async def undo(self, plan: Plan, step: Step, work: Work) -> JsonObject:
        """As `Operation` has it."""
        return await self._make().undo(plan, step, work)
