"""What an app says in one message, checked as Slack checks it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from bot.workspace.blocks import ATTACHMENT, MESSAGE, TEXT_MOST, block_problems, completed, text_length
from bot.workspace.errors import SlackError
from bot.workspace.model import JsonObject
from bot.workspace.texts import parse_json

TEXT_CUT = 40000
EDIT_MOST = 4000
ATTACHMENTS_MOST = 100
_BARE_AMPERSAND = re.compile(r"&(?!amp;|lt;|gt;)")


@dataclass(frozen=True, slots=True)
class Content:
    """Text, blocks and attachments of a message; `warnings` are Slack's about them."""

    text: str = ""
    blocks: tuple[JsonObject, ...] = ()
    attachments: tuple[JsonObject, ...] = ()
    metadata: JsonObject | None = None
    has_blocks: bool = False
    """the caller named blocks, be they empty: an edit replaces the old ones"""
    has_attachments: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Nothing to show."""
        return not (self.text.strip() or self.blocks or self.attachments)


def read_json(value: JsonValue, error: str) -> JsonValue:
    """A JSON argument, which a form brings as text. Raises SlackError with the code given."""
    if not isinstance(value, str):
        return value
    try:
        return parse_json(value)
    except (ValueError, RecursionError) as problem:
        raise SlackError(error) from problem


def read_content(arguments: Mapping[str, JsonValue]) -> Content:
    """The content in a call's arguments. Raises SlackError; an empty content is for the caller to refuse."""
    text = arguments.get("text")
    text = text if isinstance(text, str) else ""
    warnings: tuple[str, ...] = ()
    markdown = arguments.get("markdown_text")
    if isinstance(markdown, str) and markdown:
        if text or arguments.get("blocks"):
            raise SlackError("markdown_text_conflict")
        if len(markdown) > 12000:
            raise SlackError("msg_too_long")
        blocks_given: JsonValue = [{"type": "markdown", "text": markdown}]
        text = markdown
    else:
        blocks_given = read_json(arguments.get("blocks") or None, "invalid_blocks_format")
    if len(text) > TEXT_CUT:
        text = text[:TEXT_CUT]
        warnings = ("message_truncated",)
    attachments_given = read_json(arguments.get("attachments") or None, "invalid_attachments")
    return Content(
        text=_BARE_AMPERSAND.sub("&amp;", text),
        blocks=_read_blocks(blocks_given),
        attachments=_read_attachments(attachments_given),
        metadata=_read_metadata(arguments.get("metadata")),
        has_blocks=arguments.get("blocks") is not None or markdown is not None,
        has_attachments=arguments.get("attachments") is not None,
        warnings=warnings,
    )


def _read_blocks(given: JsonValue) -> tuple[JsonObject, ...]:
    if given is None:
        return ()
    if not isinstance(given, list):
        raise SlackError("invalid_blocks_format")
    refuse("invalid_blocks", block_problems(given, MESSAGE))
    if text_length(given) > TEXT_MOST:
        raise SlackError("msg_blocks_too_long")
    return completed([block for block in given if isinstance(block, dict)])


def _read_attachments(given: JsonValue) -> tuple[JsonObject, ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        raise SlackError("invalid_attachments")
    if len(given) > ATTACHMENTS_MOST:
        raise SlackError("too_many_attachments")
    problems: list[str] = []
    done: list[JsonObject] = []
    for index, attachment in enumerate(given):
        if not isinstance(attachment, dict):
            continue
        blocks = attachment.get("blocks")
        attachment = {**attachment, "id": index + 1}
        if blocks is not None:
            problems += block_problems(blocks, ATTACHMENT, f"/attachments/{index}/blocks")
            if isinstance(blocks, list):
                attachment["blocks"] = list(completed([b for b in blocks if isinstance(b, dict)]))
        color = attachment.get("color")
        if isinstance(color, str):
            attachment["color"] = _COLORS.get(color, color.lstrip("#"))
        done.append(attachment)
    refuse("invalid_attachments", problems)
    if text_length([attachment.get("blocks") for attachment in done]) > TEXT_MOST:
        raise SlackError("msg_blocks_too_long")
    return tuple(done)


_COLORS = {"good": "2eb886", "warning": "daa038", "danger": "a30200"}


def _read_metadata(given: JsonValue) -> JsonObject | None:
    given = read_json(given or None, "invalid_metadata_format")
    if given is None:
        return None
    if not isinstance(given, dict):
        raise SlackError("invalid_metadata_format")
    if not isinstance(given.get("event_type"), str) or not isinstance(given.get("event_payload"), dict):
        raise SlackError("invalid_metadata_schema")
    return {"event_type": given["event_type"], "event_payload": given["event_payload"]}


def refuse(code: str, problems: list[str]) -> None:
    """Raise SlackError with that code when there are problems, each named as Slack does."""
    if problems:
        messages = [f"[ERROR] {problem}" for problem in problems]
        raise SlackError(code, messages=messages, errors=list(problems))
