"""What a subcommand is."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.engine.guardian import Guardian
from messages.answer_facts import BadArgumentFacts
from messages.facts import Facts

MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
"""Somebody mentioned, as Slack writes it; the first group is their id."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asked."""

    guardian: Guardian
    slash: str
    """the slash command as people type it, `/guardian`"""
    commands: tuple[Command, ...]
    """all subcommands"""
    arguments: tuple[str, ...]
    """what stands behind the subcommand, cut at blanks"""
    user_id: str
    text: str = ""
    """the same as it was typed, for names with blanks (`bot.slack.quoting`)"""
    url: str = ""
    """where answers to it go, for what is told later; empty in a conversation"""


@dataclass(frozen=True, slots=True)
class Form:
    """A form to open: its template, the facts for it, the name of what it sends, and what it keeps."""

    template: str
    facts: Facts
    callback: str
    metadata: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The message to answer with: its template and the facts for it."""

    template: str
    facts: Facts
    then: Awaitable[Answer | None] | None = None
    """what follows when that which takes longer is done"""
    form: Form | None = None
    """opened instead, where Slack lets us"""


def numbered(typed: str) -> int | None:
    """The number that somebody typed, with or without #; None if it is none that a row can have."""
    digits = typed.removeprefix("#")
    return int(digits) if digits.isdecimal() and len(digits) < 18 else None


@dataclass(frozen=True, slots=True)
class Command:
    """One subcommand. `name` and `korean` are both typed; `arguments` is how its arguments are written."""

    name: str
    korean: str
    arguments: str
    order: int
    answer: Callable[[Asked], Awaitable[Answer]]


def misused(asked: Asked, command: Command, usage: str = "", key: str = "") -> Answer:
    """That what was typed cannot be used. `usage`: how the arguments are written, where it is not as in the
    help; `key`: the term that says so in each language."""
    typed = " ".join(asked.arguments)
    facts = BadArgumentFacts(
        asked.slash, command.name, typed, usage or command.arguments, command.korean, key
    )
    return Answer("bad_argument", facts)
