"""A program that does one approved operation with real durable runs, slowly, and may be killed at any moment.

`python -m tests.engine.operations.killed FOLDER FAIL`: it says `ready` when it has begun, and how it ended.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import structlog

from bot.domain.operations.approval import OPEN, Click
from bot.domain.operations.plan import JsonObject, Plan, Step
from bot.engine.clock import utc_now
from bot.engine.operations.contract import Work
from bot.engine.operations.durable import DbosRuns
from bot.store.database import Database
from tests.engine.operations.jobs import BOB, Chest, open_yard
from tests.engine.support import SetClock

WORDS = "one two three four five six"


class SlowChest(Chest):
    """Writes down what it does, before and after, and takes its time in between."""

    async def do(self, plan: Plan, step: Step, work: Work) -> JsonObject:
        """Put a word, slowly."""
        word = str(step.params["word"])
        self._note(f"begin {word}")
        await asyncio.sleep(0.02)
        result = await super().do(plan, step, work)
        await asyncio.sleep(0.02)
        self._note(f"end {word}")
        return result

    async def undo(self, plan: Plan, step: Step, work: Work) -> JsonObject:
        """Take it out again, slowly."""
        await asyncio.sleep(0.02)
        result = await super().undo(plan, step, work)
        self._note(f"undone {step.params['word']}")
        return result

    def _note(self, line: str) -> None:
        with (self.folder.parent / "journal").open("a", encoding="utf-8") as journal:
            journal.write(line + "\n")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def main(folder: Path, fail: str) -> None:
    """Go on with the operation that there is, or ask for one and approve it."""
    url = f"sqlite+aiosqlite:///{folder / 'guardian.db'}"
    database = await Database.open(url)
    chest = SlowChest(folder / "chest")
    chest.breaks = {fail} if fail != "-" else set()
    clock = SetClock(utc_now())
    async with open_yard(
        database, chest.folder, clock, chest=chest, runs=lambda body: DbosRuns(url, body)
    ) as yard:
        _say("ready")
        latest = await yard.store.latest(1)
        if not latest:
            await yard.ask(WORDS)
            latest = await yard.store.latest(1)
        record = latest[0]
        if record.decided_by is None:
            await yard.desk.press(Click.APPROVE, record.id, record.plan_hash, BOB)
        while (record := await yard.record(record.id)).state in OPEN:  # noqa: ASYNC110 - as in `until`
            await asyncio.sleep(0.01)
        await yard.audit.flush()
        _say(f"over {record.state.value}")
    await database.close()


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
