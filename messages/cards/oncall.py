"""Who is on call in every schedule, or in one of them with what comes next."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue
from slackblocks import Block

from messages import blocks
from messages.blocks import Draft
from messages.cards.readings import rows
from messages.templates import Words

SCHEDULES_SHOWN = 10
OVERRIDES_SHOWN = 4
SHIFTS_SHOWN = 10
_BUDGET = blocks.BUDGET - 1500
"""without what stands below the schedules"""


def layout(words: Words, facts: Mapping[str, JsonValue]) -> Draft:
    """The answer to `oncall` (`messages.oncall_facts.DutyListFacts`), in the given order, as many as fit."""
    schedules = rows(facts["schedules"])
    headline = words("headline", facts)
    body: list[Block] = [blocks.section("headline", f"*{headline}*")]
    lines: list[str] = [headline]
    shown = 0
    for duty in schedules[:SCHEDULES_SHOWN]:
        section = blocks.section(f"schedule:{shown}", "\n".join(_lines(words, duty)))
        if blocks.length([*body, section]) > _BUDGET:
            break
        body.append(section)
        lines.append(words("schedule", duty))
        shown += 1
    if len(schedules) == 1:
        shifts = [words("shift", each) for each in rows(schedules[0]["shifts"])[:SHIFTS_SHOWN]]
        if shifts:
            body.append(blocks.section("shifts", "\n".join([words("shifts_head"), *shifts])))
    if shown < len(schedules):
        body.append(blocks.context("more", words("more", len(schedules) - shown)))
    body.append(blocks.context("small", words("small", facts)))
    return Draft("\n".join(lines), tuple(body))


def _lines(words: Words, duty: Mapping[str, JsonValue]) -> list[str]:
    """One schedule with those who stand in."""
    overrides = rows(duty["overrides"])
    lines = [words("schedule", duty), *(words("override", each) for each in overrides[:OVERRIDES_SHOWN])]
    if len(overrides) > OVERRIDES_SHOWN:
        lines.append(words("more_overrides", len(overrides) - OVERRIDES_SHOWN))
    return lines
