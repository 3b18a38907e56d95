"""What a workspace was told of alerts from elsewhere, counted from the messages that are there."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from bot.workspace.model import Message
from bot.workspace.server import Running
from tests.people import ALERTS, words

_TARGET = re.compile(r"node-[0-9a-z-]+")
_CARD = re.compile(rf"대상: `({_TARGET.pattern})`")
_STORM_PAGE = re.compile(r"호출: 알림 ([\d,]+)건 · 폭주")
_OWN_PAGE = re.compile(r"\d+회차 \d+단계 호출")
_FIRED, _RESOLVED = ("🆕 발령", "발령"), ("✅ 해결",)


@dataclass
class Told:
    """What was said of targets named `node-…`. A message that is there twice is read once."""

    fired: Counter[str] = field(default_factory=Counter)
    """how often a storm's lines name them as fired"""
    resolved: Counter[str] = field(default_factory=Counter)
    fired_alone: Counter[str] = field(default_factory=Counter)
    """how often the thread of a card of their own does"""
    resolved_alone: Counter[str] = field(default_factory=Counter)
    pages: int = 0
    """how many single pages the calls stand for"""
    letters: Counter[str] = field(default_factory=Counter)
    """how often each letter is there, by its mark"""
    storms: list[str] = field(default_factory=list)
    """the headlines of the storms' cards"""
    overtaken: list[str] = field(default_factory=list)
    """what is in a thread before something that was written down earlier"""

    @property
    def doubles(self) -> int:
        """Messages that are there once more than they should be."""
        return sum(count - 1 for count in self.letters.values())

    @property
    def twice(self) -> set[str]:
        """Targets of which the same was said in two different messages."""
        books = (self.fired, self.resolved, self.fired_alone, self.resolved_alone)
        return {target for book in books for target, count in book.items() if count > 1}

    @classmethod
    def of(cls, slack: Running, channel: str = ALERTS) -> Told:
        """Everything that the Guardian has posted in that channel and its threads."""
        told = cls()
        log = slack.workspace.book.log(slack.workspace.channel_named(channel).id)
        owners: dict[str, str] = {}
        newest: dict[str, int] = {}
        for message in sorted(log.messages.values(), key=lambda message: float(message.ts)):
            mark = _mark(message)
            if mark is None:
                continue
            said = words(message)
            headline = said.splitlines()[0]
            if not message.is_reply and (card := _CARD.search(said)):
                owners[message.ts] = card[1]
            told.letters[mark] += 1
            if told.letters[mark] == 1:
                told._read(message, said, owners)
            number, thread = int(mark.partition("@")[0]), message.thread_ts or message.ts
            if number < newest.get(thread, 0):
                told.overtaken.append(headline)
            newest[thread] = number
        return told

    def _read(self, message: Message, said: str, owners: dict[str, str]) -> None:
        headline = said.splitlines()[0]
        if found := _STORM_PAGE.search(headline):
            self.pages += int(found[1].replace(",", ""))
        elif _OWN_PAGE.search(headline):
            self.pages += 1
        elif not message.is_reply:
            self.storms += [headline] if "알림 폭주" in headline else []
        elif message.thread_ts in owners:
            book = _book(headline, self.fired_alone, self.resolved_alone)
            book[owners[message.thread_ts]] += 1
        else:
            for line in message.text.splitlines():
                _book(line, self.fired, self.resolved).update(_TARGET.findall(line))


def _book(line: str, fired: Counter[str], resolved: Counter[str]) -> Counter[str]:
    if line.startswith(_FIRED):
        return fired
    return resolved if line.startswith(_RESOLVED) else Counter()


def _mark(message: Message) -> str | None:
    payload = (message.metadata or {}).get("event_payload")
    mark = payload.get("letter") if isinstance(payload, dict) else None
    return mark if isinstance(mark, str) else None
