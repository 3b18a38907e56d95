"""Policies as JSON texts. Thousands of alerts share one: each is put into JSON once, and kept once, under the
hash of its text."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from functools import lru_cache
from typing import NamedTuple

from bot.domain.alerts.ladder import Ladder, Policy, Rung, Target, TargetKind
from bot.domain.levels import Level


class KeptPolicy(NamedTuple):
    """A policy as it is kept: an alert's row has the `key`."""

    key: str
    text: str


class _Known:
    """How the policies in use are kept, by identity: hashing one costs more than writing it."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Policy, KeptPolicy]] = {}

    def of(self, policy: Policy) -> KeptPolicy:
        known = self._known.get(id(policy))
        if known is not None and known[0] is policy:
            return known[1]
        if len(self._known) > 1000:
            self._known.clear()
        text = _write(policy)
        kept = KeptPolicy(policy_key(text), text)
        self._known[id(policy)] = (policy, kept)
        return kept


_known = _Known()


def policy_key(text: str) -> str:
    """The key of a policy whose JSON is `text`."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def kept_policy(policy: Policy) -> KeptPolicy:
    """The policy as JSON, and the key for it."""
    return _known.of(policy)


@lru_cache(maxsize=1000)
def policy_of(text: str) -> Policy:
    """The policy that `kept_policy` made that JSON of."""
    data = json.loads(text)
    return Policy(
        name=data["name"],
        tiers=tuple(
            tuple(Target(TargetKind(kind), name) for kind, name in targets) for targets in data["tiers"]
        ),
        ladders={Level.of(level): _ladder(ladder) for level, ladder in data["ladders"].items()},
        ack_expires={Level.of(level): timedelta(seconds=each) for level, each in data["ack_expires"].items()},
    )


def _ladder(data: dict[str, object]) -> Ladder:
    rungs, rounds, pause, every = data["rungs"], data["rounds"], data["pause"], data["every"]
    if not isinstance(rungs, list) or not isinstance(rounds, int) or not isinstance(pause, int | float):
        raise ValueError("no ladder")
    return Ladder(
        rungs=tuple(Rung(timedelta(seconds=after), tuple(tiers)) for after, tiers in rungs),
        rounds=rounds,
        pause=timedelta(seconds=pause),
        every=timedelta(seconds=every) if isinstance(every, int | float) else None,
    )


def _write(policy: Policy) -> str:
    return json.dumps(
        {
            "name": policy.name,
            "tiers": [[[target.kind.value, target.name] for target in tier] for tier in policy.tiers],
            "ladders": {
                level.word: {
                    "rungs": [[rung.after.total_seconds(), list(rung.tiers)] for rung in ladder.rungs],
                    "rounds": ladder.rounds,
                    "pause": ladder.pause.total_seconds(),
                    "every": ladder.every.total_seconds() if ladder.every is not None else None,
                }
                for level, ladder in policy.ladders.items()
            },
            "ack_expires": {level.word: each.total_seconds() for level, each in policy.ack_expires.items()},
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )
