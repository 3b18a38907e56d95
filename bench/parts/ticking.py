"""The alert desk alone, with OPEN alerts: ticks with nothing due, and with DUE steps of ladders due, ROUNDS
times each. The letters that come of it are written and queued; nobody sends them."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.stocked import CHANNEL, stock
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


async def _run(folder: Path, still_open: int, due: int, rounds: int) -> dict[str, list[float]]:
    clock = _Clock(datetime.now(UTC))
    routes = default_routes(CHANNEL)
    url = f"sqlite+aiosqlite:///{folder / 'guardian.db'}"
    await stock(url, 0, still_open, clock.now, routes.default.policy, due)
    database = await Database.open(url)
    ledger = Ledger(Store(database), clock)
    outbox = Outbox(ledger, _Nobody(), clock)
    book = SurroundingsBook(
        routes, Silences(SilenceStore(database), clock), Maintenance(MaintenanceStore(database), clock)
    )
    desk = AlertDesk(ledger, outbox, clock, CHANNEL, RuleBook(Settings()), book)
    began = time.perf_counter()
    await desk.load()
    told: dict[str, list[float]] = {"load": [time.perf_counter() - began], "quiet": [], "due": [], "done": []}
    gc.freeze()
    for _ in range(rounds):
        clock.now += timedelta(seconds=30)
        for what in ("quiet", "due"):
            began = time.perf_counter()
            done = await desk.tick()
            told[what].append(time.perf_counter() - began)
            told["done"].append(done)
            clock.now += timedelta(seconds=30 if what == "quiet" else 0)
    await database.close()
    return told


if __name__ == "__main__":
    configure_logs("info", "console")  # a line for each page is part of the work
    with tempfile.TemporaryDirectory(prefix="guardian-bench-") as name:
        print(json.dumps(asyncio.run(_run(Path(name), *map(int, sys.argv[1:4])))))
