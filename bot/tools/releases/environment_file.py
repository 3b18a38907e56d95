"""The environment file of a systemd unit: what the release in it is started with, and what it replaces.

systemd reads it at every start of the unit, also at one of its own accord. Between writing it and restarting
the unit the Guardian may die; then the file tells of a release that doesn't run yet. So a comment in it says
during which start of the unit (its InvocationID) it was written, and what stood in it before: while that one
goes on, those count.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_BEFORE = "# guardian-before: "
_LINE = re.compile(r'([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\]|\\.)*)"')
_SPECIAL = re.compile(r'[\\"$`]')
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Written:
    """What such a file says."""

    variables: Mapping[str, str]
    invocation: str
    """the start that was going on when it was written; empty for none"""
    before: Mapping[str, str]
    """the variables that start had read"""

    def read_by(self, invocation: str) -> Mapping[str, str]:
        """The variables that this start of the unit has read."""
        return self.before if self.invocation and invocation == self.invocation else self.variables


def read(path: Path) -> Written | None:
    """What it says; None when there is none. Lines of other forms than ours are left out."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    variables: dict[str, str] = {}
    invocation, before = "", {}
    for line in text.splitlines():
        if line.startswith(_BEFORE):
            try:
                found = json.loads(line.removeprefix(_BEFORE))
                invocation, before = str(found["invocation"]), dict(found["variables"])
            except (ValueError, KeyError, TypeError):
                continue
        elif (variable := _LINE.fullmatch(line)) is not None:
            variables[variable[1]] = re.sub(r"\\(.)", r"\1", variable[2])
    return Written(variables, invocation, before)


def write(path: Path, written: Written) -> None:
    """Replace it, whole or not at all, readable by us alone. Raises OSError, and ValueError when a name or a
    value can't stand in such a file."""
    before = json.dumps({"invocation": written.invocation, "variables": dict(written.before)})
    lines = [_BEFORE + before, *(_line(name, value) for name, value in written.variables.items())]
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as file:
        try:
            file.write("\n".join(lines) + "\n")
            file.flush()
            os.fsync(file.fileno())
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _line(name: str, value: str) -> str:
    """As systemd.exec(5) describes: in double quotes, where these four have a meaning."""
    if _NAME.fullmatch(name) is None or not value.isprintable():
        raise ValueError(f"{name}: not for an environment file")
    escaped = _SPECIAL.sub(r"\\\g<0>", value)
    return f'{name}="{escaped}"'
