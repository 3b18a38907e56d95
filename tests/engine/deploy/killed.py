"""A program that deploys with real durable runs, and may be killed at any moment.

`python -m tests.engine.deploy.killed PLACE URL REVISION WATCHED`: PLACE is a JSON file that says where the
service and its load balancer are, URL the database, WATCHED `watched` or `unwatched`. It says `ready` when it
has begun, and then how the deployment of that revision has ended: it asks for it and approves it, if nobody
has before.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from bot.domain.deploy.slots import Slot
from bot.domain.operations.approval import OPEN
from bot.engine.clock import utc_now
from bot.engine.operations.durable import DbosRuns
from bot.store.database import Database
from bot.tools.traffic.drivers import as_json, from_json
from bot.tools.traffic.haproxy.configuration import HaproxyConfiguration
from tests.engine.deploy.ground import BRISK, Ground, deployed_by, site_at
from tests.engine.deploy.unwatched import Unwatched
from tests.engine.support import SetClock
from tests.tools.traffic.haproxy import Balancer


def place(folder: Path, balancer: Balancer, addresses: dict[Slot, str]) -> str:
    """What the program has to be told of where everything is."""
    return json.dumps(
        {
            "folder": str(folder),
            "traffic": as_json(balancer.configuration),
            "addresses": {slot.value: address for slot, address in addresses.items()},
            "port": balancer.port,
        }
    )


@asynccontextmanager
async def at(words: str, url: str, *, durable: bool, watched: bool = False) -> AsyncIterator[Ground]:
    """The desk there."""
    told = json.loads(words)
    folder, configuration = Path(told["folder"]), from_json(told["traffic"])
    assert isinstance(configuration, HaproxyConfiguration)
    addresses = {Slot(slot): address for slot, address in told["addresses"].items()}
    balancer = Balancer("", folder, told["port"], configuration, folder / "haproxy.cfg")
    site = site_at(folder, configuration, addresses, BRISK)
    database = await Database.open(url)
    try:
        clock = SetClock(utc_now())
        runs = (lambda body: DbosRuns(url, body)) if durable else None
        leases = None if watched else Unwatched()
        async with deployed_by(database, clock, folder, balancer, site, runs, leases=leases) as ground:
            yield ground
    finally:
        await database.close()


async def deploy(ground: Ground, revision: str) -> str:
    """Go on with the deployment that there is, or begin one; how it ended."""
    latest = await ground.yard.store.latest(1)
    if latest and latest[0].request.get("revision") == revision and latest[0].decided_by is not None:
        number = latest[0].id
    else:
        number = await ground.begin(revision)
    while (record := await ground.yard.record(number)).state in OPEN:  # noqa: ASYNC110 - it rings no bell
        await asyncio.sleep(0.02)
    await ground.yard.audit.flush()
    return f"over {record.state.value}"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def main(words: str, url: str, revision: str, watched: str) -> None:
    """Deploy it."""
    async with at(words, url, durable=True, watched=watched == "watched") as ground:
        _say("ready")
        ended = await deploy(ground, revision)
    _say(ended)


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    asyncio.run(main(Path(sys.argv[1]).read_text(), *sys.argv[2:]))
