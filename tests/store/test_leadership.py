"""One Guardian for one PostgreSQL database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.store.leadership import Leadership, LeadershipTaken

pytestmark = pytest.mark.postgres


@pytest.fixture
async def engine(postgres_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(postgres_url)
    yield engine
    await engine.dispose()


async def test_the_second_one_is_refused_until_the_first_lets_go(engine: AsyncEngine) -> None:
    first, second = Leadership(engine), Leadership(engine)
    await first.acquire()
    with pytest.raises(LeadershipTaken):
        await second.acquire()
    await first.release()
    await second.acquire()
    await second.release()


async def test_a_killed_connection_is_taken_again(engine: AsyncEngine) -> None:
    leader = Leadership(engine, look_every=0.01)
    await leader.acquire()
    watch = asyncio.create_task(leader.watch())
    try:
        await _end_lock_holders(engine)
        await _until_held(engine)
        assert not watch.done()
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
        await leader.release()


async def test_whoever_loses_it_to_another_ends(engine: AsyncEngine) -> None:
    loser, winner = Leadership(engine, look_every=0.2), Leadership(engine)
    await loser.acquire()
    watch = asyncio.create_task(loser.watch())
    while not watch.done():
        await _end_lock_holders(engine)
        try:
            await winner.acquire()
        except LeadershipTaken:
            continue  # the loser was faster this time
        break
    async with asyncio.timeout(30):
        with pytest.raises(LeadershipTaken):
            await watch
    await winner.release()


_HOLDERS = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"


async def _end_lock_holders(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        for pid in (await connection.execute(text(_HOLDERS))).scalars().all():
            await connection.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid})


async def _until_held(engine: AsyncEngine) -> None:
    async with asyncio.timeout(30):
        while True:
            async with engine.connect() as connection:
                if (await connection.execute(text(_HOLDERS))).first() is not None:
                    return
            await asyncio.sleep(0.01)
