"""The shop as a program beside the Guardian:
`python -m bot.trial.shop --state FOLDER --haproxy PROGRAM PLACES`.

Says one line of JSON when it is open, or why it is not. Ends with its standard input, and all of it with it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from bot.tools.processes import ChildFailed
from bot.tools.releases.contract import ReleaseFailed
from bot.trial.shop.places import Places
from bot.trial.shop.shop import Shop


async def main(words: list[str]) -> int:
    """The exit status: 0 ended as told, 2 could not open."""
    parser = argparse.ArgumentParser(prog="python -m bot.trial.shop", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="the Guardian's state directory")
    parser.add_argument("--haproxy", required=True, help="the path of its program")
    parser.add_argument("places", type=Places.from_json, help="as Places.as_json writes them")
    given = parser.parse_args(words)
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    loop.add_reader(sys.stdin.fileno(), _look, over)
    shop = Shop(given.places, given.state, given.haproxy)
    try:
        await shop.start(datetime.now(UTC))
    except (OSError, ChildFailed, ReleaseFailed) as error:
        _say({"error": str(error)})
        await shop.close()
        return 2
    _say({"haproxy": shop.balancer_pid})
    await over.wait()
    await shop.close()
    visitors = shop.visitors
    sys.stderr.write(f"{visitors.requests} requests of visitors, {visitors.failures} failed\n")
    return 0


def _say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def _look(over: asyncio.Event) -> None:
    """Standard input can be read: whatever comes is nothing to us, but its end is."""
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        over.set()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
