"""`rich_text` blocks as HTML: sections, lists, quotes and preformatted text with their inline elements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from markupsafe import Markup, escape
from pydantic import JsonValue

from bot.workspace.page import emoji, mrkdwn
from bot.workspace.page.hyphens import joined
from bot.workspace.page.names import Names

_STYLE_TAGS = (
    ("code", Markup("code")),
    ("bold", Markup("b")),
    ("italic", Markup("i")),
    ("strike", Markup("s")),
    ("underline", Markup("u")),
)


def render(block: Mapping[str, JsonValue], names: Names) -> Markup:
    """The whole block; elements of a kind that isn't known are left out."""
    return Markup("").join(_part(element, names) for element in _objects(block.get("elements")))


def _part(part: Mapping[str, JsonValue], names: Names) -> Markup:
    match part.get("type"):
        case "rich_text_section":
            return Markup('<div class="rich">{}</div>').format(inline(part, names))
        case "rich_text_quote":
            return Markup("<blockquote>{}</blockquote>").format(inline(part, names))
        case "rich_text_preformatted":
            return Markup("<pre><code>{}</code></pre>").format(inline(part, names))
        case "rich_text_list":
            return _list(part, names)
        case _:
            return Markup("")


def _list(part: Mapping[str, JsonValue], names: Names) -> Markup:
    tag = Markup("ol") if part.get("style") == "ordered" else Markup("ul")
    indent = min(_integer(part.get("indent")), 8)
    start = _integer(part.get("offset")) + 1
    items = Markup("").join(
        Markup("<li>{}</li>").format(inline(item, names)) for item in _objects(part.get("elements"))
    )
    first = Markup(' start="{}"').format(start) if tag == "ol" and start > 1 else ""
    return Markup('<{0} class="rich indent-{1}"{2}>{3}</{0}>').format(tag, indent, first, items)


def inline(part: Mapping[str, JsonValue], names: Names) -> Markup:
    """The inline elements of a section, quote, list item or table cell."""
    return Markup("").join(_element(element, names) for element in _objects(part.get("elements")))


def _element(element: Mapping[str, JsonValue], names: Names) -> Markup:
    match element.get("type"):
        case "text":
            html = _text(element.get("text"))
        case "link":
            label = element.get("text")
            html = mrkdwn.link(_string(element.get("url")), _text(label) if label else None)
        case "user":
            html = mrkdwn.mention(_string(element.get("user_id")), names)
        case "usergroup":
            html = mrkdwn.group_mention(_string(element.get("usergroup_id")), names)
        case "channel":
            name = names.channel(_string(element.get("channel_id")))
            html = Markup('<span class="mention">#{}</span>').format(name)
        case "broadcast":
            html = mrkdwn.broadcast(_string(element.get("range")))
        case "emoji":
            name = _string(element.get("name"))
            html = escape(emoji.character(name) or f":{name}:")
        case "date":
            html = mrkdwn.moment(
                _integer(element.get("timestamp"), least=None),
                _string(element.get("format")),
                _string(element.get("fallback")),
                _string(element.get("url")),
            )
        case "color":
            html = Markup("<code>{}</code>").format(_string(element.get("value")))
        case _:
            return Markup("")
    return _styled(html, element.get("style"))


def _styled(html: Markup, style: JsonValue) -> Markup:
    if isinstance(style, Mapping):
        for key, tag in _STYLE_TAGS:
            if style.get(key):
                html = Markup("<{0}>{1}</{0}>").format(tag, html)
    return html


def _text(value: JsonValue) -> Markup:
    return Markup("<br>").join(joined(line) for line in mrkdwn.decode(_string(value)).split("\n"))


def _objects(value: JsonValue) -> Iterator[Mapping[str, JsonValue]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def _string(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def _integer(value: JsonValue, least: int | None = 0) -> int:
    number = value if isinstance(value, int) and not isinstance(value, bool) else 0
    return number if least is None else max(number, least)
