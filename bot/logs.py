"""Structured logs on standard error, for people or as JSON, with everything that looks secret masked."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

HIDDEN = "…"

_MASKS: tuple[tuple[re.Pattern[str], str], ...] = (
    # Slack's tokens: the prefix stays, it says which kind was meant.
    (re.compile(r"\b(x(?:ox[a-z](?:\.xox[a-z])?|app)-)[A-Za-z0-9._-]+"), rf"\g<1>{HIDDEN}"),
    (re.compile(r"\b(Bearer|Basic)(\s+)[A-Za-z0-9._~+/=-]+", re.IGNORECASE), rf"\g<1>\g<2>{HIDDEN}"),
    # Up to the last @: a password may itself hold one.
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@\"']*):[^\s\"']+@", re.IGNORECASE), rf"\g<1>:{HIDDEN}@"),
    (
        re.compile(
            r"\b((?:[a-z_]*password|passwd|[a-z_]*token|[a-z_]*secret|api_?key|ticket|signature)[\"']?\s*[=:]\s*[\"']?)"
            r"[^\s&\"',;)}]+",
            re.IGNORECASE,
        ),
        rf"\g<1>{HIDDEN}",
    ),
)
_SUSPICIOUS = re.compile(r"xox|xapp-|[\s:=]")
"""in whatever one of the masks fits: most values have none of it, and need one look instead of four"""
_SECRET_NAME = re.compile(
    r"token|secret|password|passwd|authorization|cookie|api_?key|signature", re.IGNORECASE
)
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]"
)
"""what steers a terminal, turns the direction of writing round, or shows as nothing; no tab, no line end"""
_CHATTY = (
    "slack_bolt",
    "slack_sdk",
    "slack_socket",
    "apscheduler",
    "aiohttp.access",
    "asyncio",
    "alembic",
    "aiosqlite",
)


def mask(text: str, known: Iterable[str] = ()) -> str:
    """`text` without tokens, authorization headers, passwords in addresses, and the `known` secrets."""
    for secret in known:
        text = text.replace(secret, HIDDEN)
    if _SUSPICIOUS.search(text) is None:
        return text
    for pattern, replacement in _MASKS:
        text = pattern.sub(replacement, text)
    return text


def visible(text: str) -> str:
    """`text` with its invisible characters as escapes that JSON knows too: `\\u202e`."""
    return _INVISIBLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


class Masking:
    """A processor that masks every value of an event, however deep."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        """`known` are secrets that have no form of their own, such as a signing secret."""
        self._known = tuple(sorted((secret for secret in known if len(secret) >= 6), key=len, reverse=True))

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        """The event with its values masked."""
        return {name: value if name[:1] == "_" else self._clean(name, value) for name, value in event.items()}

    def _clean(self, name: str, value: object) -> object:
        if value is None or isinstance(value, bool | int | float):
            return value
        if name not in ("event", "exception", "stack") and _SECRET_NAME.search(name):
            return HIDDEN
        if isinstance(value, Mapping):
            return {str(key): self._clean(str(key), child) for key, child in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._clean("", child) for child in value]
        return mask(value if isinstance(value, str) else repr(value), self._known)


def _all_visible(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """The event with every text visible; what is deeper is printed by `repr`, which sees to it itself."""
    return {name: visible(value) if isinstance(value, str) else value for name, value in event.items()}


def _as_json(event: object, default: Callable[[object], object]) -> str:
    return visible(json.dumps(event, default=default, ensure_ascii=False))


class _Handler(logging.StreamHandler[TextIO]):
    """Tells our handler from others'."""


def configure_logs(
    level: Literal["debug", "info", "warning", "error"] = "info",
    form: Literal["console", "json"] = "console",
    *,
    stream: TextIO | None = None,
    known_secrets: Iterable[str] = (),
) -> None:
    """Send all logs, structlog's and the standard library's, to `stream` (standard error by default).

    Libraries that talk a lot are heard from warnings on, unless `level` is debug. Calling it again replaces
    what was configured before.
    """
    out = sys.stderr if stream is None else stream
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    rendering: list[Processor]
    if form == "json":
        rendering = [structlog.processors.JSONRenderer(_as_json)]
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
        rendering = [_all_visible, renderer]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*before, structlog.stdlib.ExtraAdder()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            Masking(known_secrets),
            *rendering,
        ],
    )
    handler = _Handler(out)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    for old in list(root.handlers):
        if isinstance(old, _Handler):  # handlers that others put there (a test's) stay
            root.removeHandler(old)
    root.addHandler(handler)
    chosen = getattr(logging, level.upper())
    root.setLevel(chosen)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(chosen if level == "debug" else max(chosen, logging.WARNING))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *before,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
