"""What short answers and notices need to know; the same rules as in `messages.facts`."""

from __future__ import annotations

from dataclasses import dataclass

from messages.facts import AlertFacts, CommandFacts, Facts


@dataclass(frozen=True, slots=True)
class HelpFacts(Facts):
    """The answer to `help`."""

    command: str
    """the slash command as people type it, `/guardian`"""
    commands: tuple[CommandFacts, ...]


@dataclass(frozen=True, slots=True)
class VersionFacts(Facts):
    """The answer to `version`."""

    version: str
    python: str
    host: str
    started_at: str


@dataclass(frozen=True, slots=True)
class UnknownCommandFacts(Facts):
    """Somebody typed a subcommand that does not exist."""

    typed: str
    nearest: str | None
    command: str
    commands: tuple[CommandFacts, ...]


@dataclass(frozen=True, slots=True)
class BadArgumentFacts(Facts):
    """A subcommand was given something it cannot use."""

    command: str
    """the slash command as people type it, `/guardian`"""
    name: str
    """the subcommand"""
    argument: str
    """what was typed"""
    usage: str
    """how its arguments are written, `[ID]`; empty when it takes none"""
    korean: str = ""
    """the subcommand in Korean"""
    key: str = ""
    """of the term (`terms.usage`) for how they are written, where it is not the subcommand's"""


@dataclass(frozen=True, slots=True)
class UnclosedQuoteFacts(Facts):
    """A quote was begun and not ended."""

    rest: str
    """what stands behind it"""


@dataclass(frozen=True, slots=True)
class NotFoundFacts(Facts):
    """What was asked for does not exist."""

    kind: str
    """alert or probe"""
    name: str
    known: tuple[str, ...] = ()
    """what there is instead, the nearest first"""


@dataclass(frozen=True, slots=True)
class NumberMissingFacts(Facts):
    """Something is to be ended, and nobody said which."""

    kind: str
    """silence or window"""
    command: str
    """the slash command as people type it, `/guardian`"""
    known: tuple[str, ...]
    """the numbers there are"""


@dataclass(frozen=True, slots=True)
class ErrorFacts(Facts):
    """A bug: the log holds the rest under the same reference."""

    reference: str
    """four characters, printed as `#a1f3`"""


@dataclass(frozen=True, slots=True)
class ClickFacts(Facts):
    """The answer to a click on an alert's card: `stale_click`, `ack_done`, `already_acked`."""

    alert: AlertFacts
    """the alert as it is now"""


@dataclass(frozen=True, slots=True)
class StormAckedFacts(Facts):
    """Somebody took all alerts of a storm."""

    storm: int
    count: int
    """how many that were; 0 when nothing was left to take"""


@dataclass(frozen=True, slots=True)
class StoreDownFacts(Facts):
    """The database cannot be written."""

    host: str
    at: str
    problem: str
    """why, in the database's words"""


@dataclass(frozen=True, slots=True)
class StoreBackFacts(Facts):
    """The database can be written again."""

    host: str
    down_since: str
    at: str


@dataclass(frozen=True, slots=True)
class DeadLetterFacts(Facts):
    """A letter that Slack refused for good or for too long."""

    kind: str
    """the message's name, `alert`"""
    headline: str
    """what it said, in a line"""
    channel: str
    error: str
    """Slack's error name, or what went wrong on the way"""
    attempts: int
    created_at: str
    dead_letters: int
    """how many there are now, this one included"""


@dataclass(frozen=True, slots=True)
class DeliveredLateFacts(Facts):
    """Slack was away, and what had waited has now been delivered."""

    away_from: str
    away_to: str
    letters: int


@dataclass(frozen=True, slots=True)
class ChannelBlockedFacts(Facts):
    """A channel takes nothing until somebody mends it; told in another one."""

    channel: str
    problem: str
    """Slack's error name: channel_not_found, not_in_channel, is_archived …"""
    waiting: int
    """messages that wait"""
    at: str
