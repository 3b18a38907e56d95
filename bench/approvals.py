"""Operations at Slack's door: their cards, the buttons on them, and what is seen after a press."""

from __future__ import annotations

import json
import re
import time

from bench.door import Arrival, Door

APPROVE, STOP = "op_approve", "op_stop"
_BUTTON = r'"action_id": "%s",[^}]*?"value": ("(?:[^"\\]|\\.)*")'
_UNDER_WAY = tuple(f'"{name}"' for name in (STOP, "op_cancel", APPROVE))


async def planned(door: Door, command: str) -> tuple[Arrival, str]:
    """Ask for an operation: the card of its plan, and what its button of approval says."""
    seen = len(door.arrivals)
    await door.command(command)

    def cards() -> list[tuple[Arrival, str]]:
        found = ((each, _value(each, APPROVE)) for each in door.arrivals[seen:])
        return [(each, value) for each, value in found if value is not None]

    await door.until(lambda: bool(cards()))
    return cards()[0]


async def sign(door: Door, card: Arrival, value: str) -> float:
    """Milliseconds from the press of the button of approval to whatever is seen of it first."""
    seen, answers = len(door.arrivals), door.answers
    began = time.monotonic()
    await door.press(card, APPROVE, value)

    def about() -> list[float]:
        # Not what else is in the thread: that may be of the plan, and on its way since before.
        return [each.at for each in door.arrivals[seen:] if each.ts == card.ts]

    await door.until(lambda: bool(about()) or door.answers > answers)
    moments = about() + ([door.answered_at] if door.answers > answers else [])
    return (min(moments) - began) * 1000


async def offered(door: Door, card: Arrival, button: str) -> str:
    """Wait until the card offers that button; what it says."""
    await door.until(lambda: _value(_now(door, card), button) is not None, 60)
    return _value(_now(door, card), button) or ""


async def over(door: Door, card: Arrival) -> None:
    """Wait until the card offers nothing that only an operation under way does."""
    await door.until(lambda: not any(word in _plain(_now(door, card)) for word in _UNDER_WAY), 60)


def _now(door: Door, card: Arrival) -> Arrival:
    return [each for each in door.arrivals if each.ts == card.ts][-1]


def _value(arrival: Arrival, button: str) -> str | None:
    found = re.search(_BUTTON % re.escape(button), _plain(arrival))
    return None if found is None else str(json.loads(found[1]))


def _plain(arrival: Arrival) -> str:
    """A message as JSON whose parts are no longer texts of JSON themselves."""
    whole = json.loads(arrival.text)
    for name in ("blocks", "attachments"):
        if isinstance(whole.get(name), str):
            whole[name] = json.loads(whole[name])
    return json.dumps(whole, ensure_ascii=False)
