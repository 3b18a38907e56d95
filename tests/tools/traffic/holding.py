"""A Guardian in small: takes a lease and renews it until it is killed.

`holding.py FOLDER CONFIGURATION SECONDS SLOTS [guarded]`: `guarded` stays at the traffic until a line comes.
SLOTS are their addresses, and Blue is slot a. Says `held`, and `lost` when it has lost it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from bot.domain.deploy.addresses import Address
from bot.domain.deploy.slots import Slot
from bot.engine.deploy.lease import HeldLease, LeaseLost
from bot.tools.traffic.drivers import from_json


async def main(folder: str, configuration: str, seconds: str, addresses: str, how: str = "") -> None:
    """Until killed."""
    traffic = from_json(json.loads(configuration))
    slots = {Slot(name): Address.of(at) for name, at in json.loads(addresses).items()}
    held = await HeldLease.take(Path(folder), "run-1", traffic, 0, float(seconds), slots or None)
    if how == "guarded":
        async with held.guarded():
            say("held")
            await asyncio.to_thread(sys.stdin.readline)
    else:
        say("held")
    while True:
        try:
            await held.renew()
        except LeaseLost as lost:
            say("lost to " + (lost.rolled.run if lost.rolled else "nobody"))
            return
        await asyncio.sleep(0.05)


def say(word: str) -> None:
    """On standard output."""
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
