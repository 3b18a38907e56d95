"""Places for values in the words of a command."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.deploy.placeholders import fill, fill_all, placeholders


def test_values_stand_in_their_places() -> None:
    words = ("--port={port}", "{slot}", "plain")
    assert placeholders(words) == {"port", "slot"}
    assert fill_all(words, {"port": "9001", "slot": "a"}) == ("--port=9001", "a", "plain")


def test_a_value_is_not_looked_at_for_places() -> None:
    assert fill("{revision}-{slot}", {"revision": "{slot}", "slot": "a"}) == "{slot}-a"


@pytest.mark.parametrize("word", ["%{http_code}", "${home}", "{{id}}", "{Upper}", "{}", "{a b}", '{"b": 1}'])
def test_what_belongs_to_others_is_left(word: str) -> None:
    assert placeholders([word]) == frozenset()
    assert fill(word, {}) == word


def test_a_place_without_a_value_is_a_fault() -> None:
    with pytest.raises(KeyError):
        fill("{revision}", {"slot": "a"})


@given(st.text(), st.text())
def test_a_word_stays_one_word(value: str, around: str) -> None:
    before = around.replace("{", "").replace("$", "").replace("%", "").replace("\\", "")
    assert fill_all([before + "{revision}"], {"revision": value}) == (before + value,)
