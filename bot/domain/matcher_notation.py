"""Matchers as people write them: `service=shop, target=~"web-.*" level>=critical`.

Conditions stand behind each other with commas or blanks between. A value may stand in quotes, also in those
that phones and editors make of them; inside, a backslash keeps a quote or a backslash from its meaning.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.levels import Level
from bot.domain.matchers import LEVEL, Condition, Matcher, Operator, contradiction, pattern_of

TEXT_LIMIT = 8_000
"""Characters of a matcher: room for three labels of a reported alert, each of a thousand."""
CONDITION_LIMIT = 16
EXPRESSION_LIMIT = 500
"""Characters of a regular expression."""

_BLANK = re.compile(r"[\s,]*")
_LABEL = re.compile(r"\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!=|!~|>=|<=|=)(?![=~])[^\S\n]*")
_STRANGE_OPERATOR = re.compile(r"\s*[a-zA-Z_][a-zA-Z0-9_]*\s*([=!<>~]+)")
_BARE = re.compile(r"[^\s,\"“”]+")
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_QUOTES = {'"': '"', "“": "”“", "”": "”“", "'": "'", "‘": "’‘", "’": "’‘"}
"""What opens a quoted value, and what may close it."""


class MatcherFault(StrEnum):
    """What is wrong with a matcher; the sentence is `matchers.FAULT` in the phrases."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    TOO_MANY = "too_many"
    NO_CONDITION = "no_condition"
    OPERATOR = "operator"
    NO_VALUE = "no_value"
    OPEN_QUOTE = "open_quote"
    EXPRESSION = "expression"
    CONTROL = "control"
    NO_LEVEL = "no_level"
    ONLY_LEVEL = "only_level"
    ONLY_IS = "only_is"
    """labels are named, and not compared"""
    CONTRADICTION = "contradiction"
    """no alert can ever match"""


class MatcherInvalid(ValueError):
    """A text is no matcher. `position` counts characters from 1; `values` is what the sentence names."""

    def __init__(self, fault: MatcherFault, position: int, **values: str | int) -> None:
        super().__init__(f"{fault.value} at {position}")
        self.fault = fault
        self.position = position
        self.values: Mapping[str, str | int] = {"position": position, **values}


@dataclass(frozen=True, slots=True)
class _Value:
    text: str
    begin: int
    end: int


def parse(text: str) -> Matcher:
    """The matcher that `text` writes; `*` is the one for everything. Raises MatcherInvalid."""
    matcher, rest = parse_leading(text)
    if rest:
        raise _no_condition(text, len(text) - len(rest))
    return matcher


def parse_leading(text: str) -> tuple[Matcher, str]:
    """The matcher at the beginning of `text`, and what stands behind its last condition.

    Raises MatcherInvalid if there is none, or if one of its conditions can't be read.
    """
    if len(text) > TEXT_LIMIT:
        raise MatcherInvalid(MatcherFault.TOO_LONG, TEXT_LIMIT + 1, limit=TEXT_LIMIT)
    at = _skip(text, 0)
    if at == len(text):
        raise MatcherInvalid(MatcherFault.EMPTY, 1)
    if text[at] == "*" and (at + 1 == len(text) or text[at + 1] in " ,\t\n"):
        return Matcher(), text[_skip(text, at + 1) :]
    conditions: list[Condition] = []
    while at < len(text):
        found = _LABEL.match(text, at)
        if found is None:
            break
        if len(conditions) == CONDITION_LIMIT:
            raise MatcherInvalid(MatcherFault.TOO_MANY, at + 1, limit=CONDITION_LIMIT)
        value = _value(text, found.end())
        conditions.append(_condition(found[1], Operator(found[2]), value))
        at = _skip(text, value.end)
    strange = _STRANGE_OPERATOR.match(text, at)
    if strange is not None:
        raise MatcherInvalid(MatcherFault.OPERATOR, strange.start(1) + 1, text=strange[1][:20])
    if not conditions:
        raise _no_condition(text, at)
    return Matcher(tuple(conditions)), text[at:]


def refuse_contradiction(matcher: Matcher) -> None:
    """Raises MatcherInvalid if the matcher contradicts itself, so that it would never do anything."""
    found = contradiction(matcher)
    if found:
        raise MatcherInvalid(MatcherFault.CONTRADICTION, 1, text=", ".join(map(str, found))[:120])


def _no_condition(text: str, at: int) -> MatcherInvalid:
    word = _CONTROL.sub("", text[at:].split(maxsplit=1)[0])[:40]
    return MatcherInvalid(MatcherFault.NO_CONDITION, at + 1, text=word)


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found is not None else at


def _value(text: str, at: int) -> _Value:
    if at < len(text) and text[at] in _QUOTES:
        return _quoted(text, at)
    found = _BARE.match(text, at)
    if found is None:
        raise MatcherInvalid(MatcherFault.NO_VALUE, at + 1)
    return _Value(found[0], at, found.end())


def _quoted(text: str, begin: int) -> _Value:
    closing = _QUOTES[text[begin]]
    value: list[str] = []
    at = begin + 1
    while at < len(text):
        character = text[at]
        if character in closing:
            return _Value("".join(value), begin, at + 1)
        following = text[at + 1 : at + 2]
        if character == "\\" and following and (following == "\\" or following in closing):
            at += 1
            character = following
        value.append(character)
        at += 1
    raise MatcherInvalid(MatcherFault.OPEN_QUOTE, begin + 1)


def _condition(label: str, operator: Operator, value: _Value) -> Condition:
    text, position = value.text, value.begin + 1
    if _CONTROL.search(text):
        raise MatcherInvalid(MatcherFault.CONTROL, position)
    ordered = operator in (Operator.AT_LEAST, Operator.AT_MOST)
    if ordered and label != LEVEL:
        raise MatcherInvalid(MatcherFault.ONLY_LEVEL, position, text=operator.value)
    if operator in (Operator.LIKE, Operator.UNLIKE):
        if len(text) > EXPRESSION_LIMIT:
            raise MatcherInvalid(MatcherFault.TOO_LONG, position, limit=EXPRESSION_LIMIT)
        if pattern_of(text) is None:
            raise MatcherInvalid(MatcherFault.EXPRESSION, position, text=text[:80])
    elif label == LEVEL:
        if text.lower() not in (level.word for level in Level):
            known = ", ".join(level.word for level in Level)
            raise MatcherInvalid(MatcherFault.NO_LEVEL, position, text=text[:40], known=known)
        text = text.lower()
    return Condition(label, operator, text)
