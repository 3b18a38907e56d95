"""A program that races others like it for the same operations in one database.

`python -m tests.store.racing URL SEED COUNT`: it says `ready`, waits for a line, tries to approve each of the
operations and then to start each, and says which it won.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys

from bot.domain.operations.approval import State
from bot.domain.operations.locks import Lock
from bot.store.also import all_of
from bot.store.database import Database
from bot.store.operation_locks import LockStore
from bot.store.operations import OperationStore
from tests.factories import T0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def main(url: str, seed: int, count: int) -> None:
    """Race."""
    database = await Database.open(url)
    store, locks = OperationStore(database), LockStore(database)
    _say("ready")
    sys.stdin.readline()
    numbers = list(range(1, count + 1))
    random.Random(seed).shuffle(numbers)  # noqa: S311 - no secret
    who = f"U{seed}"
    approved = [
        number
        for number in numbers
        if await store.write(store.moving(number, [State.PENDING], State.QUEUED, decided_by=who))
    ]
    started = []
    for number in numbers:
        lock = Lock("subject", 0, who, T0, number)
        start = store.moving(number, [State.QUEUED], State.RUNNING)
        if await store.write(all_of(start, locks.taking(lock))):
            started.append(number)
    await database.close()
    _say(json.dumps([approved, started]))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
