"""The short texts: `messages/{ko,en}/phrases/*.yaml`, nested keys with Jinja strings as leaves.

A file's name is the first part of its keys: `unknown_key` in `config.yaml` is `config.unknown_key`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

HERE = Path(__file__).parent
FALLBACK = "ko"
"""The language every text exists in."""

_Loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


class CatalogBroken(Exception):
    """A catalog file does not hold nested keys with texts; its text names the file and the key."""


def _flatten(node: object, path: str, file: Path) -> Iterator[tuple[str, str]]:
    if isinstance(node, str):
        yield path, node
    elif isinstance(node, dict):
        for key, child in node.items():
            if not isinstance(key, str):
                raise CatalogBroken(f"{file.name}: {path}: the key {key!r} needs quotes")
            yield from _flatten(child, f"{path}.{key}", file)
    else:
        raise CatalogBroken(f"{file.name}: {path}: expected a text, found {type(node).__name__}")


def load(language: str, root: Path = HERE) -> Mapping[str, str]:
    """All texts of one language by their full key; raises `CatalogBroken` on a malformed file."""
    texts: dict[str, str] = {}
    for file in sorted((root / language / "phrases").glob("*.yaml")):
        try:
            content = _Loader(file.read_text(encoding="utf-8")).get_single_data()
        except yaml.YAMLError as error:
            raise CatalogBroken(f"{file.name}: {error}") from error
        texts.update(_flatten(content or {}, file.stem, file))
    return texts


class Catalog:
    """The texts of one language; a missing one is taken from the fallback language."""

    def __init__(self, language: str, root: Path = HERE) -> None:
        self._texts = {**load(FALLBACK, root), **load(language, root)}

    def find(self, key: str) -> str | None:
        """The Jinja source of that text, or None."""
        return self._texts.get(key)

    def term(self, group: str, name: str) -> str:
        """What `name` is called (`metric`, `cpu_usage`); its own name when nobody gave it one."""
        return self._texts.get(f"terms.{group}.{name}", name)
