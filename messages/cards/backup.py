"""How the backups stand: a headline, repositories that cannot be used, each source in two lines, the
repositories and the last drill below."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue
from slackblocks import Block

from messages import blocks
from messages.blocks import Draft
from messages.cards.readings import rows
from messages.templates import Words

_TOGETHER = 4
"""sources in one section"""


def layout(words: Words, facts: Mapping[str, JsonValue]) -> Draft:
    """The answer to `backup status` (`messages.backup_facts.BackupStatusFacts`), in the given order; as many
    sources as fit."""
    headline = words("headline", facts)
    bad = [words("trouble", facts, each) for each in rows(facts["repositories"]) if each["trouble"]]
    lines = [words("source", each) for each in rows(facts["sources"])]
    missing = facts["missing"]
    below = [words("repository", each) for each in rows(facts["repositories"])]
    below += [words("missing", each) for each in (missing if isinstance(missing, list | tuple) else ())]
    below += [words("media", facts), words("drill", facts), words("how", facts)]
    shown = len(lines)
    while blocks.length(body := _blocks(words, headline, bad, lines, shown, below)) > blocks.BUDGET - 500:
        shown = shown * 9 // 10
    return Draft("\n".join([headline, *bad, *lines[:shown], *below]), tuple(body))


def _blocks(
    words: Words, headline: str, bad: list[str], lines: list[str], shown: int, below: list[str]
) -> list[Block]:  # fmt: skip
    body: list[Block] = [blocks.section("headline", f"*{headline}*")]
    if bad:
        body.append(blocks.section("troubles", "\n".join(bad)))
    for start in range(0, shown, _TOGETHER):
        body.append(
            blocks.section(f"sources:{start}", "\n".join(lines[start : min(shown, start + _TOGETHER)]))
        )
    if shown < len(lines):
        body.append(blocks.context("more", words("more", len(lines) - shown)))
    return [*body, blocks.context("how", *below)]
