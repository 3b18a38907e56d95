"""What messages about the audit log need to know; the same rules as in `messages.facts`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from messages.facts import Facts


@dataclass(frozen=True, slots=True)
class AuditEntryFacts(Facts):
    """One entry as it stands in the log: whoever changed it may have written anything."""

    number: int
    at: str
    """a moment, if nobody changed it"""
    actor: str
    """a Slack user id, `guardian` or `cli`"""
    action: str
    """a code such as `silence.add`, in words under `terms.deed`"""
    subject: str
    """what it was about, such as `silence:3`"""
    plan: str | None
    """the hash of the plan that was approved"""
    outcome: str
    """done, refused or failed"""
    detail: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AuditListFacts(Facts):
    """The answer to `audit`."""

    command: str
    """the slash command as people type it, `/guardian`"""
    entries: tuple[AuditEntryFacts, ...]
    """newest first"""
    total: int
    """entries in the whole log"""
    limit: int
    """how many were asked for"""
    words: tuple[str, ...]
    """what they were to be about; nothing in particular when empty"""
    before: int | None
    """only those with a lower number were asked for"""
    older_than: int | None
    """the number before which there are more; None if there are none"""
    waiting: int
    """deeds that the database has not taken yet"""
