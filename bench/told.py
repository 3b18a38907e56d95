"""Which alerts the messages at Slack's door have named, and which of them more than once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bench.door import OPS_CHANNEL, Arrival

_NAME = re.compile(r"\bhost-\d{5}\b")


def name_of(number: int) -> str:
    """What alert `number` is about; no other alert is."""
    return f"host-{number:05}"


@dataclass(slots=True)
class Told:
    """Keeps book of messages. What a message only draws again, and a note under the alert's own card, names
    nobody anew; reports on the whole don't count. An alert may be named once in the channel and once in a
    thread."""

    names: set[str] = field(default_factory=set)
    doubled: set[str] = field(default_factory=set)
    """named by two messages in the channel, or by two in threads"""
    messages: int = 0
    at: float = 0.0
    """when the last name came that had not been named before"""
    _seen: dict[bool, set[str]] = field(default_factory=lambda: {False: set(), True: set()})
    _roots: dict[str, frozenset[str]] = field(default_factory=dict)

    def take(self, arrival: Arrival) -> None:
        """One more message."""
        if arrival.method != "chat.postMessage" or arrival.channel == OPS_CHANNEL:
            return
        self.messages += 1
        found = frozenset(_NAME.findall(arrival.text))
        if not arrival.thread:
            self._roots[arrival.ts] = found
        else:
            found -= self._roots.get(arrival.thread, frozenset())
        seen = self._seen[bool(arrival.thread)]
        self.doubled |= found & seen
        seen |= found
        new = found - self.names
        if new:
            self.names |= new
            self.at = arrival.at
