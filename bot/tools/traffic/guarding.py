"""Seeing to it that somebody watches the leases."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from bot.tools.commands import passed_on
from bot.tools.traffic.leases import is_watched

LINGER = 60.0
"""seconds without a lease after which a watchdog that was started here ends"""
_PROGRAM = "bot.tools.traffic.watchdog"
_LARGEST_LOG = 1024 * 1024
_LOOK = 0.02


class NobodyWatches(Exception):
    """No watchdog could be started; `detail` is what it said last."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


def leases_folder(state: Path) -> Path:
    """Where the leases are, in a Guardian's state directory."""
    return state / "leases"


def watchdog_command(folder: Path, linger: float | None = None, *, detach: bool = False) -> list[str]:
    """How a watchdog of that folder is started."""
    lingering = [] if linger is None else ["--linger", f"{linger:g}"]
    # -P: nothing that happens to be in the current directory is taken for a module of ours.
    return [sys.executable, "-P", "-m", _PROGRAM, str(folder), *lingering, *(["--detach"] if detach else [])]


async def ensure_watchdog(folder: Path, *, linger: float = LINGER, within: float = 20.0) -> bool:
    """Let somebody watch the folder: start a watchdog that outlives us if nobody does. Whether one was
    started. Write a lease first: one that is about to end looks for leases once more when it has let go.

    Raises NobodyWatches when none does after `within` seconds, and OSError.
    """
    if await asyncio.to_thread(is_watched, folder):
        return False
    log = folder / "watchdog.log"
    await asyncio.to_thread(_start, folder, linger, log)
    latest = asyncio.get_running_loop().time() + within
    while not await asyncio.to_thread(is_watched, folder):
        if asyncio.get_running_loop().time() >= latest:
            raise NobodyWatches(await asyncio.to_thread(_last_words, log))
        await asyncio.sleep(_LOOK)
    return True


def _start(folder: Path, linger: float, log: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LARGEST_LOG:
        log.replace(log.with_suffix(".log.1"))
    # It needs none of our secrets, and finds its modules as we found them.
    environment = passed_on() | {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
    with log.open("ab") as said:
        subprocess.run(  # noqa: S603 - ourselves; it forks, and what is waited for here ends at once
            watchdog_command(folder, linger, detach=True),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            env=environment,
            start_new_session=True,
            check=False,
            timeout=60,
        )


def _last_words(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return lines[-1][:300] if lines else ""
