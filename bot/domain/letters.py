"""What goes out: a letter is one thing to tell, written down before it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from pydantic import JsonValue

APPRISE = "apprise:"
"""A channel that begins like this is none of Slack's, but a target of the second way out."""


class LetterKind(StrEnum):
    """What the sender does with a letter."""

    CARD = "card"
    """a new message; its place is remembered for the stream"""
    EDIT = "edit"
    """draws the stream's card again; only the newest of several unsent ones matters"""
    NOTE = "note"
    """a line in the thread of the stream's card"""


class Priority(IntEnum):
    """Who goes first when there is a queue (design, Delivery); smaller is sooner."""

    EMERGENCY = 0
    CRITICAL = 1
    ANSWER = 2
    ALERT = 3
    EDIT = 4
    INFO = 5


class LetterState(StrEnum):
    """What has become of a letter."""

    QUEUED = "queued"
    SENT = "sent"
    SUPERSEDED = "superseded"
    """a newer edit of the same card says it all"""
    DEAD = "dead"
    """given up after a day, or refused for good; shown in `status`"""


@dataclass(frozen=True, slots=True)
class Letter:
    """One thing to tell. Letters of one stream go out in the order of their ids."""

    id: int
    stream: str
    """what it belongs to, `alert:12`; a card and everything about it share one"""
    kind: LetterKind
    channel: str
    """name of the channel, without #"""
    template: str
    facts: Mapping[str, JsonValue]
    priority: Priority
    created_at: datetime
    since: datetime
    """when the thing it tells was measured or done; the card shows how long it took from there to Slack"""
    broadcast: bool = False
    """a note that the channel sees too"""
    attempts: int = 0
    leased_until: datetime | None = None
    """set before it is sent: after a crash, a letter with a lease may or may not have arrived"""


@dataclass(frozen=True, slots=True)
class Card:
    """Where the card of a stream is."""

    stream: str
    channel_id: str
    ts: str
    posted_at: datetime
    delivery_ms: int
    """from the check that made it until Slack took it"""


PAGES = ("page", "storm_page")
"""Templates of letters that call people."""


def calls_nobody(letter: Letter) -> bool:
    """Whether a card as this letter draws it asks nobody for anything: the alert is acknowledged or over, or
    everything that a storm gathers is. A page that waits is not wanted any more then."""
    facts = letter.facts
    match letter.template:
        case "alert":
            return facts.get("status") in ("acked", "resolved")
        case "storm":
            return facts.get("open") == facts.get("acked")
    return False
