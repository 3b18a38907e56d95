"""Many readings in few lines: each metric's worst targets by name, the rest as a count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from pydantic import JsonValue

from messages.templates import Words

TARGETS_SHOWN = 3
LINES_SHOWN = 24
_RANK = {"info": 1, "warning": 2, "error": 3, "critical": 5, "emergency": 6}
_UNMEASURED = 4
"""A reading without a value ranks where the alert that it raises does: above warning, below critical."""


def rows(facts: JsonValue) -> list[Mapping[str, JsonValue]]:
    """A list of facts inside other facts; TypeError when it is something else."""
    if not isinstance(facts, list | tuple) or not all(isinstance(each, Mapping) for each in facts):
        raise TypeError("a list of facts was expected")
    return cast(list[Mapping[str, JsonValue]], list(facts))


def badness(reading: Mapping[str, JsonValue]) -> int:
    """0 for a reading inside its target, more the worse it is."""
    if reading["value"] is None:
        return _UNMEASURED
    return _RANK[str(reading["level"])] if reading["level"] is not None else 0


def reading_lines(words: Words, readings: Sequence[Mapping[str, JsonValue]]) -> list[str]:
    """The worst metric first, then in the given order; at most `LINES_SHOWN` lines and one that counts."""
    groups: dict[str, list[Mapping[str, JsonValue]]] = {}
    for each in readings:
        groups.setdefault(str(each["metric"]), []).append(each)
    lines: list[str] = []
    for metric, group in sorted(groups.items(), key=lambda item: -max(map(badness, item[1]))):
        lines.extend(_group_lines(words, metric, sorted(group, key=lambda each: -badness(each))))
    if not lines:
        return [words("no_readings")]
    if len(lines) > LINES_SHOWN:
        lines = [*lines[:LINES_SHOWN], words("more_readings", len(lines) - LINES_SHOWN)]
    return lines


def _group_lines(words: Words, metric: str, group: list[Mapping[str, JsonValue]]) -> list[str]:
    if len(group) <= TARGETS_SHOWN:
        return [words("reading", each) for each in group]
    bad = [each for each in group if badness(each)]
    lines = [words("reading", each) for each in bad[:TARGETS_SHOWN]]
    if len(bad) > TARGETS_SHOWN:
        lines.append(words("more_bad", metric, len(bad) - TARGETS_SHOWN))
    if len(group) > len(bad):
        lines.append(words("rest", metric, len(group) - len(bad), bool(bad), group[-1]["band"] is not None))
    return lines
