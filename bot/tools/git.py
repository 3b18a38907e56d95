"""Asking Git about a repository. Nothing is fetched or changed, and nothing run that its settings name."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from bot.domain.backup.code import GitFacts
from bot.tools.commands import CommandFailed, Ran, run

_PASSED_ON = ("PATH", "HOME", "LANG")
_TIMEOUT = 20.0
_SAID = 200
_QUIET = {
    "GIT_TERMINAL_PROMPT": "0",  # nothing asks for a password,
    "GIT_OPTIONAL_LOCKS": "0",  # nothing is locked,
    "GIT_NO_LAZY_FETCH": "1",  # nothing is fetched,
    "LC_ALL": "C",
}
_SETTINGS = ("core.fsmonitor=false", "core.hooksPath=/dev/null", "i18n.logOutputEncoding=UTF-8")


class GitFailed(Exception):
    """Git could not be asked at all; its text is why."""


async def ask(path: str, words: Sequence[str], environment: Mapping[str, str] | None = None) -> Ran:
    """What Git says about the repository at `path`, whatever its status. 64 KiB of it are kept. Raises
    GitFailed."""
    given = os.environ if environment is None else environment
    clean = {name: given[name] for name in _PASSED_ON if name in given} | _QUIET
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    command = ["git", "--no-pager", *settings, "-C", path, *words]
    try:
        return await run(command, timeout=_TIMEOUT, environment=clean)
    except CommandFailed as error:
        raise GitFailed(f"{error.kind}: {error.detail}"[:_SAID]) from None


def first_words(ran: Ran) -> str:
    """The first line of what it complained of, cut."""
    return (ran.errors.strip().splitlines() or ["?"])[0][:_SAID]


async def git_facts(path: str, environment: Mapping[str, str]) -> GitFacts:
    """Where HEAD of the repository at `path` stands, and whether a remote is known to have it. Never raises:
    what could not be told is in `problem`."""
    try:
        head = await _told(path, ["rev-parse", "--verify", "HEAD^{commit}"], environment)
        remotes = ["for-each-ref", "--contains", head, "--count=1", "refs/remotes"]
        branches = await _told(path, remotes, environment)
    except GitFailed as error:
        return GitFacts(path, None, pushed=False, problem=str(error))
    return GitFacts(path, head, pushed=bool(branches))


async def _told(path: str, words: Sequence[str], environment: Mapping[str, str]) -> str:
    ran = await ask(path, words, environment)
    if ran.status != 0:
        raise GitFailed(first_words(ran))
    return ran.out.strip()
