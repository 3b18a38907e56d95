"""Policies as JSON texts: thousands of alerts share one, so each is put into JSON once."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import lru_cache

from bot.domain.alerts.ladder import Ladder, Policy, Rung, Target, TargetKind
from bot.domain.levels import Level


class _Texts:
    """The JSON of the policies in use, by identity: hashing one costs more than writing it."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Policy, str]] = {}

    def of(self, policy: Policy) -> str:
        known = self._known.get(id(policy))
        if known is not None and known[0] is policy:
            return known[1]
        if len(self._known) > 1000:
            self._known.clear()
        text = _write(policy)
        self._known[id(policy)] = (policy, text)
        return text


_texts = _Texts()


def policy_text(policy: Policy) -> str:
    """The policy as JSON."""
    return _texts.of(policy)


@lru_cache(maxsize=1000)
def policy_of(text: str) -> Policy:
    """The policy that `policy_text` made that JSON of."""
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
