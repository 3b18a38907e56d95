"""The alert desk alone, on the database FILE that was stocked at BEGAN: ticks with nothing due and ticks with
steps of ladders due by turns, ROUNDS times each. The letters that come of it are queued; nobody sends them.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

from bench.stocked import CHANNEL, FIRST_DUE
from bot.config import RuleBook, Settings
from bot.domain.letters import Card, Letter
from bot.domain.routing import default_routes
from bot.engine.delivery import Arrived
from bot.engine.desk import AlertDesk
from bot.engine.ledger import Ledger
from bot.engine.maintenance import Maintenance
from bot.engine.outbox import Outbox
from bot.engine.silences import Silences
from bot.engine.surroundings import SurroundingsBook
from bot.logs import configure_logs
from bot.store.database import Database
from bot.store.maintenance import MaintenanceStore
from bot.store.silences import SilenceStore
from bot.store.store import Store


class _Nobody:
    """A courier who is never called."""

    async def post(self, letter: Letter, thread: Card | None, delivery_ms: int) -> Arrived:
        raise NotImplementedError

    async def edit(self, letter: Letter, card: Card) -> None:
        raise NotImplementedError

    async def find(self, letter: Letter, thread: Card | None) -> Arrived | None:
        raise NotImplementedError


class _Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


async def _run(file: Path, began_at: datetime, rounds: int) -> dict[str, list[float]]:
    clock = _Clock(began_at + FIRST_DUE - timedelta(seconds=60))
    database = await Database.open(f"sqlite+aiosqlite:///{file}")
    ledger = Ledger(Store(database), clock)
    outbox = Outbox(ledger, _Nobody(), clock)
    silences = Silences(SilenceStore(database), clock)
    book = SurroundingsBook(default_routes(CHANNEL), silences, Maintenance(MaintenanceStore(database), clock))
    desk = AlertDesk(ledger, outbox, clock, CHANNEL, RuleBook(Settings()), book)
    began = time.perf_counter()
    await outbox.load()
    await desk.load()
    told: dict[str, list[float]] = {"load": [time.perf_counter() - began], "quiet": [], "due": [], "done": []}
    gc.freeze()  # as the Guardian does at its start
    for _ in range(rounds):
        for what in ("quiet", "due"):
            clock.now += timedelta(seconds=30)
            began = time.perf_counter()
            told["done"].append(await desk.tick())
            told[what].append(time.perf_counter() - began)
    await database.close()
    return told


if __name__ == "__main__":
    configure_logs("info", "console")  # a line for each page is part of the work
    _moment = datetime.fromisoformat(sys.argv[2])
    print(json.dumps(asyncio.run(_run(Path(sys.argv[1]), _moment, int(sys.argv[3])))))
