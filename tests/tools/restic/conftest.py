"""A pair of repositories for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.tools.restic.repository import Repository
from tests.backups import Templates, local
from tests.objects import Objects


@pytest.fixture
def objects() -> Iterator[Objects]:
    """An S3 server."""
    with Objects.started() as objects:
        yield objects


@pytest.fixture
def repository(tmp_path: Path, templates: Templates, objects: Objects) -> Repository:
    """A local repository; there is one on the S3 server too."""
    templates.lay_out(tmp_path / "repository", objects)
    return local(tmp_path / "repository")
