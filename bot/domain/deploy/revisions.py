"""Which words can name a revision. They become a word of a command, a part of a path, a tag of an image:
nothing passes that means something there."""

from __future__ import annotations

import re

LONGEST = 100
"""characters; more than any tag that people give, or a commit id"""
_WORD = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._+/-]{{0,{LONGEST - 1}}}")


def valid_revision(text: str) -> bool:
    """Whether `text` can name a revision: it begins with a letter or a digit (so it is no option), has none
    but the characters of tags, branches and commit ids, and as a path goes neither up nor around: `a/./b`
    would be another name of `a/b`. `.lock` at the end is what Git forbids as well."""
    return (
        _WORD.fullmatch(text) is not None
        and ".." not in text
        and "//" not in text
        and "/." not in text
        and not text.endswith(("/", ".lock"))
    )
