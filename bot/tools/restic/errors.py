"""What can go wrong with restic, as types, and which of them its exit status and its words mean.

restic says most of it in words alone: only from 0.17 on have some errors an exit status of their own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydantic import JsonValue

_SAID_LIMIT = 300


class ResticError(Exception):
    """Base. Its sentence is `backup.failed.REASON` with `values`, which never hold a secret."""

    reason = "restic_failed"

    def __init__(self, said: str = "", **values: JsonValue) -> None:
        super().__init__(f"{self.reason}: {said}" if said else self.reason)
        self.said = said[:_SAID_LIMIT]
        self.values: dict[str, JsonValue] = {"said": self.said, **values}


class ResticMissing(ResticError):
    """There is no such program."""

    reason = "restic_missing"


class WrongPassword(ResticError):
    """The password opens none of the repository's keys."""

    reason = "wrong_password"


class NoRepository(ResticError):
    """There is no repository at that place: none was made, or its medium is away."""

    reason = "no_repository"


class MediumMissing(ResticError):
    """There is no repository at a place where there was one: its medium is away."""

    reason = "medium_missing"


class SnapshotGone(ResticError):
    """The repository has no such snapshot."""

    reason = "snapshot_gone"


class FileMissing(ResticError):
    """The snapshot has no such file."""

    reason = "file_not_in_snapshot"


class RepositoryLocked(ResticError):
    """Another process holds a lock. `values`: `pid`, `host`, `user`, `since` (a moment, or as restic writes
    it), the repository's `location`, and whether it is `ours`: a restic that we started and that lives."""

    reason = "locked"


class DiskFull(ResticError):
    """No space left where the repository, the cache or the restored files are."""

    reason = "disk_full"


class NotPermitted(ResticError):
    """The system or the storage does not allow it."""

    reason = "not_permitted"


class StorageUnavailable(ResticError):
    """The storage does not answer, or says that it can't now (S3: 503)."""

    reason = "storage_unavailable"


class Damaged(ResticError):
    """The repository is not what it was when it was written."""

    reason = "damaged"


class TimedOut(ResticError):
    """It took longer than it may, and was ended. `values`: `seconds`."""

    reason = "timed_out"


class Cancelled(ResticError):
    """Somebody asked for its end."""

    reason = "cancelled"


class StillWriting(ResticError):
    """A restic that was left behind still writes to where something shall be restored. `values`: its `pid`
    and the `folder`."""

    reason = "still_writing"


class SourceMissing(ResticError):
    """A path to back up is not there. restic itself passes over it in silence. `values`: `path`."""

    reason = "source_missing"


class Incomplete(ResticError):
    """Some files could not be read: the snapshot that was made has not all, and does not count."""

    reason = "incomplete"


class DumpEmpty(ResticError):
    """The program whose output should have been backed up wrote nothing. `values`: `program`."""

    reason = "dump_empty"


class DumpFailed(ResticError):
    """The program whose output should have been backed up failed: no snapshot was made. `values`: `program`
    and its exit `status`."""

    reason = "dump_failed"


_LOCK = re.compile(
    r"already locked(?: exclusively)? by PID (?P<pid>\d+) on (?P<host>\S+) by (?P<user>\S+)"
    r"(?:.*?lock was created at (?P<since>[0-9-]+ [0-9:]+))?",
    re.DOTALL,
)
RETRYING = re.compile(r"returned error, retrying after|failed, retrying")
"""What restic says each time that the storage did not take something."""

_WORDS: tuple[tuple[re.Pattern[str], type[ResticError]], ...] = (
    (re.compile(r"wrong password or no key found|an empty password is not a password"), WrongPassword),
    (re.compile(r"no matching ID found"), SnapshotGone),
    (re.compile(r"not found in snapshot"), FileMissing),
    (re.compile(r"no space left on device|disk quota exceeded|file too large", re.IGNORECASE), DiskFull),
    (
        re.compile(
            r"ciphertext verification failed|invalid data returned|Pack ID does not match"
            r"|(?:hash|ID) (?:mismatch|does not match)|pack \w+: (?:does not exist|unexpected file size)"
            r"|Load\(<\w+/\w+>.*(?:no such file or directory|unexpected EOF|NoSuchKey|does not exist)"
            r"|repository contains errors|LoadIndex returned errors|There were \d+ errors",
        ),
        Damaged,
    ),
    (
        re.compile(
            r"\b50[0234] (?:Internal|Bad|Service|Gateway)|SlowDown|ServiceUnavailable|Service Unavailable"
            r"|reduce your request rate|InternalError|dial tcp|connection re(?:fused|set)|no such host"
            r"|i/o timeout|TLS handshake"
            r"|: EOF$|input/output error|stale (?:NFS )?file handle|transport endpoint",
            re.IGNORECASE | re.MULTILINE,
        ),
        StorageUnavailable,
    ),
    (
        re.compile(
            r"Access ?Denied|permission denied|operation not permitted|InvalidAccessKeyId"
            r"|SignatureDoesNotMatch|403 Forbidden|read-only file system",
            re.IGNORECASE,
        ),
        NotPermitted,
    ),
    (
        re.compile(
            r"Is there a repository at|unable to open config file|repository does not exist"
            r"|bucket does not exist|NoSuchBucket"
        ),
        NoRepository,
    ),
)
_STATUSES: dict[int, type[ResticError]] = {3: Incomplete, 10: NoRepository, 12: WrongPassword}
"""Of restic 0.17 and later, and 3, which is older."""


def error_of(status: int, lines: Sequence[str]) -> ResticError:
    """The error that restic means by that exit status and those lines on standard error."""
    text = "\n".join(lines)
    said = last_words(lines)
    lock = _LOCK.search(text)
    if lock is not None or status == 11:
        found = {} if lock is None else lock.groupdict()
        pid = found.get("pid")
        return RepositoryLocked(
            said,
            pid=None if pid is None else int(pid),
            host=found.get("host"),
            user=found.get("user"),
            since=found.get("since"),
        )
    if status in _STATUSES:
        return _STATUSES[status](said)
    for pattern, kind in _WORDS:
        if pattern.search(text):
            return kind(said)
    return ResticError(said or f"exit status {status}")


def last_words(lines: Sequence[str]) -> str:
    """The line that says most: restic's `Fatal: …`, else the last one."""
    told = [line.strip() for line in lines if line.strip()]
    fatal = [line for line in told if line.startswith("Fatal:")]
    return (fatal or told or [""])[-1].removeprefix("Fatal: ")[:_SAID_LIMIT]
