"""Asking the tools that releases are run with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from bot.tools.commands import CommandFailed, Ran, passed_on, run
from bot.tools.releases.contract import ReleaseFailed

TOOLS_NEED = (
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "DOCKER_CONFIG",
    "DOCKER_CERT_PATH",
    "DOCKER_TLS_VERIFY",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
)
"""of our environment: where to reach the daemon that they speak to"""
_LINES, _LONG = 3, 500


async def ask(
    command: Sequence[str],
    seconds: float,
    reason: str = "release_tool",
    environment: Mapping[str, str] | None = None,
    accepted: Sequence[int] = (0,),
) -> Ran:
    """Run it. Raises ReleaseFailed with that reason when it can't be run to its end or ends with a status
    that isn't accepted."""
    given = {**passed_on(TOOLS_NEED), "LC_ALL": "C", **(environment or {})}
    try:
        ran = await run(command, timeout=seconds, environment=given)
    except CommandFailed as error:
        raise ReleaseFailed(reason, f"{command[0]}: {error.kind} {error.detail}".strip()) from None
    if ran.status not in accepted:
        raise ReleaseFailed(reason, words_of(ran) or f"{command[0]}: status {ran.status}")
    return ran


def words_of(ran: Ran) -> str:
    """What it said, cut to its last lines."""
    lines = [line.strip() for line in (ran.errors.strip() or ran.out.strip()).splitlines() if line.strip()]
    return "\n".join(lines[-_LINES:])[-_LONG:]


def unreadable(command: Sequence[str], error: ValidationError) -> ReleaseFailed:
    """What an answer is that isn't as it should be."""
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    return ReleaseFailed("release_tool", f"{command[0]}: {place}: {first['msg']}"[:_LONG])
