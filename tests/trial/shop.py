"""The trial's shop for a test: on free ports, in a folder of the test's."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import aiohttp

from bot.domain.deploy.slots import Slot
from bot.trial.balancer import traffic_of
from bot.trial.shop.places import PRODUCTION, STAGING, Places, Ports
from bot.trial.shop.program import RunningShop, start_shop
from tests.ports import free_port
from tests.tools.traffic.haproxy import haproxy


@contextmanager
def places() -> Iterator[tuple[Path, Places]]:
    """A state directory with a name that is short enough for sockets, and the shop's places in it."""
    state = Path(tempfile.mkdtemp(prefix="guardian-"))
    ports = {name: Ports(free_port(), free_port(), free_port()) for name in (PRODUCTION, STAGING)}
    try:
        yield state, Places(state / "shop", state / "shop" / "haproxy", ports)
    finally:
        shutil.rmtree(state, ignore_errors=True)


@asynccontextmanager
async def opened(state: Path, there: Places) -> AsyncIterator[RunningShop]:
    """The shop, open."""
    shop = await start_shop(there, state, haproxy())
    try:
        yield shop
    finally:
        await shop.stop()


@asynccontextmanager
async def release(folder: Path, revision: str, **environment: str) -> AsyncIterator[str]:
    """A release from the folder of releases, running; its base address."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-B", "-S", "-m", "shop", "--port", str(port)),
        cwd=folder / revision,
        env=environment,
        stderr=asyncio.subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(30), aiohttp.ClientSession() as session:
            while True:
                assert process.returncode is None, "it has ended"
                try:
                    await (await session.get(f"{url}/health")).read()
                    break
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(0.01)
        yield url
    finally:
        if process.returncode is None:
            process.terminate()
        assert await process.wait() == 0, "told to end, it ends well"


async def ask(url: str, **headers: str) -> tuple[int, str]:
    """Status and text of one answer, on a connection of its own."""
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
        session.get(url, headers=headers) as answer,
    ):
        return answer.status, await answer.text()


def share_in(there: Places, environment: str = PRODUCTION) -> str:
    """What the map's file says that slot b carries."""
    its = traffic_of(there)[environment]
    lines = Path(its.map_file).read_text(encoding="utf-8").splitlines()
    return next(line.split()[1] for line in lines if line.split()[0] == its.key)


SLOTS = tuple(Slot)
