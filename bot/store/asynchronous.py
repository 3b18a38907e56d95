"""SQLAlchemy's connections for asyncio, without its ORM.

`sqlalchemy.ext.asyncio` loads the ORM along, for sessions that nobody here uses: 6 MB that stay, and a tenth
of a second of each start. Its module `engine` needs none of that.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import TYPE_CHECKING

__all__ = ["AsyncConnection", "AsyncEngine", "create_async_engine"]

_PACKAGE = "sqlalchemy.ext.asyncio"


def _engine() -> ModuleType:
    """The module `engine`, without what its package does when it is loaded.

    Whoever imports the package itself, later or before, gets all of it, with the same classes.
    """
    spec = find_spec(_PACKAGE)
    if _PACKAGE in sys.modules or spec is None:
        return import_module(f"{_PACKAGE}.engine")
    sys.modules[_PACKAGE] = module_from_spec(spec)  # the package as a place to look in, never executed
    try:
        return import_module(f"{_PACKAGE}.engine")
    finally:
        del sys.modules[_PACKAGE]


if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
else:
    _found = _engine()
    AsyncConnection, AsyncEngine = _found.AsyncConnection, _found.AsyncEngine
    create_async_engine = _found.create_async_engine
