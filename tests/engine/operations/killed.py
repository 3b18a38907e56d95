"""A program that does approved operations with real durable runs, slowly, and may be killed at any moment.

`python -m tests.engine.operations.killed FOLDER FAIL [WHAT]`: it says `ready` when it has begun, and how it
ended. FAIL is the word that cannot be put, or `-`. WHAT is

- `one`, by default: one operation to its end;
- `many`: it asks for one after the other and approves every second, until it is killed;
- `rest`: what was approved, to its end;
- `second`: of two operations, of which the first is approved by nobody, the second to its end;
- `close`: as `one`, and the process ends, as it does when it is told to, while the third word is being put;
- `close-thread`: the same while a thread is busy with it.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
import time
from pathlib import Path

import structlog

from bot.domain.operations.approval import OPEN, Click, State
from bot.domain.operations.plan import JsonObject, Plan, Step
from bot.engine.clock import utc_now
from bot.engine.operations.contract import Work
from bot.engine.operations.durable import DbosRuns
from bot.store.database import Database
from tests.engine.operations.jobs import BOB, Chest, Yard, open_yard
from tests.engine.support import SetClock

WORDS = "one two three four five six"


class SlowChest(Chest):
    """Writes down what it does, before and after, and takes its time in between. At the word `lasts` it does
    nothing else any more, in a thread of its own or not."""

    lasts: str | None = None
    in_thread = False

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.lasting = asyncio.Event()

    async def do(self, plan: Plan, step: Step, work: Work) -> JsonObject:
        """Put a word, slowly."""
        word = str(step.params["word"])
        self._note(f"begin {word}")
        if word == self.lasts:
            self.lasting.set()
            await (asyncio.to_thread(time.sleep, 1.5) if self.in_thread else asyncio.sleep(3600))
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
            journal.write(f"{line} {os.getpid()}\n")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def one(yard: Yard) -> str:
    """Go on with the operation that there is, or ask for one and approve it; how it ended."""
    number = await _approved(yard)
    while (record := await yard.record(number)).state in OPEN:  # noqa: ASYNC110 - as in `until`
        await asyncio.sleep(0.01)
    return f"over {record.state.value}"


async def second(yard: Yard) -> str:
    """Ask for one, and for another one that is approved; how that ended."""
    await yard.ask("first", subject="first")
    record = await yard.ask("second", subject="second")
    await yard.desk.press(Click.APPROVE, record.id, record.plan_hash, BOB)
    return f"over {(await yard.reaches(record.id, State.DONE)).state.value}"


async def many(yard: Yard) -> str:
    """Ask for one after the other, each on a subject of its own, and approve every second; without an end."""
    for number in itertools.count(await yard.store.last_id() + 1):
        record = await yard.ask(f"word-{number}", subject=f"subject-{number}")
        if number % 2 == 0:
            await yard.desk.press(Click.APPROVE, record.id, record.plan_hash, BOB)
    raise AssertionError


async def rest(yard: Yard) -> str:
    """Wait until nothing is open but what nobody approved."""
    while any(each.state is not State.PENDING for each in await yard.store.open()):  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.01)
    return "over"


async def close(yard: Yard) -> str:
    """Leave off in the middle of a step."""
    await _approved(yard)
    assert isinstance(yard.chest, SlowChest)
    await yard.chest.lasting.wait()
    return "closing"


async def _approved(yard: Yard) -> int:
    latest = await yard.store.latest(1)
    record = latest[0] if latest else await yard.ask(WORDS)
    if record.decided_by is None:
        await yard.desk.press(Click.APPROVE, record.id, record.plan_hash, BOB)
    return record.id


_WHATS = {"one": one, "many": many, "rest": rest, "second": second, "close": close, "close-thread": close}


async def main(folder: Path, fail: str, what: str) -> None:
    """Do that, with what the folder has of the time before."""
    url = f"sqlite+aiosqlite:///{folder / 'guardian.db'}"
    database = await Database.open(url)
    chest = SlowChest(folder / "chest")
    chest.breaks = {fail} if fail != "-" else set()
    chest.lasts, chest.in_thread = "three" if what.startswith("close") else None, what == "close-thread"
    clock = SetClock(utc_now())
    async with open_yard(
        database, chest.folder, clock, chest=chest, runs=lambda body: DbosRuns(url, body)
    ) as yard:
        _say("ready")
        ended = await _WHATS[what](yard)
        await yard.audit.flush()
    await database.close()
    _say(ended)


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], [*sys.argv, "one"][3]))
