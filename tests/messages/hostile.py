"""Walks over facts and payloads for the tests that put bad things into them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pydantic import JsonValue

Path = tuple[str | int, ...]


def leaves(node: JsonValue, path: Path = ()) -> Iterator[tuple[Path, JsonValue]]:
    """Every value that holds no others, with the way to it."""
    if isinstance(node, dict):
        for key, child in node.items():
            yield from leaves(child, (*path, key))
    elif isinstance(node, list | tuple):
        for index, child in enumerate(node):
            yield from leaves(child, (*path, index))
    else:
        yield path, node


def changed(node: JsonValue, change: Callable[[Path, JsonValue], JsonValue], path: Path = ()) -> JsonValue:
    """A copy in which every such value has been replaced by what `change` says."""
    if isinstance(node, dict):
        return {key: changed(child, change, (*path, key)) for key, child in node.items()}
    if isinstance(node, list | tuple):
        return [changed(child, change, (*path, index)) for index, child in enumerate(node)]
    return change(path, node)


def strings(payload: JsonValue) -> list[str]:
    """Every string of a payload."""
    return [value for _, value in leaves(payload) if isinstance(value, str)]
