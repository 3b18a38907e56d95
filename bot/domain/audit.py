"""The audit log: who did what, when, and how it ended, as a chain that shows whether it was changed.

Every entry holds the hash of the one before it and its own, SHA-256 over a fixed serialisation (`canonical`,
described in docs/audit.md), so that whoever changes an entry has to change all that follow it. A log that was
rewritten from some entry to its end is whole in itself: it shows only beside a head that was noted earlier
and kept elsewhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256

GUARDIAN, CLI = "guardian", "cli"
"""Actors that are no person."""
GENESIS = "0" * 64
"""What the first entry has in the place of the hash before it."""
TEXT_LIMIT = 500
"""Characters of one text in an entry. It says what was done; what somebody typed may be longer."""
DETAIL_LIMIT = 20
"""Values beside an entry."""

Detail = Mapping[str, str | int | bool | None]
"""What else there is to know: few values, flat."""

_HEADING = b"guardian audit 1\n"
_UNFIT = re.compile("[\x00\ud800-\udfff]")
_HEAD = re.compile(r"(0|[1-9][0-9]{0,17}):([0-9a-f]{64})")


class Action(StrEnum):
    """What people do. What it is called is in `terms.deed` of the phrases, under the same name."""

    ALERT_ACKNOWLEDGE = "alert.acknowledge"
    ALERT_RESOLVE = "alert.resolve"
    STORM_ACKNOWLEDGE = "storm.acknowledge"
    SILENCE_ADD = "silence.add"
    SILENCE_LIFT = "silence.lift"
    MAINTENANCE_ADD = "maintenance.add"
    MAINTENANCE_END = "maintenance.end"
    ONCALL_SWAP = "oncall.swap"
    ONCALL_UNDO = "oncall.undo"
    OPERATION_ASK = "operation.ask"
    OPERATION_APPROVE = "operation.approve"
    OPERATION_DENY = "operation.deny"
    OPERATION_CANCEL = "operation.cancel"
    OPERATION_BREAK_GLASS = "operation.break_glass"
    OPERATION_EXPIRE = "operation.expire"
    OPERATION_START = "operation.start"
    OPERATION_STOP = "operation.stop"
    OPERATION_HOLD = "operation.hold"
    OPERATION_GO = "operation.go"
    OPERATION_END = "operation.end"
    LOCK_TAKE = "lock.take"
    LOCK_LIFT = "lock.lift"
    FREEZE_ADD = "freeze.add"
    FREEZE_END = "freeze.end"


class Outcome(StrEnum):
    """How it ended. What it is called is in `terms.outcome`."""

    DONE = "done"
    REFUSED = "refused"
    """The Guardian would not: nothing was changed."""
    FAILED = "failed"
    """The Guardian could not: nothing was changed."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What is to be noted. `actor` is a Slack user id, `guardian` or `cli`; `subject` what it was about, such
    as `alert:7`; `plan` the hash of the plan that was approved, where there was one."""

    at: datetime
    actor: str
    action: Action
    subject: str
    outcome: Outcome = Outcome.DONE
    plan: str | None = None
    detail: Detail = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """One row, as it stands in the database: texts, and not what they mean, because anything may stand in a
    row that somebody changed. `at` is UTC as in `2026-03-01T09:00:00.000000Z`, `detail` a JSON object."""

    number: int
    """from 1 on, without gaps"""
    at: str
    actor: str
    action: str
    subject: str
    plan: str | None
    outcome: str
    detail: str
    previous: str
    """the hash of the entry before"""
    hash: str
    """its own: lower-case hexadecimal digits"""


@dataclass(frozen=True, slots=True)
class Head:
    """How far a log goes: the number of its last entry and that one's hash. `EMPTY` has none."""

    number: int
    hash: str

    def __str__(self) -> str:
        """As `head_of` reads it."""
        return f"{self.number}:{self.hash}"


EMPTY = Head(0, GENESIS)


def head_of(text: str) -> Head | None:
    """The head that `NUMBER:HASH` says; None if it is none."""
    found = _HEAD.fullmatch(text.strip())
    return None if found is None else Head(int(found[1]), found[2])


def sealed(deed: Deed, head: Head) -> Entry:
    """The entry for that deed behind the last one."""
    number, detail = head.number + 1, detail_text(deed.detail)
    actor, subject = _fit(deed.actor), _fit(deed.subject)
    plan = None if deed.plan is None else _fit(deed.plan)
    at, action, outcome = moment_text(deed.at), deed.action.value, deed.outcome.value
    open_entry = Entry(number, at, actor, action, subject, plan, outcome, detail, head.hash, "")
    return Entry(number, at, actor, action, subject, plan, outcome, detail, head.hash, hash_of(open_entry))


def canonical(entry: Entry, number: int | None = None) -> bytes:
    """What the hash is taken of: a heading, and each column but the hash as `LENGTH:BYTES` and a line feed,
    in the order of `Entry`; the length counts bytes of UTF-8, and a plan that is absent is `-` and a line
    feed. `number`: as if the entry had that number."""
    shown = str(entry.number if number is None else number)
    columns = (
        shown,
        entry.at,
        entry.actor,
        entry.action,
        entry.subject,
        entry.plan,
        entry.outcome,
        entry.detail,
        entry.previous,
    )
    return _HEADING + b"".join(map(_column, columns))


def hash_of(entry: Entry, number: int | None = None) -> str:
    """The hash that the entry should have, with another `number` if that is given."""
    return sha256(canonical(entry, number)).hexdigest()


def moment_text(moment: datetime) -> str:
    """A moment as an entry has it: in UTC, and of one length, so that texts sort as the moments do."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def span(starts_at: datetime, ends_at: datetime) -> dict[str, str]:
    """From when until when, as details."""
    return {"from": moment_text(starts_at), "until": moment_text(ends_at)}


def detail_text(detail: Detail) -> str:
    """The details as an entry has them: a JSON object without blanks, its keys sorted."""
    few = list(detail.items())[:DETAIL_LIMIT]
    fit = {_fit(name): _fit(value) if isinstance(value, str) else value for name, value in few}
    return json.dumps(fit, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def details_of(entry: Entry) -> dict[str, str]:
    """The details as texts; none for an entry whose detail is no JSON object any more."""
    try:
        read = json.loads(entry.detail)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(read, dict):
        return {}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in read.items()}


def _column(text: str | None) -> bytes:
    if text is None:
        return b"-\n"
    # A file that somebody edited by hand may hold what is no UTF-8: it comes, and is counted, as it is.
    data = text.encode("utf-8", "surrogateescape")
    return b"%d:%s\n" % (len(data), data)


def _fit(text: str) -> str:
    """A text that every database takes: without NUL and halves of surrogate pairs, and not too long."""
    fit = _UNFIT.sub("\ufffd", text)
    return fit if len(fit) <= TEXT_LIMIT else fit[: TEXT_LIMIT - 1] + "…"
