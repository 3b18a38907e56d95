"""Whether the machine is as well after a stage of a cleanup as it was before: what a look at it says."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from pydantic import JsonValue

from bot.domain.alerts.model import Rules
from bot.domain.levels import Level
from bot.domain.operations.plan import JsonObject
from probes.base import Layer, Reading

REACHABLE = "reachable"
"""the metric of an address that answers (1) or not (0)"""
_NAMED = 5
"""of what was looked at, on the card"""
_FEWEST_LOOKS, _MOST_LOOKS = 2, 4


class Measure(NamedTuple):
    """A metric of a target."""

    metric: str
    target: str


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at the machine gave. Absent is not well: what gave no reading is in `unknown`."""

    bad: Mapping[Measure, int] = field(default_factory=dict)
    """what is at critical or worse, or does not answer; in how many looks it has to be so before it counts"""
    well: frozenset[Measure] = frozenset()
    unknown: frozenset[tuple[str, str]] = frozenset()
    """probes and the targets of which they had no reading"""
    probes: tuple[str, ...] = ()
    """the probes that were asked, but for those of addresses"""
    addresses: tuple[str, ...] = ()


def look_of(readings: Iterable[tuple[str, Layer, Reading]], rules: Rules) -> Look:
    """What readings say, each with the name and the layer of its probe; judged by the bands of the rules. A
    metric without bands says nothing, but for an address that does not answer."""
    bad: dict[Measure, int] = {}
    well: set[Measure] = set()
    unknown: dict[tuple[str, str], None] = {}
    names: dict[str, None] = {}
    addresses: dict[str, str] = {}
    for name, layer, reading in readings:
        names[name] = None
        if reading.metric == REACHABLE:
            addresses[reading.target] = name
        measure = Measure(reading.metric, reading.target)
        rule = rules.rule_for(reading.metric, reading.target, layer)
        if reading.value is None:
            unknown[name, reading.target] = None
            continue
        level = None if rule.bands is None else rule.bands.level_of(reading.value)
        if level is not None and level >= Level.CRITICAL:
            bad[measure] = min(max(rule.checks_for(level), _FEWEST_LOOKS), _MOST_LOOKS)
        elif reading.metric == REACHABLE and reading.value < 1:
            bad[measure] = _FEWEST_LOOKS
        elif rule.bands is not None or reading.metric == REACHABLE:
            well.add(measure)
    # How fast an address answers that does not answer is no second question.
    silent = {measure.target for measure in bad if measure.metric == REACHABLE}
    return Look(
        bad,
        frozenset(well),
        frozenset(each for each in unknown if each[1] not in silent),
        tuple(name for name in names if name not in addresses.values()),
        tuple(addresses),
    )


def suspects(look: Look, before: Collection[Measure]) -> dict[Measure, int]:
    """What is bad and was not before, with the looks that it takes."""
    return {measure: looks for measure, looks in look.bad.items() if measure not in before}


def looked_again(look: Look, again: Look) -> Look:
    """The look, with what another one has found out since: what was bad and is well by now is no longer bad.
    No reading clears nobody."""
    bad = {measure: looks for measure, looks in look.bad.items() if measure not in again.well}
    return replace(look, bad=bad, well=look.well | again.well)


def told(look: Look, alerts: Collection[Measure]) -> JsonObject:
    """What was looked at and found, for the card of a stage that has brought nothing bad; `alerts`: what is
    at critical by the open ones."""
    return {
        "well": len(look.well),
        "probes": list(look.probes),
        "addresses": list(look.addresses[:_NAMED]),
        "more": max(len(look.addresses) - _NAMED, 0),
        "bad": measures({*look.bad, *alerts}),
        "unknown": [{"probe": probe, "target": target} for probe, target in sorted(look.unknown)[:_NAMED]],
        "unknowns": len(look.unknown),
    }


def measures(found: Iterable[Measure]) -> list[JsonValue]:
    """The first of them, for a sentence."""
    return [{"metric": each.metric, "target": each.target} for each in sorted(found)[:_NAMED]]
