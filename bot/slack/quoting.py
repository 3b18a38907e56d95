"""Words as people type them: cut at blanks, but for what stands in quotes.

A quote begins a quoted word only where a word begins, and ends it only before a blank or at the end, so that
an apostrophe in a word is just that. Whatever a keyboard makes of quotes is one: straight, curly, low.
"""

from __future__ import annotations

_FAMILIES = ('"“”„‟', "'‘’‚‛")


class UnclosedQuote(Exception):
    """A quote was begun and not ended; `rest` is what stands behind it."""

    def __init__(self, rest: str) -> None:
        super().__init__(rest)
        self.rest = rest


def leading_word(text: str) -> tuple[str, str]:
    """The first word of the text, without its quotes, and what stands behind it; empty where there is none.
    Raises UnclosedQuote."""
    text = text.strip()
    family = next((each for each in _FAMILIES if text[:1] in each), "") if text else ""
    if not family:
        word, *rest = text.split(maxsplit=1) or [""]
        return word, rest[0] if rest else ""
    for at in range(1, len(text)):
        if text[at] in family and (at + 1 == len(text) or text[at + 1].isspace()):
            return text[1:at], text[at + 1 :].strip()
    raise UnclosedQuote(text[1:])


def words_of(text: str) -> tuple[str, ...]:
    """All words of the text. Raises UnclosedQuote."""
    words: list[str] = []
    rest = text.strip()
    while rest:
        word, rest = leading_word(rest)
        words.append(word)
    return tuple(words)
