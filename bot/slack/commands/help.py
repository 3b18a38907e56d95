"""`help 도움말`: what one can ask."""

from __future__ import annotations

from bot.slack.command import Answer, Asked, Command
from messages.answer_facts import HelpFacts
from messages.facts import CommandFacts


def command_facts(commands: tuple[Command, ...]) -> tuple[CommandFacts, ...]:
    """The commands as the help shows them."""
    return tuple(CommandFacts(each.name, each.korean, each.arguments) for each in commands)


async def _answer(asked: Asked) -> Answer:
    return Answer("help", HelpFacts(command=asked.slash, commands=command_facts(asked.commands)))


COMMAND = Command(name="help", korean="도움말", arguments="", order=8, answer=_answer)
