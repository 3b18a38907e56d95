"""Release notes from a local Git repository, bare or with a work tree: what comes, what goes, and since when
it has been there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from bot.domain.deploy.notes import Commit, Direction, ReleaseNotes, Tag
from bot.tools.commands import Ran
from bot.tools.git import GitFailed, ask, first_words

LISTED = 20
"""commits that are listed, unless said otherwise"""
_SUBJECT, _AUTHOR, _REVISION = 100, 60, 200
"""characters"""
_FIELDS = ("%h", "%ct", "%an", "%s")
_TAG = "--format=%(refname:short)%00%(creatordate:unix)%00%(contents:subject)"
_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_NUMBERS = {
    name: re.compile(rf"(\d+) {word}")
    for name, word in (("files", "files? changed"), ("insertions", "insertion"), ("deletions", "deletion"))
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


class HistoryUnknown(Exception):
    """There are no notes: the phrase `deploy.notes.failed.REASON` with `values`."""

    def __init__(self, reason: str, **values: str) -> None:
        super().__init__(f"{reason} {values}")
        self.reason = reason
        """no_repository (path, detail), unknown_revision (revision) or git (detail)"""
        self.values = values


async def resolve(path: str, revision: str) -> str:
    """The full hash of the commit that a revision (a tag, a branch, a hash) means in the repository at
    `path`. Raises HistoryUnknown."""
    there = await _ask(path, ["rev-parse", "--git-dir"])
    if there.status != 0:
        raise HistoryUnknown("no_repository", path=path, detail=first_words(there))
    return await _commit(path, revision)


async def committed_at(path: str, commit: str) -> datetime:
    """When a commit, given by its full hash, was made. Raises HistoryUnknown."""
    (found,) = await _log(path, ["--max-count=1", full_hash(commit)])
    return found.at


async def release_notes(path: str, old: str | None, new: str, limit: int = LISTED) -> ReleaseNotes:
    """What changes in the repository at `path` when `new` takes the place of `old` (None: of nothing), with
    at most `limit` commits. Raises HistoryUnknown."""
    to = await resolve(path, new)
    if old is None:
        return ReleaseNotes(to, None, Direction.FIRST, await committed_at(path, to))
    since = await _commit(path, old)
    at = await committed_at(path, to)
    if since == to:
        return ReleaseNotes(to, since, Direction.SAME, at, files=0, insertions=0, deletions=0)
    commits, coming, going, changed = await asyncio.gather(
        _log(path, [f"--max-count={limit}", f"{since}..{to}"]),
        _count(path, f"{since}..{to}"),
        _count(path, f"{to}..{since}"),
        _good(path, ["diff-tree", "--shortstat", "-r", "--no-ext-diff", "--no-textconv", since, to, "--"]),
    )
    direction = Direction.ASIDE if coming and going else Direction.FORWARD if coming else Direction.BACKWARDS
    if not await _related(path, since, to):
        direction = Direction.ASIDE
    numbers = {name: pattern.search(changed) for name, pattern in _NUMBERS.items()}
    return ReleaseNotes(
        new=to,
        old=since,
        direction=direction,
        commit_at=at,
        commits=tuple(commits),
        coming=coming,
        going=going,
        **{name: int(number[1]) if number else 0 for name, number in numbers.items()},
    )


async def tags(path: str, limit: int = LISTED) -> list[Tag]:
    """The newest tags of the repository at `path`. Raises HistoryUnknown."""
    words = ["for-each-ref", "--sort=-creatordate", f"--count={limit}", _TAG, "refs/tags"]
    rows = [line.split("\0") for line in (await _good(path, words)).splitlines() if line]
    return [
        Tag(row[0][:_REVISION], datetime.fromtimestamp(int(row[1]), UTC), _cut(row[2]))
        for row in rows
        if len(row) == 3 and row[1].isdecimal()
    ]


async def _related(path: str, one: str, other: str) -> bool:
    """Whether they have a common past."""
    return (await _ask(path, ["merge-base", one, other])).status == 0


async def _commit(path: str, revision: str) -> str:
    if _CONTROL.search(revision):
        raise HistoryUnknown("unknown_revision", revision=_CONTROL.sub("?", revision)[:_REVISION])
    ran = await _ask(path, ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"])
    found = ran.out.strip()
    if ran.status != 0 or not _HASH.fullmatch(found):
        raise HistoryUnknown("unknown_revision", revision=revision[:_REVISION])
    return found


def full_hash(commit: str) -> str:
    """The full hash of a commit, as it is: what is none could be an option. Raises ValueError."""
    if not _HASH.fullmatch(commit):
        raise ValueError("no full hash of a commit")
    return commit


async def _log(path: str, words: Sequence[str]) -> list[Commit]:
    wanted = [
        "log",
        "-z",
        f"--format={'%x00'.join(_FIELDS)}",
        "--no-show-signature",
        "--no-color",
        *words,
        "--",
    ]
    fields = (await _good(path, wanted)).split("\0")
    found: list[Commit] = []
    for start in range(0, len(fields) - len(_FIELDS) + 1, len(_FIELDS)):
        short, at, author, subject = (
            _CONTROL.sub(" ", field) for field in fields[start : start + len(_FIELDS)]
        )
        moment = datetime.fromtimestamp(int(at), UTC)
        found.append(Commit(short.strip(), moment, author[:_AUTHOR], _cut(subject)))
    return found


def _cut(subject: str) -> str:
    return subject if len(subject) <= _SUBJECT else subject[: _SUBJECT - 1] + "…"


async def _count(path: str, span: str) -> int:
    return int(await _good(path, ["rev-list", "--count", span, "--"]))


async def _good(path: str, words: Sequence[str]) -> str:
    ran = await _ask(path, words)
    if ran.status != 0 or ran.truncated:
        raise HistoryUnknown("git", detail="…" if ran.status == 0 else first_words(ran))
    return ran.out


async def _ask(path: str, words: Sequence[str]) -> Ran:
    try:
        return await ask(path, words)
    except GitFailed as error:
        raise HistoryUnknown("git", detail=str(error)) from None
