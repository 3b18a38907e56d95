"""The connections come without the ORM, and are the same that SQLAlchemy's package for asyncio has."""

from __future__ import annotations

import subprocess
import sys

import pytest

_ALONE = """
import sys
from bot.store.asynchronous import AsyncConnection, AsyncEngine, create_async_engine
assert "sqlalchemy.orm" not in sys.modules
"""
_SAME = """
import sqlalchemy.ext.asyncio as whole
assert "sqlalchemy.orm" in sys.modules and whole.AsyncSession
assert whole.AsyncConnection is AsyncConnection and whole.AsyncEngine is AsyncEngine
assert whole.create_async_engine is create_async_engine
"""
_AFTERWARDS = """
import sys
import sqlalchemy.ext.asyncio as whole
from bot.store.asynchronous import AsyncEngine
assert whole.AsyncEngine is AsyncEngine and sys.modules["sqlalchemy.ext.asyncio"] is whole
"""


@pytest.mark.parametrize("program", [_ALONE, _ALONE + _SAME, _AFTERWARDS])
def test_the_package_can_be_loaded_before_later_and_never(program: str) -> None:
    """In a process of its own: here everything has been imported."""
    subprocess.run([sys.executable, "-c", program], check=True)
