"""The voice: facts in, a Slack message out.

A message is one template (`messages/ko/NAME.j2`, its macros are the sections) and, where it is more than a
sentence, one layout (`messages/cards/NAME.py`). Without a layout the section `text` is the whole message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import cast
from zoneinfo import ZoneInfo

import jinja2
from pydantic import JsonValue
from slackblocks import Block

from messages import blocks
from messages.blocks import Draft
from messages.catalog import FALLBACK, HERE, Catalog
from messages.escape import clean, clip, literal_text, truncate, unescape, value_text
from messages.templates import Templates, Words, environment

SEOUL = ZoneInfo("Asia/Seoul")
_PLAIN_LIMIT = 3500


class TemplateFailed(Exception):
    """A message could not be put into words. `name` is the message, `cause` what went wrong."""

    def __init__(self, name: str, cause: Exception) -> None:
        super().__init__(f"{name}: {type(cause).__name__}: {cause}")
        self.name = name
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent to Slack beside the address."""

    text: str
    blocks: list[dict[str, JsonValue]] = field(default_factory=list)
    attachments: list[dict[str, JsonValue]] = field(default_factory=list)

    def as_payload(self) -> dict[str, JsonValue]:
        """The arguments for `chat.postMessage`; empty ones are left out."""
        payload: dict[str, JsonValue] = {"text": self.text} if self.text else {}
        if self.blocks:
            payload["blocks"] = list(self.blocks)
        if self.attachments:
            payload["attachments"] = list(self.attachments)
        return payload


Layout = Callable[[Words, Mapping[str, JsonValue]], Draft]
"""`messages/cards/NAME.py` has one function `layout` of this type."""


def _sentence(words: Words, facts: Mapping[str, JsonValue]) -> Draft:
    """The layout of messages that have none of their own: the text, and the small print if there is any."""
    text = words("text", facts)
    small = words("small", facts) if words.has("small") else ""
    parts: list[Block] = [blocks.section("text", text)]
    if small:
        parts.append(blocks.context("small", small))
    return Draft(text, tuple(parts))


@cache
def _layout(name: str) -> Layout:
    module = f"messages.cards.{name}"
    if not name.isidentifier():
        raise KeyError(name)
    if find_spec(module) is None:
        return _sentence
    return cast(Layout, import_module(module).layout)


