"""Slack's own markup as safe HTML.

Text arrives with `&`, `<` and `>` escaped and with references in angle brackets. Everything that isn't a
reference is taken back to characters and escaped anew, so no input can become markup.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from bot.workspace.page import emoji
from bot.workspace.page.hyphens import joined
from bot.workspace.page.names import Names

SAFE_SCHEMES = frozenset({"http", "https", "mailto"})

_FENCE = re.compile(r"```(.*?)```", re.DOTALL)
_QUOTE = re.compile(r"(?:&gt;|>) ?")
_REST_QUOTED = re.compile(r"(?:&gt;|>){3} ?")
_LIST_ITEM = re.compile(r"(\s*)([•◦▪‣\-]|\d{1,3}[.)])\s+(?=\S)")
_CODE = re.compile(r"`([^`\n]+)`")
_REFERENCE = re.compile(r"<([^<>\n]+)>")
_BARE_LINK = re.compile(r"https?://[^\s<>|\x02\x03]*[^\s<>|\x02\x03.,:;!?)'\"\]]")
_SHELF = re.compile(r"\x02(\d+)\x03")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_DATE = re.compile(r"date\^(-?\d{1,12})\^([^^]*)(?:\^(.*))?")

# A style must not touch a letter or digit outside, nor a blank inside; Hangul counts as letters, as in Slack.
_STYLES = tuple(
    (re.compile(rf"(?<![\w{mark}]){mark}(?=[^\s{mark}])[^\n{mark}]*(?<!\s){mark}(?![\w{mark}])"), tag)
    for mark, tag in (("\\*", Markup("b")), ("_", Markup("i")), ("~", Markup("s")))
)


def decode(text: str) -> str:
    """Slack's three entities back to characters, nothing else."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def plain(text: str, *, with_emoji: bool = True) -> Markup:
    """A `plain_text` object's text: line breaks and emoji, no markup."""
    decoded = _CONTROL.sub("", decode(text))
    return _lines(joined(emoji.replace(decoded) if with_emoji else decoded))


def link(url: str, shown: Markup | None = None) -> Markup:
    """A link that opens apart from the page; only its text when the address isn't http, https or mailto."""
    url = decode(url)
    label = shown if shown is not None else escape(url.removeprefix("mailto:"))
    if not is_safe(url):
        return label
    return Markup('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>').format(url, label)


def is_safe(url: str) -> bool:
    """Whether the address may become a link."""
    try:
        return urlsplit(url.strip()).scheme.lower() in SAFE_SCHEMES
    except ValueError:
        return False


def render(text: str, names: Names, *, verbatim: bool = False) -> Markup:
    """Mrkdwn as HTML: paragraphs of lines, quotes, code fences, lists and everything inline.

    With `verbatim` bare addresses are not made into links.
    """
    text = _CONTROL.sub("", text)
    parts: list[Markup] = []
    for index, piece in enumerate(_FENCE.split(text)):
        if index % 2:
            parts.append(Markup("<pre><code>{}</code></pre>").format(_fenced(piece.strip("\n"), names)))
            continue
        piece = piece.removeprefix("\n") if index else piece
        piece = piece.removesuffix("\n") if index + 1 < len(_FENCE.split(text)) else piece
        if piece:
            parts.append(_paragraphs(piece, names, verbatim))
    return Markup("").join(parts)


def _fenced(text: str, names: Names) -> Markup:
    """Inside a fence only references are resolved."""
    return _Inline(names, verbatim=True, styled=False).render(text)


