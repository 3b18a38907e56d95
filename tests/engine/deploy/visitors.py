"""Visitors of the service: as many as a small machine can bear beside everything else."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

import aiohttp

from bot.domain.operations.approval import State
from tests.engine.deploy.ground import Ground
from tests.tools.traffic.haproxy import Load, load

_PAUSE = 0.02
"""seconds between two requests of one visitor"""


def visitors(url: str, count: int = 6) -> AbstractAsyncContextManager[Load]:
    """They ask again and again until the block is left, on connections that are kept, without cookies."""
    return load(url, count, _PAUSE)


async def asking(url: str) -> int:
    """One request; its status."""
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        await answer.read()
        return answer.status


async def deployed(ground: Ground, *revisions: str) -> None:
    """They are deployed one after the other."""
    async with visitors(ground.balancer.url):
        for revision in revisions:
            ground.put(revision)
            over = await ground.over(await ground.begin(revision))
            assert over.state is State.DONE, over.problem
