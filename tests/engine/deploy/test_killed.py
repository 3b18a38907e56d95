"""Whatever moment the Guardian is killed at, a deployment comes to its end, and no visitor notices."""

from __future__ import annotations

import asyncio
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from bot.domain.deploy.record import Outcome
from bot.domain.deploy.slots import Slot
from bot.domain.operations.approval import State
from bot.store.database import Database
from bot.tools.releases.health import wait_until_healthy
from tests.engine.deploy.ground import BRISK, Ground, balanced, put, site_at
from tests.engine.deploy.killed import at, place
from tests.engine.deploy.visitors import visitors
from tests.tools.traffic.haproxy import Load

CEILING_SECONDS = 240
LONGEST = 6.0
"""seconds after the start at which it may be killed: a deployment takes about as long"""
KILLS = 25
"""in each part of the soak"""


async def run(words: Path, url: str, revision: str, watched: str, seconds: float | None) -> str | None:
    """Start the program; kill it so long after it has begun. How it ended, None if it was killed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.engine.deploy.killed", str(words), url, revision, watched,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(CEILING_SECONDS):
            first = await process.stdout.readline()
            if not first:
                pytest.fail((await process.stderr.read()).decode())
            try:
                async with asyncio.timeout(seconds):
                    said = (await process.stdout.readline()).decode().strip()
            except TimeoutError:
                return None
            if not said:
                pytest.fail((await process.stderr.read()).decode())
            return said
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def over(
    words: Path, url: str, revision: str, chance: random.Random, kills: int, watched: str
) -> tuple[str, int]:
    """Kill it at random moments, so often at most; how it ends, and how often it was killed."""
    for killed in range(kills):
        said = await run(words, url, revision, watched, chance.uniform(0.0, LONGEST))
        if said is not None:
            return said, killed
    said = await run(words, url, revision, watched, None)
    assert said is not None
    return said, kills


@dataclass
class Tally:
    """What a soak has done."""

    kills: int = 0
    deployments: int = 0
    requests: int = 0


async def deployments(
    url: str,
    chance: random.Random,
    revisions: dict[str, State],
    kills: int = 8,
    *,
    watched: bool = True,
    tally: Tally | None = None,
) -> None:
    """Deploy those under load, each of which has to end like that, while the Guardian is killed again and
    again, for each of them so often at most; then look at everything."""
    tally = tally or Tally()
    folder = Path(tempfile.mkdtemp(prefix="guardian-"))
    try:
        async with balanced(folder) as (balancer, addresses):
            site = site_at(folder, balancer.configuration, addresses, BRISK)
            put(folder, "v1")
            words = folder / "place.json"
            words.write_text(place(folder, balancer, addresses))
            await (await Database.open(url)).close()
            try:
                await site.releases.start(Slot.A, "v1", "before")
                well = await wait_until_healthy(
                    site.address(Slot.A), site.health, lambda: site.releases.find(Slot.A)
                )
                assert well.healthy
                async with visitors(balancer.url, 4) as found:
                    for revision, state in revisions.items():
                        put(folder, revision, **({} if state is State.DONE else {"errors": 10}))
                        kind = "watched" if watched else "unwatched"
                        said, times = await over(words, url, revision, chance, kills, kind)
                        assert said == f"over {state.value}"
                        tally.kills += times
                        tally.deployments += 1
                    await found.more(20)
                tally.requests += sum(found.answers.values())
                async with at(words.read_text(), url, durable=False) as ground:
                    await look(ground, found, revisions)
            finally:
                for slot in Slot:
                    await site.releases.stop(slot)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def look(ground: Ground, found: Load, revisions: dict[str, State]) -> None:
    """Everything is as if nobody had been killed."""
    good = [revision for revision, state in revisions.items() if state is State.DONE]
    # A release that answers with errors did so itself; nothing was lost besides.
    assert set(found.failures) <= {f"500 {revision}" for revision in revisions if revision not in good}
    assert await ground.live() == ["v1", *good][-1]
    b = await ground.site.traffic.share()
    assert await ground.site.releases.find(Slot.A if b else Slot.B) is None
    assert ground.balancer.map_file.read_text() == f"shop {b}\n"
    assert await ground.yard.store.open() == []
    assert await ground.yard.locks.held() == ()
    records = {each.request["revision"]: each for each in reversed(await ground.yard.store.latest(100))}
    assert {revision: records[revision].state for revision in revisions} == revisions
    rows = await ground.book.store.of_environment("shop", "production", 100)
    assert Counter(each.revision for each in rows) == Counter(list(revisions))
    for row in rows:
        wanted = Outcome.DONE if revisions[row.revision] is State.DONE else Outcome.ROLLED_BACK
        assert row.outcome is wanted
        assert row.ended_at is not None
    told = Counter(await ground.shares())
    assert set(told.values()) == {1}
    assert {(event, revision) for event, revision, _ in told} == {
        (event, revision)
        for revision, state in revisions.items()
        for event in ("traffic", "complete" if state is State.DONE else "back")
    }
    slots = await ground.book.store.slots_of("shop", "production")
    live = Slot.B if b else Slot.A
    assert {slot: each.live_since is not None for slot, each in slots.items()} == {live: True}


@pytest.mark.parametrize("number", range(4))
async def test_deployments_that_are_killed_at_random_moments(tmp_path: Path, number: int) -> None:
    chance = random.Random(f"sample {number}")  # noqa: S311 - no secret
    state = State.UNDONE if number % 2 else State.DONE
    await deployments(
        f"sqlite+aiosqlite:///{tmp_path / 'guardian.db'}", chance, {"v2": state}, 3, watched=number > 1
    )


@pytest.mark.postgres
async def test_the_same_on_postgresql(postgres_url: str) -> None:
    chance = random.Random("postgres")  # noqa: S311 - no secret
    await deployments(postgres_url, chance, {"v2": State.DONE}, 3)


@pytest.mark.soak
@pytest.mark.parametrize("number", range(8))
async def test_two_hundred_kills_in_eight_times_twenty_five(
    tmp_path: Path, number: int, record_property: Callable[[str, object], None]
) -> None:
    chance, tally = random.Random(number), Tally()  # noqa: S311 - no secret
    while tally.kills < KILLS:
        await deployments(
            f"sqlite+aiosqlite:///{tmp_path / f'{tally.deployments}.db'}",
            chance,
            {"v2": State.UNDONE if tally.deployments % 3 == 2 else State.DONE},
            min(8, KILLS - tally.kills),
            watched=(number + tally.deployments) % 2 == 0,
            tally=tally,
        )
    for name, count in asdict(tally).items():
        record_property(name, count)


@pytest.mark.soak
@pytest.mark.postgres
@pytest.mark.parametrize("number", range(10))
async def test_some_more_on_postgresql(postgres_url: str, number: int) -> None:
    chance = random.Random(f"postgres {number}")  # noqa: S311 - no secret
    await deployments(postgres_url, chance, {"v2": State.DONE, "v3": State.UNDONE})
