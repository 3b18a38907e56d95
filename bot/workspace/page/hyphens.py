"""Hyphens at which no line is broken: `2026-11-29` and `web-1` are one word to whoever reads them."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

_INSIDE = re.compile(r"(?<=\S)-(?=\S)")
_JOINT = Markup('<span class="joint">-</span>')
"""The style sheet puts a word joiner behind it, which nobody copies along with the text."""


def joined(text: str) -> Markup:
    """The text escaped, with the hyphens inside words kept together with what is around them."""
    return _JOINT.join(escape(part) for part in _INSIDE.split(text))
