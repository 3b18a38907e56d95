"""The command line: `guardian run`, `check`, `schema`, `manifest`, `probe`, `doctor`.

Exit codes: 0 all is well; 1 a problem was found; 2 the command line or the configuration can't be used.
"""

import sys


def _spare_rich() -> None:
    """Let structlog be imported without rich, which it loads where it is installed, for tracebacks in colour
    that our logs don't print. That would be 4 MB for as long as the Guardian runs; the commands that draw
    tables import it themselves."""
    if "structlog" in sys.modules or "rich" in sys.modules:
        return
    sys.modules["rich"] = None  # type: ignore[assignment] # to an import statement: not there
    try:
        import structlog  # noqa: F401 - only for what it imports
    finally:
        del sys.modules["rich"]


_spare_rich()

from bot.cli.main import main  # noqa: E402 - not before the above

__all__ = ["main"]
