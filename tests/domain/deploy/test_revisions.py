"""Words that can name a revision, and words that would mean something to a program."""

from __future__ import annotations

import os
import shlex
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.deploy.revisions import LONGEST, valid_revision

_ALLOWED = string.ascii_letters + string.digits + "._+/-"
ANYTHING = st.one_of(st.text(max_size=120), st.text(alphabet=_ALLOWED, max_size=120))


@pytest.mark.parametrize(
    "text",
    ["v1", "v1.2.3", "1.0.0-rc.1+build.5", "feature/cart", "a" * LONGEST, "25ca508", "2026-11-29_2", "v1."],
)
def test_names_that_people_give(text: str) -> None:
    assert valid_revision(text)


@pytest.mark.parametrize(
    "text",
    ["", "-v", "--help", ".git", "/etc", "a" * (LONGEST + 1), "v1..v2", "../v1", "a/../b", "a//b", "a/",
     "a/./b", "a/.git", "main.lock", "v1 ", " v1", "v1\n", "v 1", "v1;id", "$(id)", "`id`", "v1|x", "v1&",
     "v1>x", "v*", "v?", "~root", "v1@{1}", "v1:latest", "v1^", "v1\x00", "v1\\", "'v1'", '"v1"', "릴리스",
     "ｖ1", "v١", "{port}", "%n"],
)  # fmt: skip
def test_words_that_mean_something_elsewhere(text: str) -> None:
    assert not valid_revision(text)


@given(ANYTHING)
def test_what_passes_is_one_plain_word(text: str) -> None:
    if valid_revision(text):
        assert 1 <= len(text) <= LONGEST
        assert text.isascii() and text.isprintable() and not text.startswith("-")
        assert set(text) <= set(_ALLOWED)
        assert shlex.split(text) == [text] and shlex.quote(text) == text


@given(ANYTHING)
def test_what_passes_is_a_path_that_stays_below(text: str) -> None:
    if valid_revision(text):
        assert os.path.normpath(text) == text
        assert not os.path.isabs(text)
        assert os.path.normpath(os.path.join("/srv/shop", text)).startswith("/srv/shop/")


@given(st.text(alphabet=_ALLOWED, min_size=1, max_size=10), st.characters(exclude_characters=_ALLOWED))
def test_no_other_character_passes_anywhere(text: str, odd: str) -> None:
    assert not valid_revision(odd + text)
    assert not valid_revision(text + odd)
    assert not valid_revision("v" + text + odd + "1")
