"""A thousand clicks on one plan, from many at once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

from bot.domain.audit_faults import verify
from bot.domain.operations.approval import Click, State
from bot.store.audit import AuditStore
from bot.store.database import Database
from tests.engine.operations.jobs import ANN, BOB, CHO, DAN, Yard
from tests.engine.support import until

PEOPLE, CLICKS = 40, 25


async def test_a_thousand_racing_clicks_have_one_winner(yard: Yard, database: Database) -> None:
    record = await yard.ask("bread")
    chance = random.Random("clicks")  # noqa: S311 - no secret
    taken: list[tuple[Click, str]] = []

    async def clicks(person: int) -> Counter[str]:
        told: Counter[str] = Counter()
        for _ in range(CLICKS):
            click = chance.choice([Click.APPROVE, Click.DENY, Click.BREAK_GLASS])
            by = (
                (ANN, BOB, CHO, DAN)[person % 4]
                if click is Click.BREAK_GLASS
                else (BOB, CHO, DAN)[person % 3]
            )
            answer = await yard.desk.press(click, record.id, record.plan_hash, by, "in a hurry")
            assert answer is not None
            told[answer.verdict] += 1
            if answer.verdict == "taken":
                taken.append((click, by))
        return told

    told = sum(await asyncio.gather(*map(clicks, range(PEOPLE))), Counter[str]())
    assert told == {"taken": 1, "stale": PEOPLE * CLICKS - 1}
    ((click, by),) = taken
    end = State.DENIED if click is Click.DENY else State.DONE
    after = await yard.reaches(record.id, end)
    assert (after.decided_by, after.glass) == (by, click is Click.BREAK_GLASS)
    await until(lambda: yard.card(record.id).get("state") == end.value)
    entries = [each async for each in AuditStore(database).entries()]
    assert verify(entries).is_whole
    run = [] if click is Click.DENY else ["operation.start", "operation.end"]
    assert [each.action for each in entries] == ["operation.ask", f"operation.{click.value}", *run]
