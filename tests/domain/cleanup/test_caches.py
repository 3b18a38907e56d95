"""The commands that empty caches name what they remove."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.cleanup.caches import CacheEntry, CacheKind, checked_id, entry_of, removals, size_of

IMAGE = "sha256:" + "a" * 64


def commands(tool: str, *entries: CacheEntry) -> list[tuple[str, ...]]:
    return [command for command, _ in removals((tool,), entries)]


def test_images_go_by_their_ids_without_force() -> None:
    assert commands("docker", CacheEntry(CacheKind.DOCKER_IMAGE, IMAGE)) == [
        ("docker", "image", "rm", "--no-prune", IMAGE)
    ]


def test_build_cache_goes_one_record_at_a_time_and_never_unfiltered() -> None:
    found = commands("docker", *(CacheEntry(CacheKind.DOCKER_BUILD, f"abcdefgh{n}") for n in range(3)))
    assert [command[-2:] for command in found] == [("--filter", f"id=abcdefgh{n}") for n in range(3)]


@pytest.mark.parametrize(
    "text", ["", "a", "abcdefgh,", "abcdefgh id=x", "--all-of-it", "sha256:abc", "ABCDEFGH"]
)
def test_an_odd_id_makes_no_command(text: str) -> None:
    with pytest.raises(ValueError, match="no id"):
        checked_id(text)
    for kind in (CacheKind.DOCKER_IMAGE, CacheKind.DOCKER_BUILD):
        with pytest.raises(ValueError, match="no id"):
            commands("docker", CacheEntry(kind, text))


def test_keys_of_npm_go_in_batches_behind_the_end_of_options() -> None:
    keys = [CacheEntry(CacheKind.NPM, f"--key:{n}") for n in range(250)]
    found = list(removals(("npm",), keys))
    assert [len(some) for _, some in found] == [100, 100, 50]
    assert found[0][0][:5] == ("npm", "cache", "clean", "--", "--key:0")


def test_pip_has_one_command() -> None:
    assert commands("pip", CacheEntry(CacheKind.PIP, "/root/.cache/pip", 7)) == [
        ("pip", "cache", "purge", "--no-input")
    ]


def test_nothing_needs_no_command() -> None:
    assert commands("docker") == []


@given(
    st.sampled_from(CacheKind), st.text(st.characters(exclude_categories=["Cs"])), st.none() | st.integers(0)
)
def test_a_line_is_read_back(kind: CacheKind, name: str, size: int | None) -> None:
    entry = CacheEntry(kind, name, size)
    assert entry.line.count(b"\n") == 1
    assert entry_of(entry.line) == entry


@pytest.mark.parametrize(
    ("text", "size"),
    [("0B", 0), ("1.5kB", 1500), ("12.3MB", 12_300_000), ("2GB", 2 * 10**9), ("?", None), ("", None)],
)
def test_dockers_sizes(text: str, size: int | None) -> None:
    assert size_of(text) == size
