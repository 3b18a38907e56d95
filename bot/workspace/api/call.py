"""A call of the Web API and the table of its methods."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import JsonValue

from bot.workspace.core import Workspace
from bot.workspace.errors import SlackError
from bot.workspace.model import App, JsonObject

T = TypeVar("T")
_TRUE = frozenset({"1", "true", "True", "TRUE"})


@dataclass(frozen=True, slots=True)
class Call:
    """One call: by which app, with which arguments. Forms bring all arguments as text."""

    workspace: Workspace
    app: App
    arguments: Mapping[str, JsonValue]

    def text(self, name: str, default: str = "") -> str:
        """A text argument; the default when it is absent or empty."""
        value = self.arguments.get(name)
        if value is None or value == "":
            return default
        return value if isinstance(value, str) else str(value)

    def needed(self, name: str) -> str:
        """A text argument. Raises SlackError `invalid_arguments` when it is absent."""
        value = self.text(name)
        if not value:
            raise invalid_arguments(f"missing required field: {name}")
        return value

    def number(self, name: str, default: int) -> int:
        """A whole number. Raises SlackError `invalid_arguments` on anything else."""
        value = self.text(name)
        if not value:
            return default
        try:
            return int(float(value))
        except (ValueError, OverflowError) as error:
            raise invalid_arguments(f"must be an integer [json-pointer:/{name}]") from error

    def flag(self, name: str, default: bool = False) -> bool:
        """True or false."""
        value = self.text(name)
        return default if not value else value in _TRUE

    def limit(self, default: int, most: int) -> int:
        """`limit`, as Slack bounds it. Raises SlackError `invalid_limit`."""
        value = self.number("limit", default)
        if value < 0 or value > most:
            raise SlackError("invalid_limit")
        return value or default


def invalid_arguments(problem: str) -> SlackError:
    """The refusal of an argument."""
    return SlackError("invalid_arguments", messages=[f"[ERROR] {problem}"])


Handler = Callable[[Call], Awaitable[JsonObject]]


@dataclass(frozen=True, slots=True)
class Method:
    """A method: what it does, one of which scopes it needs, which tier of calls a minute it has."""

    run: Handler
    scopes: tuple[str, ...]
    tier: int
    app_token: bool = False
    """it takes the app-level token instead of the bot's"""


METHODS: dict[str, Method] = {}


def method(name: str, *scopes: str, tier: int = 3, app_token: bool = False) -> Callable[[Handler], Handler]:
    """Put a function into the table. Tier 0 is for methods with a limit of their own."""

    def register(run: Handler) -> Handler:
        METHODS[name] = Method(run, scopes, tier, app_token)
        return run

    return register


def page_of(call: Call, items: Sequence[T], default: int = 100, most: int = 1000) -> tuple[list[T], str]:
    """The part of a list that the call's `cursor` and `limit` ask for, and the next cursor, empty at the end.

    Raises SlackError `invalid_cursor`.
    """
    limit = call.limit(default, most)
    start = read_cursor(call.text("cursor"), "offset")
    first = int(start) if start.isdigit() else 0
    part = list(items[first : first + limit])
    after = first + limit
    return part, cursor("offset", str(after)) if after < len(items) else ""


def cursor(kind: str, value: str) -> str:
    """An opaque cursor."""
    return base64.b64encode(f"{kind}:{value}".encode()).decode()


def read_cursor(given: str, kind: str) -> str:
    """What a cursor holds; empty without one. Raises SlackError `invalid_cursor`."""
    if not given:
        return ""
    try:
        found, _, value = base64.b64decode(given, validate=True).decode().partition(":")
    except ValueError as error:
        raise SlackError("invalid_cursor") from error
    if found != kind or not value:
        raise SlackError("invalid_cursor")
    return value


def with_cursor(body: JsonObject, next_cursor: str) -> JsonObject:
    """The answer with where the next page begins."""
    return {**body, "response_metadata": {"next_cursor": next_cursor}}
