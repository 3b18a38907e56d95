"""The subcommands of `/guardian`, one file each. A new file here is a new command: nothing else to change."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from bot.slack.command import Command


@cache
def all_commands() -> tuple[Command, ...]:
    """Every command of this package, in the order of the help."""
    commands = [
        import_module(f"{__name__}.{module.name}").COMMAND
        for module in iter_modules(__path__)
        if not module.name.startswith("_")
    ]
    return tuple(sorted(commands, key=lambda command: (command.order, command.name)))
