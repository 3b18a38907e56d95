"""The Jinja2 environment of the page and the helpers its templates call."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jinja2 import ChainableUndefined, Environment, PackageLoader
from markupsafe import Markup
from pydantic import JsonValue

from bot.workspace.model import JsonObject
from bot.workspace.page import emoji, markdown, mrkdwn, rich_text
from bot.workspace.page.names import Names
from bot.workspace.page.words import Words

_COLOR = re.compile(r"#?([0-9a-fA-F]{6}|[0-9a-fA-F]{3})")
_NAMED_COLORS = {"good": "#2eb886", "warning": "#daa038", "danger": "#a30200"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where blocks are drawn: what makes their ids unique, and what their menus offer."""

    prefix: str
    names: Names
    words: Words
    user: str = ""
    people: Sequence[tuple[str, str]] = field(default_factory=tuple)
    """id and name of everyone, for user menus"""
    channels: Sequence[tuple[str, str]] = field(default_factory=tuple)
    conversations: Sequence[tuple[str, str]] = field(default_factory=tuple)


def text_object(value: JsonValue, place: Place) -> Markup:
    """A text object (`plain_text` or `mrkdwn`) as HTML; empty when it is none."""
    if not isinstance(value, Mapping):
        return Markup("")
    text = value.get("text")
    if not isinstance(text, str):
        return Markup("")
    if value.get("type") == "mrkdwn":
        return mrkdwn.render(text, place.names, verbatim=bool(value.get("verbatim")))
    return mrkdwn.plain(text, with_emoji=value.get("emoji") is not False)


def text_label(value: JsonValue) -> str:
    """A text object as bare characters, for attributes."""
    text = value.get("text") if isinstance(value, Mapping) else None
    return emoji.replace(mrkdwn.decode(text)).replace("\n", " ") if isinstance(text, str) else ""


def dom_id(*parts: str) -> str:
    """An id for the document, the same for the same parts, whatever characters they hold."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()
    return f"x{digest[:16]}"


def signature(value: JsonValue | Mapping[str, JsonValue]) -> str:
    """Changes exactly when the block's definition does; the page keeps what was typed while it stays."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]


def control_name(block_id: str, action_id: str) -> str:
    """The form field's name of an element: free of characters that browsers change in a posted form."""
    return dom_id("control", block_id, action_id)


def bar_color(value: JsonValue) -> str | None:
    """An attachment's colour as `#rrggbb`; None when it has none that is valid."""
    if not isinstance(value, str):
        return None
    if value in _NAMED_COLORS:
        return _NAMED_COLORS[value]
    match = _COLOR.fullmatch(value)
    return f"#{match[1].lower()}" if match else None


def picture_address(block: Mapping[str, JsonValue], user: str) -> str | None:
    """Where a picture is: its address if that is safe, or this workspace's file."""
    match block.get("slack_file"):
        case {"id": str(file_id)}:
            return f"/page/{user}/files/{file_id}"
        case {"url": str(address)}:
            pass
        case _:
            address = str(block.get("image_url") or "")
    return address if mrkdwn.is_safe(address) and not address.startswith("mailto") else None


def option_json(option: JsonValue) -> str:
    """An option as it travels through the page."""
    return json.dumps(option, ensure_ascii=False)


def readable_size(size: int) -> str:
    """A file's size for people."""
    amount = float(size)
    for unit in ("B", "KB", "MB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GB"


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("bot.workspace.page"),
        autoescape=True,
        # Blocks are what an app sent: a part that is missing shows as nothing instead of failing the page.
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        text_object=text_object,
        text_label=text_label,
        dom_id=dom_id,
        control_name=control_name,
        bar_color=bar_color,
        picture_address=picture_address,
        emoji_character=emoji.character,
        quick_reactions=emoji.QUICK,
    )
    environment.filters.update(
        signature=signature,
        option_json=option_json,
        markdown=markdown.render,
        size=readable_size,
        safe_link=lambda address: address if isinstance(address, str) and mrkdwn.is_safe(address) else None,
        mrkdwn=lambda text, place: mrkdwn.render(text, place.names) if isinstance(text, str) else "",
        plain=lambda text: mrkdwn.plain(text) if isinstance(text, str) else "",
        rich_text=lambda block, place: rich_text.render(block, place.names),
        emoji=emoji.replace,
        unix=lambda ts: str(ts).partition(".")[0],
    )
    return environment


ENVIRONMENT = _environment()


def blocks(definition: Sequence[JsonObject], place: Place) -> Markup:
    """A list of Block Kit blocks as HTML."""
    return call("blocks.html", "blocks", list(definition), place)


def attachments(definition: Sequence[JsonObject], place: Place) -> Markup:
    """A message's attachments as HTML."""
    return call("attachments.html", "attachments", list(definition), place)


def call(template: str, macro: str, *arguments: object) -> Markup:
    """What a template's macro makes of the arguments."""
    module = ENVIRONMENT.get_template(template).module
    return Markup(getattr(module, macro)(*arguments))  # noqa: S704  (Jinja2 escaped it)
