"""Words of a configuration with placeholders, and what they become for a release."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

_NAMES = ("service", "environment", "revision", "slot", "host", "port", "directory", "marker")
_PLACEHOLDER = re.compile(r"\{(" + "|".join(_NAMES) + r")\}")


class OutsideError(ValueError):
    """A path would leave the folder that its template lies in."""


def fill(template: str, values: Mapping[str, str]) -> str:
    """`template` with what `values` has in place of its placeholders. Other braces stay as they are; nothing
    that is put in is looked at again."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), template)


def fill_all(templates: Sequence[str], values: Mapping[str, str]) -> tuple[str, ...]:
    """Each word of a command: as many as there were, whatever is put in."""
    return tuple(fill(word, values) for word in templates)


def fill_path(template: str, values: Mapping[str, str]) -> Path:
    """The path that a template becomes. Raises OutsideError when it would not be below the folder that the
    template names before its first placeholder."""
    path = os.path.normpath(fill(template, values))
    placeholder = _PLACEHOLDER.search(template)
    if placeholder is not None:
        parent = os.path.normpath(template[: placeholder.start()].rpartition("/")[0] or "/")
        if path == parent or os.path.commonpath((parent, path)) != parent:
            raise OutsideError(path)
    return Path(path)
