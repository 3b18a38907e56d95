"""Who carries which letter: those to `apprise:NAME` go to that target, all others to Slack."""

from __future__ import annotations

from bot.domain.letters import Card, Letter
from bot.engine.delivery import Arrived, Courier, Permanent, Temporary
from bot.engine.second_way import DIRECT, SecondWay
from bot.tools.apprise_send import AppriseFailed

_FOR_GOOD = frozenset({"unknown_target", "bad_url"})
"""What trying again doesn't mend."""


class Couriers:
    """Both couriers as one (`bot.engine.delivery.Courier`)."""

    def __init__(self, slack: Courier, second_way: SecondWay) -> None:
        self._slack = slack
        self._second_way = second_way

    async def post(self, letter: Letter, thread: Card | None, delivery_ms: int) -> Arrived:
        """Post a message, or send it to its target."""
        name = _target(letter)
        if name is None:
            return await self._slack.post(letter, thread, delivery_ms)
        try:
            await self._second_way.send_to(name, letter)
        except AppriseFailed as failure:
            raise (Permanent if failure.code in _FOR_GOOD else Temporary)(str(failure)) from failure
        return Arrived(letter.channel, "")

    async def edit(self, letter: Letter, card: Card) -> None:
        """Draw a card again; what has gone out as an SMS stays as it is."""
        if _target(letter) is None:
            await self._slack.edit(letter, card)

    async def find(self, letter: Letter, thread: Card | None) -> Arrived | None:
        """Look whether the letter has arrived."""
        name = _target(letter)
        if name is None:
            return await self._slack.find(letter, thread)
        return Arrived(letter.channel, "") if self._second_way.has_gone_to(name, letter) else None


def _target(letter: Letter) -> str | None:
    return letter.channel.removeprefix(DIRECT) if letter.channel.startswith(DIRECT) else None
