"""From what somebody typed to the answer."""

from __future__ import annotations

import difflib
import secrets
from collections.abc import Awaitable

import structlog

from bot.engine.guardian import Guardian
from bot.slack.command import Answer, Asked, Command
from bot.slack.commands.help import command_facts
from bot.slack.quoting import UnclosedQuote
from bot.store.errors import StoreUnavailable
from messages.answer_facts import ErrorFacts, StoreDownFacts, UnclosedQuoteFacts, UnknownCommandFacts

log = structlog.get_logger(__name__)

_SHOWN = 80


class Dispatcher:
    """Finds the command for a line of text and runs it."""

    def __init__(self, guardian: Guardian, slash: str, commands: tuple[Command, ...]) -> None:
        self.guardian = guardian
        self.slash = slash
        self.commands = commands
        self._by_word = {word: each for each in commands for word in (each.name, each.korean)}

    def asked(self, user_id: str, text: str = "", url: str = "") -> Asked:
        """A question with everything a command may need to answer it; `text`: what stands behind the
        subcommand, `url`: where answers to it go."""
        text = text.strip()
        return Asked(self.guardian, self.slash, self.commands, tuple(text.split()), user_id, text, url)

    async def answer(self, text: str, user_id: str, url: str = "") -> Answer:
        """The answer to a line such as `alerts 12`; an empty line asks for the status. Never raises."""
        word, *rest = _unescaped(text).split(maxsplit=1) or ["status"]
        command = self._by_word.get(word.casefold())
        if command is None:
            return self._unknown(word)
        asked = self.asked(user_id, rest[0] if rest else "", url)
        answer = await self.guarded(command.name, command.answer(asked))
        return answer or self._unknown(word)

    async def guarded(self, what: str, work: Awaitable[Answer | None]) -> Answer | None:
        """What `work` answers. A database that is away and a bug become answers too: whoever asked gets a
        reference, and the log has the rest under it."""
        try:
            return await work
        except StoreUnavailable as error:
            status = self.guardian.status()
            facts = StoreDownFacts(host=status.host, at=status.at, problem=error.detail)
            return Answer("store_unreadable", facts)
        except UnclosedQuote as unclosed:
            return Answer("unclosed_quote", UnclosedQuoteFacts(unclosed.rest[:_SHOWN]))
        except Exception:  # a bug in one answer: the person gets a reference, the log the rest
            reference = secrets.token_hex(2)
            log.exception("internal_error", reference=reference, what=what)
            return Answer("error", ErrorFacts(reference=reference))

    def _unknown(self, word: str) -> Answer:
        near = difflib.get_close_matches(word.casefold(), self._by_word, n=1, cutoff=0.5)
        return Answer(
            "unknown_command",
            UnknownCommandFacts(
                typed=word,
                nearest=near[0] if near else None,
                command=self.slash,
                commands=command_facts(self.commands),
            ),
        )


def _unescaped(text: str) -> str:
    """What the person typed: Slack sends `&`, `<` and `>` escaped, and answers escape them anew."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
