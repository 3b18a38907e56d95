"""A release: answers at a port as the file behaviour.json beside it says.

`errors` and `slow` are every how many requests one fails, or takes `slow_ms`; the first `good` never fail;
`healthy` is false for one that answers /health with an error page; `dies_after` ends it after so many
requests. A request may itself ask for an answer after so many milliseconds: `/?wait=2000`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from aiohttp import web

BEHAVIOUR = json.loads(Path("behaviour.json").read_text())
asked = 0


async def answer(request: web.Request) -> web.Response:
    """Anything but /health."""
    global asked
    asked += 1
    if asked == BEHAVIOUR.get("dies_after"):
        os._exit(9)
    if BEHAVIOUR.get("slow") and asked % BEHAVIOUR["slow"] == 0:
        await asyncio.sleep(BEHAVIOUR.get("slow_ms", 800) / 1000)
    await asyncio.sleep(int(request.query.get("wait", "0")) / 1000)
    failed = BEHAVIOUR.get("errors") and asked > BEHAVIOUR.get("good", 0) and asked % BEHAVIOUR["errors"] == 0
    return web.Response(status=500 if failed else 200, text=os.environ["GUARDIAN_REVISION"])


async def health(request: web.Request) -> web.Response:
    """Whether it is well: as the file says by now."""
    text = await asyncio.to_thread(Path("behaviour.json").read_text)
    well = json.loads(text).get("healthy", True)
    return web.Response(text="ok" if well else "Something went wrong")


def main(port: int) -> None:
    """Serve until asked to end."""
    app = web.Application()
    app.router.add_get("/health", health)
    app.router.add_route("*", "/{rest:.*}", answer)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None, shutdown_timeout=0.5)


if __name__ == "__main__":
    main(int(sys.argv[1]))
