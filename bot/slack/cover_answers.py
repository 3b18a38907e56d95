"""What silences and maintenance windows have in common where people ask for one."""

from __future__ import annotations

from bot.slack.command import Answer
from messages.cover_facts import CoverConfirmFacts, CoverRefusedFacts, SilenceDoneFacts, WindowDoneFacts

_ALL = ("--all", "—all", "--전체", "—전체")
"""What says that everything is meant; some keyboards make one dash of two."""


def told(outcome: SilenceDoneFacts | WindowDoneFacts | CoverRefusedFacts | CoverConfirmFacts) -> Answer:
    """What became of a silence or a window that somebody asked for."""
    match outcome:
        case SilenceDoneFacts():
            return Answer("silence_done", outcome)
        case WindowDoneFacts():
            return Answer("maintenance_done", outcome)
        case CoverConfirmFacts():
            return Answer("cover_confirm", outcome)
    return Answer("cover_refused", outcome)


def without_all(arguments: tuple[str, ...]) -> tuple[str, bool]:
    """The line without the word that says that everything is meant, and whether it was there."""
    rest = [word for word in arguments if word.casefold() not in _ALL]
    return " ".join(rest), len(rest) < len(arguments)
