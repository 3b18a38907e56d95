"""Kinds of values in the configuration: what people write, what it becomes, and what a refusal names."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from difflib import get_close_matches
from typing import Annotated
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from bot.domain.band_notation import BAND_PATTERN
from bot.domain.durations import DURATION_PATTERN, format_duration, parse_duration

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_CHANNEL = re.compile(r"[CG][A-Z0-9]{7,}|[^\W_](?:[\w-]){0,79}", re.UNICODE)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _duration(value: object) -> timedelta:
    if isinstance(value, str):
        try:
            return parse_duration(value)
        except ValueError:
            raise PydanticCustomError("duration", "no duration", {"text": value}) from None
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9:
        return timedelta(seconds=value)
    raise PydanticCustomError("duration", "no duration", {"text": str(value)})


def between(low: str, high: str) -> Callable[[timedelta], timedelta]:
    """A check that a duration is from `low` to `high`, both included."""
    lowest, highest = parse_duration(low), parse_duration(high)

    def check(value: timedelta) -> timedelta:
        if lowest <= value <= highest:
            return value
        # A negative duration has no notation of its own.
        shown = format_duration(value) if value >= timedelta() else f"{value.total_seconds():g}s"
        raise PydanticCustomError("duration_range", "out of range", {"text": shown, "low": low, "high": high})

    return check


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(format_duration, return_type=str, when_used="json"),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": DURATION_PATTERN},
                {"type": "number", "exclusiveMinimum": 0},
            ]
        }
    ),
]
Interval = Annotated[Duration, AfterValidator(between("1s", "1d"))]
Timeout = Annotated[Duration, AfterValidator(between("100ms", "5m"))]


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ValueError, OSError, KeyError):
        known = available_timezones()
        if not known:
            raise PydanticCustomError("timezone_no_data", "no time zone data") from None
        by_folded = {name.casefold(): name for name in known}
        near = get_close_matches(value.casefold(), by_folded, n=1)
        nearest = by_folded[near[0]] if near else ""
        raise PydanticCustomError("timezone", "no time zone", {"text": value, "nearest": nearest}) from None
    return value


Timezone = Annotated[str, AfterValidator(_timezone)]


def _http_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        raise PydanticCustomError("url", "no address", {"text": _without_user(value)}) from None
    if parts.username is not None or parts.password is not None:
        raise PydanticCustomError("url_credentials", "credentials in the address")
    if parts.scheme not in ("http", "https"):
        raise PydanticCustomError("url_scheme", "not http", {"text": value})
    if not parts.hostname or not port_is_fine or _CONTROL.search(value) or " " in value or len(value) > 2000:
        raise PydanticCustomError("url", "no address", {"text": value[:200]})
    return value


def _without_user(text: str) -> str:
    """`text` as it may be shown: whatever could be a password in an address is left out."""
    return re.sub(r"//[^/@]*@", "//…@", text)[:200]


HttpUrl = Annotated[
    str,
    AfterValidator(_http_url),
    WithJsonSchema({"type": "string", "format": "uri", "pattern": "^https?://"}),
]


def _statuses(value: object) -> tuple[int, int]:
    text = str(value).strip()
    match = re.fullmatch(r"(\d{3})(?:\s*[-–~]\s*(\d{3}))?", text)
    if match is not None and not isinstance(value, bool):
        low, high = int(match[1]), int(match[2] or match[1])
        if 100 <= low <= high <= 599:
            return low, high
    raise PydanticCustomError("statuses", "no statuses", {"text": text})


Statuses = Annotated[
    tuple[int, int],
    BeforeValidator(_statuses),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^\s*\d{3}(\s*[-–~]\s*\d{3})?\s*$"},
                {"type": "integer", "minimum": 100, "maximum": 599},
            ]
        }
    ),
]


def _channel(value: str) -> str:
    name = value.removeprefix("#")
    if not _CHANNEL.fullmatch(name) or (name != name.lower() and not re.fullmatch("[CG][A-Z0-9]{7,}", name)):
        raise PydanticCustomError("channel", "no channel", {"text": value})
    return name


Channel = Annotated[str, AfterValidator(_channel), Field(max_length=81)]


def _header_name(value: str) -> str:
    if not _HEADER.fullmatch(value):
        raise PydanticCustomError("header_name", "no header", {"text": value})
    return value


def _header_value(value: str) -> str:
    if _CONTROL.search(value) or len(value) > 4000:
        raise PydanticCustomError("header_value", "no header value")
    return value


HeaderName = Annotated[str, AfterValidator(_header_name)]
HeaderValue = Annotated[str, AfterValidator(_header_value)]


def _variable(value: str) -> str:
    if not _VARIABLE.fullmatch(value):
        raise PydanticCustomError("variable", "no variable", {"text": value})
    return value


Variable = Annotated[
    str, AfterValidator(_variable), WithJsonSchema({"type": "string", "pattern": f"^{_VARIABLE.pattern}$"})
]


def _name(value: str) -> str:
    if not value.strip() or _CONTROL.search(value) or len(value) > 200:
        raise PydanticCustomError("name", "no name")
    return value.strip()


Name = Annotated[str, AfterValidator(_name)]


def _command(value: object) -> object:
    """`npm` is a list of one word; a command with blanks has to be written as the list that it is."""
    if isinstance(value, str):
        if not value.strip() or re.search(r"\s", value):
            raise PydanticCustomError("command", "no command", {"text": value[:80]})
        return (value,)
    return value


def _words(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value[0].strip() or any("\0" in word for word in value):
        raise PydanticCustomError("command", "no command", {"text": " ".join(value)[:80]})
    return value


Command = Annotated[
    tuple[str, ...],
    Field(strict=False, min_length=1, max_length=50),
    BeforeValidator(_command, json_schema_input_type=str | tuple[str, ...]),
    AfterValidator(_words),
]

Port = Annotated[int, Field(ge=1, le=65535)]

BandText = Annotated[str, WithJsonSchema({"type": "string", "pattern": BAND_PATTERN})]

_SCHEMES = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


def database_url(value: str) -> str:
    """The address with the driver the store uses; PydanticCustomError for another database."""
    scheme, separator, rest = value.partition("://")
    driver = _SCHEMES.get(scheme.lower())
    if not separator or driver is None or (driver.startswith("sqlite") and len(rest) < 2):
        raise PydanticCustomError("database_url", "no database", {"text": _without_user(value)})
    return f"{driver}://{rest}"


def has_password(url: str) -> bool:
    """Whether a database address carries a password, before the host or as a parameter."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "@" in url
    return parts.password is not None or "password" in parse_qs(parts.query, keep_blank_values=True)
