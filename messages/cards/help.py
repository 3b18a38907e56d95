"""What people can say to the Guardian, and what the buttons do."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from messages import blocks
from messages.blocks import Draft
from messages.cards.readings import rows
from messages.templates import Words

COMMANDS_SHOWN = 30


def layout(words: Words, facts: Mapping[str, JsonValue]) -> Draft:
    """The answer to `help` (`messages.answer_facts.HelpFacts`)."""
    headline = words("headline", facts)
    lines = command_lines(words, facts)
    return Draft(
        "\n".join([headline, *lines]),
        (
            blocks.section("headline", f"*{headline}*"),
            blocks.section("commands", "\n".join(lines)),
            blocks.section("buttons", words("buttons")),
            blocks.context("ways", words("ways")),
        ),
    )


def command_lines(words: Words, facts: Mapping[str, JsonValue]) -> list[str]:
    """A line for each command; `words` are those of `help`, `facts` have `command` and `commands`."""
    return [words("command", facts, each) for each in rows(facts["commands"])[:COMMANDS_SHOWN]]