class Voice:
    """Speaks one language. Safe to share: it keeps nothing of what it says."""

    def __init__(self, language: str = "ko", timezone: ZoneInfo = SEOUL) -> None:
        """`language` is ko or en; `timezone` is where moments are written that Slack can't convert.

        Raises ValueError for another language and `messages.catalog.CatalogBroken` for a malformed catalog.
        """
        if not (HERE / language / "phrases").is_dir() or language not in ("ko", "en"):
            raise ValueError(f"no words for the language {language!r}")
        catalogs = {each: Catalog(each) for each in dict.fromkeys((language, FALLBACK))}
        self._catalog = catalogs[language]
        self._templates = Templates(language, catalogs, timezone)
        self._modes = {
            slack: environment(language, self._catalog, timezone, slack=slack) for slack in (True, False)
        }
        self._phrases: dict[tuple[bool, str], jinja2.Template] = {}
        self._plain_head = self.phrase("notices.plain")

    def message(self, name: str, facts: Mapping[str, JsonValue]) -> Message:
        """The message of that name for these facts. Raises `TemplateFailed`, whatever went wrong inside."""
        try:
            draft = _layout(name)(self._templates.words(name), facts)
            return Message(
                clip(draft.text, draft.limit),
                [blocks.as_json(each) for each in draft.blocks],
                [blocks.as_json(each) for each in draft.attachments],
            )
        except Exception as cause:  # a template may raise anything, and the letter must go out all the same
            raise TemplateFailed(name, cause) from cause

    def home(self, facts: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """The view of the Home tab for `views.publish` (`HomeFacts`). Raises `TemplateFailed`."""
        return {"type": "home", "blocks": list(self.message("home", facts).blocks)}

    def modal(
        self, name: str, facts: Mapping[str, JsonValue], callback_id: str, metadata: str = ""
    ) -> dict[str, JsonValue]:
        """The view of a form for `views.open`; its template has title, submit and close besides. Raises
        `TemplateFailed`."""
        body = self.message(name, facts).blocks
        words = self._templates.words(name)
        labels = {part: literal_text(words(part), 24) for part in ("title", "submit", "close")}
        return {
            "type": "modal",
            "callback_id": callback_id,
            "private_metadata": metadata,
            **{part: {"type": "plain_text", "text": text} for part, text in labels.items()},
            "blocks": list(body),
        }

    def phrase(self, key: str, **values: object) -> str:
        """A short text for a terminal or a log: nothing in it is escaped, so it must not go to Slack.

        `key` is `file.key`; an unknown one comes back itself. A missing value raises `TemplateFailed`.
        """
        return self._say(key, values, slack=False)

    def slack_phrase(self, key: str, **values: object) -> str:
        """The same short text for Slack, with every value escaped."""
        return self._say(key, values, slack=True)

    def environment(self, *, slack: bool) -> jinja2.Environment:
        """The Jinja environment of the phrases, to try an expression in."""
        return self._modes[slack]

    def _say(self, key: str, values: Mapping[str, object], *, slack: bool) -> str:
        source = self._catalog.find(key)
        if source is None:
            return value_text(key) if slack else clean(key)
        try:
            template = self._phrases.get((slack, key))
            if template is None:
                template = self._phrases[slack, key] = self._modes[slack].from_string(source)
            return template.render(values)
        except Exception as cause:  # as in message()
            raise TemplateFailed(key, cause) from cause

    def unmarked(self, name: str, facts: Mapping[str, JsonValue]) -> str:
        """That message without markup, for e-mail and SMS: an alert as `plain_alert`, any other by its
        section `text` or else the text of its layout, with the alert it is about below. Never fails: without
        words it is the raw facts."""
        about = facts.get("alert")
        try:
            if name == "alert":
                return self._unmarked("plain_alert", facts)
            text = self._unmarked(name, facts)
            return f"{text}\n{self._unmarked('plain_alert', about)}" if isinstance(about, Mapping) else text
        except Exception:  # noqa: BLE001 - as in message(): whatever fails, the letter must go out
            lines = (f"{clean(path)}: {clean(value)}" for path, value in _leaves(facts, "", 0))
            return truncate("\n".join([clean(self._plain_head), *lines]), _PLAIN_LIMIT)

    def _unmarked(self, name: str, facts: Mapping[str, JsonValue]) -> str:
        words = Words(self._modes[False].get_template(f"{name}.j2"), self._templates)
        if words.has("text"):
            return words("text", facts)
        # What a layout escapes by itself, it escapes for Slack.
        return truncate(unescape(_layout(name)(words, facts).text), _PLAIN_LIMIT)

    def plain(self, facts: Mapping[str, JsonValue]) -> str:
        """The raw facts, a line each, escaped, for when a template fails. Never fails itself."""
        lines = [self._plain_head]
        used = len(self._plain_head)
        for path, value in _leaves(facts, "", 0):
            line = f"{value_text(path, 100)}: {value_text(value)}"
            used += len(line) + 1
            if used > _PLAIN_LIMIT:
                lines.append("…")
                break
            lines.append(line)
        return "\n".join(lines)


def _leaves(node: object, path: str, depth: int) -> Iterator[tuple[str, str]]:
    """Every value inside nested facts with its path; empty and absent ones are left out."""
    if isinstance(node, Mapping) and depth < 8:
        for key, child in node.items():
            yield from _leaves(child, f"{path}.{key}" if path else str(key), depth + 1)
    elif isinstance(node, list | tuple) and depth < 8:
        for index, child in enumerate(node):
            yield from _leaves(child, f"{path}[{index}]", depth + 1)
    elif node is None or (isinstance(node, Mapping | list | tuple | str) and not node):
        return
    elif isinstance(node, str | int | float | bool):
        yield path, str(node)
    else:
        yield path, type(node).__name__