def _paragraphs(text: str, names: Names, verbatim: bool) -> Markup:
    inline = _Inline(names, verbatim).render
    parts: list[Markup] = []
    flow: list[Markup] = []
    quoted: list[str] = []

    def end_flow() -> None:
        if flow:
            parts.append(Markup("<br>").join(flow))
            flow.clear()

    def end_quote() -> None:
        if quoted:
            lines = Markup("<br>").join(inline(line) for line in quoted)
            parts.append(Markup("<blockquote>{}</blockquote>").format(lines))
            quoted.clear()

    lines = text.split("\n")
    for number, line in enumerate(lines):
        if rest := _REST_QUOTED.match(line):
            end_flow()
            quoted += [line[rest.end() :], *lines[number + 1 :]]
            break
        if mark := _QUOTE.match(line):
            end_flow()
            quoted.append(line[mark.end() :])
            continue
        end_quote()
        if item := _LIST_ITEM.match(line):
            end_flow()
            depth = min(len(item[1].expandtabs(4)) // 2, 3)
            row = Markup('<span class="item item-{}"><span class="mark">{}</span><span>{}</span></span>')
            parts.append(row.format(depth, item[2], inline(line[item.end() :])))
        else:
            flow.append(inline(line))
    end_quote()
    end_flow()
    return Markup("").join(parts)


def _lines(html: Markup) -> Markup:
    return Markup("<br>").join(Markup(line) for line in str(html).split("\n"))  # noqa: S704  (split of escaped text)


class _Inline:
    """One line: code, references and links are put on a shelf so that styles can't cut through them."""

    def __init__(self, names: Names, verbatim: bool = False, styled: bool = True) -> None:
        self.names = names
        self.verbatim = verbatim
        self.styled = styled
        self.shelf: list[Markup] = []

    def render(self, text: str) -> Markup:
        if self.styled:
            text = _CODE.sub(
                self._shelve(lambda m: Markup("<code>{}</code>").format(joined(decode(m[1])))), text
            )
        text = _REFERENCE.sub(self._shelve(lambda m: self._reference(m[1])), text)
        if not self.verbatim:
            text = _BARE_LINK.sub(self._shelve(lambda m: link(m[0])), text)
        if self.styled:
            text = emoji.SHORT_CODE.sub(
                lambda m: emoji.character(m[1], m[2]) or self._keep(escape(m[0])), text
            )
        return self._styles(text)

    def _keep(self, html: Markup) -> str:
        self.shelf.append(html)
        return f"\x02{len(self.shelf) - 1}\x03"

    def _shelve(self, make: Callable[[re.Match[str]], Markup]) -> Callable[[re.Match[str]], str]:
        return lambda match: self._keep(make(match))

    def _styles(self, text: str) -> Markup:
        if self.styled:
            for pattern, tag in _STYLES:
                if match := pattern.search(text):
                    inside = text[match.start() + 1 : match.end() - 1]
                    return (
                        self._styles(text[: match.start()])
                        + Markup("<{0}>{1}</{0}>").format(tag, self._styles(inside))
                        + self._styles(text[match.end() :])
                    )
        parts = _SHELF.split(text)
        return Markup("").join(
            self.shelf[int(part)] if index % 2 else joined(decode(part)) for index, part in enumerate(parts)
        )

    def _reference(self, inside: str) -> Markup:
        target, bar, label = inside.partition("|")
        shown = label if bar else ""
        if target.startswith("@"):
            return mention(target[1:], self.names, shown)
        if target.startswith("#"):
            return Markup('<span class="mention">#{}</span>').format(
                self.names.channels.get(target[1:]) or decode(shown) or target[1:]
            )
        if target.startswith("!"):
            return self._special(inside[1:], target[1:], shown)
        if is_safe(decode(target)):
            return link(target, escape(emoji.replace(decode(shown))) if shown else None)
        return escape(decode(f"<{inside}>"))

    def _special(self, inside: str, name: str, shown: str) -> Markup:
        if name in {"here", "channel", "everyone"}:
            return broadcast(name)
        if name.startswith("subteam^"):
            return group_mention(name.removeprefix("subteam^"), self.names, shown)
        if date := _DATE.fullmatch(name):
            return moment(int(date[1]), date[2], shown, date[3] or "")
        return escape(decode(shown or f"<!{inside}>"))


def mention(user_id: str, names: Names, shown: str = "") -> Markup:
    """A person's name behind `@`, highlighted when it is the reader."""
    kind = "mention me" if user_id == names.viewer else "mention"
    name = names.users.get(user_id) or decode(shown) or user_id
    return Markup('<span class="{}">@{}</span>').format(kind, name.removeprefix("@"))


def group_mention(group_id: str, names: Names, shown: str = "") -> Markup:
    """A user group's handle, highlighted when the reader is in it."""
    kind = "mention me" if group_id in names.viewer_groups else "mention"
    handle = names.groups.get(group_id) or decode(shown) or group_id
    return Markup('<span class="{}">@{}</span>').format(kind, handle.removeprefix("@"))


def broadcast(name: str) -> Markup:
    """`@here`, `@channel` or `@everyone`."""
    return Markup('<span class="mention me">@{}</span>').format(name)


def moment(seconds: int, pattern: str, fallback: str = "", url: str = "") -> Markup:
    """A date that the page writes in the reader's time zone; the fallback until then."""
    time = Markup('<time data-unix="{}" data-pattern="{}">{}</time>').format(
        seconds, decode(pattern), decode(fallback) or str(seconds)
    )
    return link(url, time) if url else time
