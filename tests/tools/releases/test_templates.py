"""Placeholders in words, and paths that stay where they belong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.deploy.revisions import valid_revision
from bot.tools.releases.templates import OutsideError, fill, fill_all, fill_path


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("{revision}", "v1"),
        ("--tag={revision}-{slot}", "--tag=v1-a"),
        ("{}{unknown}{ revision }", "{}{unknown}{ revision }"),
        ("{{revision}}", "{v1}"),
        ('{"port": {port}}', '{"port": {port}}'),
    ],
)
def test_words(template: str, filled: str) -> None:
    assert fill(template, {"revision": "v1", "slot": "a"}) == filled


@given(st.lists(st.text()), st.text())
def test_there_are_as_many_words_as_before_and_what_is_put_in_is_not_filled_again(
    words: list[str], value: str
) -> None:
    assert len(fill_all(words, {"revision": value})) == len(words)
    assert fill("{revision}", {"revision": "{slot}", "slot": "a"}) == "{slot}"


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("/srv/shop/releases/{revision}", "/srv/shop/releases/v1"),
        ("/srv/shop/releases/{revision}/app", "/srv/shop/releases/v1/app"),
        ("/srv/shop/release-{revision}", "/srv/shop/release-v1"),
        ("/srv/shop/current", "/srv/shop/current"),
        ("/{revision}", "/v1"),
    ],
)
def test_paths(template: str, path: str) -> None:
    assert fill_path(template, {"revision": "v1"}) == Path(path)


@pytest.mark.parametrize(
    ("template", "revision"),
    [("/srv/{revision}", ".."), ("/srv/{revision}/../..", "v1"), ("/srv/{revision}", "."),
     ("/srv/{revision}", "/etc/../..")],
)  # fmt: skip
def test_a_path_that_would_leave_its_folder_is_refused(template: str, revision: str) -> None:
    with pytest.raises(OutsideError):
        fill_path(template, {"revision": revision})


@given(st.text(alphabet="ab./-+_", min_size=1, max_size=20))
def test_what_can_name_a_revision_has_a_path_of_its_own_below(revision: str) -> None:
    if valid_revision(revision):
        assert fill_path("/srv/shop/{revision}", {"revision": revision}) == Path("/srv/shop") / revision
