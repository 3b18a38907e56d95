"""Make text harmless before it stands in a message.

Slack reads `<!channel>` or `<@U1>` in a text as a mention, so `&`, `<` and `>` of every value are escaped.
Values also lose what could disturb the layout: line breaks, control characters, characters that turn the
direction of writing, and halves of surrogate pairs, which cannot be sent at all.
"""

from __future__ import annotations

import re

ELLIPSIS = "…"
VALUE_LIMIT = 300
"""Characters of one value in a message, far below Slack's limits: a longer one helps no reader."""

_SPACE = re.compile("[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]")
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_MARK = re.compile(r"(?<![^\W_])[*_~]|[*_~](?![^\W_])")
_SIMILAR = {"*": "\u2217", "_": "\u02cd", "~": "\u223c"}
_SURROGATE = re.compile("[\ud800-\udfff]")
_USER_ID = re.compile(r"[UW][A-Z0-9]{1,20}")
_GROUP_ID = re.compile(r"S[A-Z0-9]{1,20}")
_TORN_TAIL = re.compile(r"&[a-z]{0,3}$|<[^>]*$")


class Ready(str):
    """A text that needs no more escaping. Jinja leaves it alone, because it has `__html__`."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


def clean(text: str) -> str:
    """`text` on one line, without control characters and halves of surrogate pairs."""
    return _SURROGATE.sub("\ufffd", _INVISIBLE.sub("", _SPACE.sub(" ", text)))


def clean_lines(text: str) -> str:
    """Like `clean`, but line breaks stay: for a terminal."""
    return "\n".join(clean(line) for line in text.replace("\r\n", "\n").split("\n"))


def escape(text: str) -> Ready:
    """`text` as Slack wants it: `&`, `<` and `>` as entities, and no other character changed."""
    return Ready(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def unescape(text: str) -> str:
    """`text` as it was before `escape`."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def truncate(text: str, limit: int) -> str:
    """At most `limit` characters of a text that is not escaped yet; the last one is `…` when it was cut."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + ELLIPSIS


def printable(value: object) -> str:
    """The value as text; TypeError for None, because a template must say what an absent value is."""
    if value is None:
        raise TypeError("None was printed: a template must say what an absent value is")
    return str(value)


def value_text(value: object, limit: int = VALUE_LIMIT) -> Ready:
    """One value for a Slack text: cleaned, cut, escaped, and unable to open a code span or to make anything
    bold, italic or struck: at the edges of words, where Slack reads those marks, similar characters stand."""
    return Ready(_MARK.sub(lambda mark: _SIMILAR[mark[0]], _unmarked(value, limit)))


def _unmarked(value: object, limit: int) -> Ready:
    return escape(truncate(clean(printable(value)), limit).replace("`", "'"))


def code_text(value: object, limit: int = 120) -> Ready:
    """One value as a code span, which nothing in it can leave; a dash when it is empty."""
    text = _unmarked(value, limit).strip()
    return Ready(f"`{text}`" if text else "–")


def user_text(user: str) -> Ready:
    """A mention of that Slack user, or the id as a code span when it does not look like one."""
    return Ready(f"<@{user}>") if _USER_ID.fullmatch(user) else code_text(user, 40)


def mention_text(kind: str, name: str) -> Ready:
    """What calls a person, a user group, or everybody active in the channel; else the name as a code span."""
    match kind:
        case "person":
            return user_text(name)
        case "group" if _GROUP_ID.fullmatch(name):
            return Ready(f"<!subteam^{name}>")
        case "channel":
            return Ready("<!here>")
    return code_text(name, 60)


def literal_text(text: str, limit: int) -> str:
    """An escaped text for places where Slack reads no markup and no entities (table cells).

    The angle brackets become similar characters, so that it stays harmless wherever it is copied to.
    """
    literal = (
        text.replace("&lt;", "‹")
        .replace("&gt;", "›")
        .replace("<", "‹")
        .replace(">", "›")
        .replace("&amp;", "&")
    )
    return truncate(clean(literal), limit) or "–"


def clip(text: str, limit: int) -> str:
    """At most `limit` characters of an escaped text, cut at a line's end where one is near, never through an
    entity or a mention; the last character is `…` when it was cut."""
    if len(text) <= limit:
        return text
    head = text[: limit - 2]
    newline = head.rfind("\n")
    if newline > limit // 2:
        return head[:newline] + "\n" + ELLIPSIS
    head = _TORN_TAIL.sub("", head)
    closing = "`" if head.count("`") % 2 else ""
    return head + ELLIPSIS + closing
