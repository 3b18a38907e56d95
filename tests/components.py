"""Components that tests need for real. Without one its tests are skipped by name; in CI they fail."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Never

import pytest

IN_CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")
CHROMIUM = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)


def missing(component: str, how: str) -> Never:
    """End the running test: skipped, naming the component; failed in CI, where everything must be had."""
    message = f"needs {component} ({how})"
    if IN_CI:
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def program(name: str) -> str:
    """The path of the program `name`, which Debian has in a package of the same name."""
    path = shutil.which(name)
    if path is None:
        missing(name, f"apt-get install {name}")
    return path


def postgres_programs() -> Path | None:
    """The folder of the newest PostgreSQL server's programs; None when none is installed."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += Path("/usr/lib/postgresql").glob("*/bin")
    folders = [
        folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()
    ]
    return max(folders, key=_version, default=None)


def _version(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in folder.parent.name.split(".") if part.isdigit())
