"""`python -m bot.workspace`: a local Slack workspace until SIGTERM or SIGINT, or the end of stdin."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import structlog

from bot.workspace.errors import WorkspaceError
from bot.workspace.model import JsonObject
from bot.workspace.server import serve
from bot.workspace.settings import UNLIMITED, RateLimits


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bot.workspace", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="directory that keeps everything")
    parser.add_argument("--port", type=int, default=0, help="port on the loopback address; 0 is any free one")
    parser.add_argument("--host", default="127.0.0.1", help="loopback address to listen on")
    parser.add_argument(
        "--manifest",
        type=Path,
        action="append",
        default=[],
        help="an app's manifest (YAML, JSON); repeatable",
    )
    parser.add_argument(
        "--channel", action="append", default=[], help="channel to have; repeatable; general if none is given"
    )
    parser.add_argument("--bot-outside", action="store_true", help="new channels start without the bots")
    parser.add_argument("--no-rate-limits", action="store_true", help="take as many calls as come")
    parser.add_argument("--exit-with-stdin", action="store_true", help="end when stdin ends")
    return parser.parse_args(arguments)


async def _run(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if options.exit_with_stdin:
        threading.Thread(target=_wait_for_stdin, args=(loop, stop), daemon=True).start()
    async with serve(
        options.state,
        options.port,
        options.manifest,
        options.channel or ["general"],
        UNLIMITED if options.no_rate_limits else RateLimits(),
        bot_in_channels=not options.bot_outside,
        host=options.host,
    ) as running:
        credentials = str(running.credentials_path)
        _tell({"url": running.url, "api_url": running.api_url, "credentials": credentials})
        await stop.wait()


def _tell(document: JsonObject) -> None:
    """One line of JSON on standard output, for the program that started us."""
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


def _wait_for_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    while sys.stdin.readline():
        pass
    if not loop.is_closed():
        loop.call_soon_threadsafe(stop.set)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until told to stop; returns the exit code: 2 when it can't start, with the reason on stdout as JSON
    and on stderr as a sentence."""
    options = _arguments(arguments)
    os.umask(0o077)  # messages and tokens are nobody else's
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        asyncio.run(_run(options))
    except WorkspaceError as error:
        _tell({"error": error.code, **error.details, "message": str(error)})
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
