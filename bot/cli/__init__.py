"""The command line: `guardian run`, `check`, `schema`, `manifest`, `probe`, `doctor`.

Exit codes: 0 all is well; 1 a problem was found; 2 the command line or the configuration can't be used.
"""

from bot.cli.main import main

__all__ = ["main"]
