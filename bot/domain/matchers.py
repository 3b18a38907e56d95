"""Matchers over labels: which alerts a route, a silence, a window or an inhibition is about.

How people write them is in `bot.domain.matcher_notation`. Regular expressions are RE2's: they match the whole
value, and take time in proportion to its length whatever they are, so that none can run away.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Protocol

from bot.domain.levels import Level

LEVEL = "level"
"""The label that every alert has and that changes during its life."""
ALWAYS_THERE = frozenset({"environment", "layer", "metric", "target", "source", LEVEL})
"""Labels that every alert of ours has (`bot.domain.labels`)."""

_PLAIN = re.compile(r"[^\s,\"'“”‘’=!~<>\\]+")
_SAMPLES = ("a", "Z", "0", "web-1", "가", "-._:/@ ", "🔥", "x" * 40, "https://shop.example.com/?q=1")
"""Values that have nothing in common: what matches all of them matches everything, as far as people care."""


class Pattern(Protocol):
    """What we need of a compiled regular expression."""

    def fullmatch(self, text: bytes) -> object | None:
        """Something if the expression describes the whole text."""
        ...


class Operator(StrEnum):
    """How a label is compared."""

    IS = "="
    IS_NOT = "!="
    LIKE = "=~"
    UNLIKE = "!~"
    AT_LEAST = ">="
    AT_MOST = "<="


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison. An absent label is the empty text. AT_LEAST and AT_MOST are for `level` only."""

    label: str
    operator: Operator
    value: str

    def holds(self, labels: Mapping[str, str], level: Level | None) -> bool:
        """Whether labels and level are as it says; without a level only negations hold for it."""
        if self.label == LEVEL:
            return self._holds_for_level(level)
        found = labels.get(self.label, "")
        match self.operator:
            case Operator.IS:
                return found == self.value
            case Operator.IS_NOT:
                return found != self.value
            case Operator.LIKE:
                return matches_whole(self.value, found)
            case Operator.UNLIKE:
                return not matches_whole(self.value, found)
        return False

    def _holds_for_level(self, level: Level | None) -> bool:
        word = level.word if level is not None else ""
        match self.operator:
            case Operator.IS:
                return word == self.value
            case Operator.IS_NOT:
                return word != self.value
            case Operator.LIKE:
                return matches_whole(self.value, word)
            case Operator.UNLIKE:
                return not matches_whole(self.value, word)
        if level is None:
            return False
        bound = Level.of(self.value)
        return level >= bound if self.operator is Operator.AT_LEAST else level <= bound

    @property
    def always_holds(self) -> bool:
        """Whether no alert could fail it: `target=~".*"`, `level>=info`."""
        if self.label == LEVEL:
            return all(self._holds_for_level(level) for level in Level)
        absent = () if self.label in ALWAYS_THERE else ("",)
        if self.operator in (Operator.LIKE, Operator.UNLIKE):
            holds = [self.holds({self.label: value}, None) for value in (*absent, *_SAMPLES)]
            # That a value is unlike all samples says little; unlike the empty text says everything.
            return all(holds) and (self.operator is Operator.LIKE or self.value == "")
        return self.operator is Operator.IS_NOT and self.value == "" and not absent

    def __str__(self) -> str:
        """How it is written, values that are not plain in quotes."""
        plain = _PLAIN.fullmatch(self.value) is not None
        if plain and self.operator not in (Operator.LIKE, Operator.UNLIKE):
            return f"{self.label}{self.operator.value}{self.value}"
        quoted = self.value.replace("\\", "\\\\").replace('"', '\\"')
        return f'{self.label}{self.operator.value}"{quoted}"'


@dataclass(frozen=True, slots=True)
class Matcher:
    """Conditions that must all hold; none: everything matches."""

    conditions: tuple[Condition, ...] = ()

    def matches(self, labels: Mapping[str, str], level: Level | None) -> bool:
        """Whether an alert with those labels at that level is meant."""
        return all(condition.holds(labels, level) for condition in self.conditions)

    def failing(self, labels: Mapping[str, str], level: Level | None) -> Condition | None:
        """The first condition that does not hold; None if all do."""
        return next((each for each in self.conditions if not each.holds(labels, level)), None)

    @property
    def asks_for_level(self) -> bool:
        """Whether the answer may differ with the level."""
        return any(condition.label == LEVEL for condition in self.conditions)

    def __str__(self) -> str:
        """The canonical text, which `matcher_notation.parse` reads as the same; `*` for everything."""
        return ", ".join(map(str, self.conditions)) or "*"


EVERYTHING = Matcher()


def matches_everything(matcher: Matcher) -> bool:
    """Whether no alert could fail it, also for `target=~".*"` and `level>=info`."""
    return all(condition.always_holds for condition in matcher.conditions)


def contradiction(matcher: Matcher) -> tuple[Condition, ...]:
    """The conditions about one label that no value can meet together, such as `service=a, service=b`; none if
    there are none as far as can be told: of regular expressions alone it can't, but for the five levels."""
    about: dict[str, list[Condition]] = {}
    for condition in matcher.conditions:
        about.setdefault(condition.label, []).append(condition)
    for label, conditions in about.items():
        if label == LEVEL:
            possible = any(all(each.holds({}, level) for each in conditions) for level in Level)
        else:
            value = next((each.value for each in conditions if each.operator is Operator.IS), None)
            possible = value is None or all(each.holds({label: value}, None) for each in conditions)
        if not possible:
            return tuple(conditions)
    return ()


def exactly(labels: Mapping[str, str]) -> Matcher:
    """The matcher for alerts that have all of these labels."""
    return Matcher(tuple(Condition(label, Operator.IS, value) for label, value in labels.items()))


def matches_whole(expression: str, text: str) -> bool:
    """Whether the expression describes the whole text; False for an expression that is none."""
    pattern = pattern_of(expression)
    # Half of a surrogate pair cannot be encoded, and nobody means one.
    return pattern is not None and pattern.fullmatch(text.encode(errors="replace")) is not None


@lru_cache(maxsize=1024)
def pattern_of(expression: str) -> Pattern | None:
    """The compiled expression; None if it is none, or would need more than a megabyte."""
    import re2  # 3 MB that only those pay who use regular expressions

    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    options.max_mem = 1 << 20
    try:
        pattern: Pattern = re2.compile(expression.encode(errors="replace"), options)
    except re2.error:
        return None
    return pattern
