"""What the workspace itself says about a form that isn't filled in, in the reader's language.

The workspace speaks English, as its wire does; its sentences are the keys, with `{}` for each number. What an
app says is never in the table and stays as the app wrote it.
"""

from __future__ import annotations

import re

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")

_KOREAN = {
    "Please complete this required field.": "꼭 채워야 하는 칸입니다.",
    "Please select at most {} items.": "{}개까지만 고를 수 있습니다.",
    "Please enter at least {} characters.": "{}자 이상 적어 주세요.",
    "Please enter at most {} characters.": "{}자까지만 적을 수 있습니다.",
    "Please enter a valid email address.": "전자 우편 주소를 바르게 적어 주세요.",
    "Please enter a valid URL.": "http:// 또는 https:// 로 시작하는 주소를 적어 주세요.",
    "Please enter a number.": "숫자를 적어 주세요.",
    "Please enter a whole number.": "정수를 적어 주세요.",
    "Please enter a number of at least {}.": "{} 이상의 숫자를 적어 주세요.",
    "Please enter a number of at most {}.": "{} 이하의 숫자를 적어 주세요.",
}


def translated(sentence: str, language: str) -> str:
    """The workspace's sentence in the reader's language; any other sentence as it is."""
    if language != "ko":
        return sentence
    known = _KOREAN.get(_NUMBER.sub("{}", sentence))
    return known.format(*_NUMBER.findall(sentence)) if known else sentence
