"""Where a Git repository stands. Nothing is fetched, nothing changed, none of its hooks run."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping, Sequence

from bot.domain.backup.code import GitFacts

_PASSED_ON = ("PATH", "HOME", "LANG")
_TIMEOUT = 20.0
_SAID = 200


class _Failed(Exception):
    """Git would not; its text is what it said."""


async def git_facts(path: str, environment: Mapping[str, str]) -> GitFacts:
    """Where HEAD of the repository at `path` stands, and whether a remote is known to have it. Never raises:
    what could not be told is in `problem`."""
    clean = {name: environment[name] for name in _PASSED_ON if name in environment}
    # Nothing asks for a password, nothing is locked, nothing runs that the repository's settings name.
    clean |= {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    git = ["git", "-c", "core.fsmonitor=false", "-C", path]
    try:
        head = await _ask([*git, "rev-parse", "--verify", "HEAD^{commit}"], clean)
        branches = await _ask([*git, "for-each-ref", "--contains", head, "--count=1", "refs/remotes"], clean)
    except _Failed as error:
        return GitFacts(path, None, pushed=False, problem=str(error))
    return GitFacts(path, head, pushed=bool(branches))


async def _ask(command: Sequence[str], environment: Mapping[str, str]) -> str:
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=dict(environment)
        )
    except OSError as error:
        raise _Failed(error.strerror or str(error)) from None
    try:
        async with asyncio.timeout(_TIMEOUT):
            said, complaint = await process.communicate()
    except TimeoutError:
        raise _Failed(f"no answer within {_TIMEOUT:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        words = complaint.decode(errors="replace").strip().splitlines()
        raise _Failed((words or ["?"])[0][:_SAID])
    return said.decode(errors="replace").strip()
