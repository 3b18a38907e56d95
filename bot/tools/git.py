"""Asking Git about a repository. Nothing is fetched or changed, and nothing run that its settings name."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from bot.domain.backup.code import GitFacts
from bot.tools.commands import Cause, CommandFailed, Ran, never, run

_PASSED_ON = ("PATH", "HOME", "LANG")
_TIMEOUT = 20.0
_SAID = 200
_QUIET = {
    "GIT_TERMINAL_PROMPT": "0",  # nothing asks for a password,
    "GIT_OPTIONAL_LOCKS": "0",  # nothing is locked,
    "GIT_NO_LAZY_FETCH": "1",  # nothing is fetched,
    "LC_ALL": "C",
}
_ALONE = {
    "HOME": "/dev/null",  # older ones than 2.32 do not know the next
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
}
_SETTINGS = ("core.fsmonitor=false", "core.hooksPath=/dev/null", "i18n.logOutputEncoding=UTF-8")


class GitFailed(Exception):
    """Git could not be asked at all; its text is why, `cause` how the command ended."""

    def __init__(self, why: str, cause: Cause | None = None) -> None:
        super().__init__(why)
        self.cause = cause


async def ask(
    path: str,
    words: Sequence[str],
    environment: Mapping[str, str] | None = None,
    *,
    alone: bool = False,
    timeout: float = _TIMEOUT,  # noqa: ASYNC109 - as `run` has it
    stopping: Callable[[], bool] = never,
) -> Ran:
    """What Git says about the repository at `path`, whatever its status. 64 KiB of it are kept. `alone`:
    nobody's settings but that repository's have a say, and so no filters of a user or the machine. Raises
    GitFailed."""
    given = os.environ if environment is None else environment
    clean = {name: given[name] for name in _PASSED_ON if name in given} | _QUIET | (_ALONE if alone else {})
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    command = ["git", "--no-pager", *settings, "-C", path, *words]
    try:
        return await run(command, timeout=timeout, environment=clean, stopping=stopping)
    except CommandFailed as error:
        raise GitFailed(f"{error.kind}: {error.detail}"[:_SAID], error.kind) from None


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
