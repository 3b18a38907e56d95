"""A small language for what a JSON value may be, with Slack's way of saying what is wrong.

A rule is asked with a value and its JSON pointer and yields complaints such as
`must be less than 3001 characters [json-pointer:/blocks/0/text/text]`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from pydantic import JsonValue


def complaint(text: str, pointer: str) -> str:
    """One complaint in Slack's form."""
    return f"{text} [json-pointer:{pointer}]"


class Rule(Protocol):
    """Something that can be asked whether a value is allowed."""

    def complaints(self, value: JsonValue, pointer: str) -> Iterator[str]:
        """What is wrong with the value; nothing when it is allowed."""
        ...


@dataclass(frozen=True)
class Str:
    """A string of `least` to `most` characters."""

    most: int
    least: int = 1

    def complaints(self, value: JsonValue, pointer: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield complaint("must be a string", pointer)
        elif len(value) > self.most:
            yield complaint(f"must be less than {self.most + 1} characters", pointer)
        elif len(value) < self.least:
            yield complaint(f"must be more than {self.least - 1} characters", pointer)


@dataclass(frozen=True)
class Pattern:
    """A string of a certain form, as a regular expression."""

    form: str

    def complaints(self, value: JsonValue, pointer: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield complaint("must be a string", pointer)
        elif not re.search(self.form, value):
            yield complaint(f"input must match regex pattern: {self.form}", pointer)


@dataclass(frozen=True)
class Url:
    """A web address of at most `most` characters."""

    most: int = 3000

    def complaints(self, value: JsonValue, pointer: str) -> Iterator[str]:
        yield from Str(self.most).complaints(value, pointer)
        if isinstance(value, str) and value and not _is_url(value):
            yield complaint("invalid url", pointer)


def _is_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return bool(parts.scheme) and bool(parts.netloc or parts.scheme == "mailto")


@dataclass(frozen=True)
class Bool:
    """True or false."""

    def complaints(self, value: JsonValue, pointer: str) -> Iterator[str]:
        if not isinstance(value, bool):
            yield complaint("must be a boolean", pointer)


@dataclass(frozen=True)
class Int:
    """A whole number from `least` to `most`."""

    least: int
    most: int

    def complaints(self, value: JsonValue, pointer: str) -> Iterator[str]:
        if isinstance(value, bool) or not isinstance(value, int):
            yield complaint("must be an integer", pointer)
        elif not self.least <= value <= self.most:
            yield complaint(f"must be between {self.least} and {self.most}", pointer)


@dataclass(frozen=True)
class OneOf:
    """One of several words."""

    words: frozenset[str]

    def complaints(self, value: JsonValue, pointer: str) -> Iterator[str]:
        if not isinstance(value, str) or value not in self.words:
            yield complaint(f"must be one of {', '.join(sorted(self.words))}", pointer)


@dataclass(frozen=True)
class Anything:
    """Any object; used where Slack is lenient."""

    def complaints(self, value: JsonValue, pointer: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield complaint("must be an object", pointer)


@dataclass(frozen=True)
class Many:
    """A list of `least` to `most` items."""

    item: Rule
    most: int
    least: int = 1

    def complaints(self, value: JsonValue, pointer: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield complaint("must be an array", pointer)
            return
        if len(value) > self.most:
            yield complaint(f"no more than {self.most} items allowed", pointer)
        if len(value) < self.least:
            yield complaint(f"must have at least {self.least} items", pointer)
        for index, item in enumerate(value):
            yield from self.item.complaints(item, f"{pointer}/{index}")


@dataclass(frozen=True)
class Shape:
    """An object with fields of its own.

    `needs` are required fields, `may` optional ones, `any_of` fields of which one at least must be there,
    `one_of` fields of which exactly one must be. Fields that no rule names are refused, as Slack does.
    """

    needs: Mapping[str, Rule] = field(default_factory=dict)
    may: Mapping[str, Rule] = field(default_factory=dict)
    any_of: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()

    def complaints(self, value: JsonValue, pointer: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield complaint("must be an object", pointer)
            return
        for name, rule in self.needs.items():
            if value.get(name) is None:
                yield complaint(f"missing required field: {name}", pointer)
            else:
                yield from rule.complaints(value[name], f"{pointer}/{name}")
        present = [name for name in (*self.any_of, *self.one_of) if value.get(name) is not None]
        if self.any_of and not present:
            yield complaint(f"must define either `{'` or `'.join(self.any_of)}`", pointer)
        if self.one_of and len(present) != 1:
            yield complaint(f"must provide exactly one of: {', '.join(self.one_of)}", pointer)
        for name, item in value.items():
            if name == "type" or name in self.needs:
                continue
            if name not in self.may:
                yield complaint(f"invalid additional property: {name}", pointer)
            elif item is not None:
                yield from self.may[name].complaints(item, f"{pointer}/{name}")


@dataclass(frozen=True)
class Typed:
    """An object whose `type` says which rule it follows.

    Rules are looked up when asked, so that tables may refer to each other.
    """

    rules: Callable[[], Mapping[str, Rule]]
    allowed: frozenset[str] | None = None

    def complaints(self, value: JsonValue, pointer: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield complaint("must be an object", pointer)
            return
        kind = value.get("type")
        rules = self.rules()
        if not isinstance(kind, str):
            yield complaint("missing required field: type", pointer)
        elif kind not in rules or (self.allowed is not None and kind not in self.allowed):
            yield complaint(f"unsupported type: {kind}", pointer)
        else:
            yield from rules[kind].complaints(value, pointer)
