"""The shop: `python -m shop --port PORT`, in the folder of a release."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from pathlib import Path

from .server import serve
from .views import Views


async def main() -> None:
    """Serve until told to end (SIGTERM, SIGINT)."""
    parser = argparse.ArgumentParser(prog="shop")
    parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))
    parser.add_argument("--port", type=int, default=os.environ.get("PORT", "8731"))
    parser.add_argument("--revision", default=None)
    given = parser.parse_args()
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    views = Views(given.revision or revision())
    await serve(given.host, given.port, views.answer, over)


def revision() -> str:
    """Which release this is: the file VERSION beside us says so."""
    return (Path(__file__).parent.parent / "VERSION").read_text(encoding="utf-8").strip()


if __name__ == "__main__":
    asyncio.run(main())
