"""What happened to alerts that a storm gathers, every alert by name, in as few messages as can be.

What is alike is told together: one line of a message names all targets of one kind.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain.alerts.facts import SERVICE
from bot.domain.alerts.model import AddNote, Decision, Note
from bot.domain.letters import Letter
from bot.domain.levels import Level
from messages.facts import StormDigestGroup

LETTER_CHARACTERS = 38_000
"""in one letter; Slack cuts a text above 40,000"""
MORE_BELOW = LETTER_CHARACTERS // 2
"""A letter that waits and is shorter takes more."""
_OVERHEAD = 2
"""between two targets"""
_NEW_GROUP = 90
_ESCAPED = "&<>"
"""Characters that take up to five in a text."""
_UNTOLD = (Note.EMPTY_STEP,)

_Kind = tuple[str, str, str, str, str]


class Digest:
    """Events by kind, in the order in which the first of each kind came."""

    def __init__(self) -> None:
        self._targets: dict[_Kind, list[str]] = {}

    def __bool__(self) -> bool:
        return bool(self._targets)

    @property
    def size(self) -> int:
        """Characters that a text with all of it has at most."""
        return sum(_heading(kind) + sum(map(_width, targets)) for kind, targets in self._targets.items())

    def add(self, decision: Decision) -> None:
        """Add what a decision tells of its alert."""
        alert = decision.alert
        if alert is None:
            return
        for effect in decision.effects:
            if isinstance(effect, AddNote) and effect.note not in _UNTOLD:
                subject = alert.subject
                kind = (
                    effect.note.value,
                    alert.level.word,
                    subject.metric,
                    alert.title,
                    alert.labels.get(SERVICE, ""),
                )
                self._targets.setdefault(kind, []).append(subject.target)

    def add_letter(self, letter: Letter) -> None:
        """Add all that a letter tells."""
        groups = letter.facts["groups"]
        if not isinstance(groups, list):
            raise TypeError("a list of groups was expected")
        for group in groups:
            if isinstance(group, dict):
                told = StormDigestGroup(**group)  # type: ignore[arg-type]  # as_json made it
                kind = (told.what, told.level, told.metric, told.title, told.service)
                self._targets.setdefault(kind, []).extend(told.targets)

    def add_all(self, later: Digest) -> None:
        """Add all of another one, which came later."""
        for kind, targets in later._targets.items():
            self._targets.setdefault(kind, []).extend(targets)

    def letters(self) -> Iterator[tuple[StormDigestGroup, ...]]:
        """All of it in pieces that a message can hold."""
        part: list[StormDigestGroup] = []
        used = 0
        for kind, targets in self._targets.items():
            begun = 0
            used += _heading(kind)
            for end, target in enumerate(targets):
                width = _width(target)
                if used + width > LETTER_CHARACTERS and (part or end > begun):
                    if end > begun:
                        part.append(_group(kind, targets[begun:end]))
                    yield tuple(part)
                    part, used, begun = [], _heading(kind), end
                used += width
            part.append(_group(kind, targets[begun:]))
        if part:
            yield tuple(part)


def worst_of(groups: tuple[StormDigestGroup, ...]) -> Level:
    """The worst level that they tell of."""
    return max((Level.of(group.level) for group in groups), default=Level.WARNING)


def _group(kind: _Kind, targets: list[str]) -> StormDigestGroup:
    return StormDigestGroup(*kind, targets=tuple(targets))


def _heading(kind: _Kind) -> int:
    """The characters of a group's line beside its targets."""
    _, _, metric, title, service = kind
    return _NEW_GROUP + _width(title or metric) + _width(service)


def _width(name: str) -> int:
    """The characters that a name takes at most among others."""
    return len(name) + _OVERHEAD + 4 * sum(map(name.count, _ESCAPED))
