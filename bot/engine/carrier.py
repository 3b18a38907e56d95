"""Carries one letter to Slack: leased before it is posted, marked afterwards, and its card remembered."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import structlog

from bot.domain.letters import PAGES, Card, Letter, LetterKind
from bot.engine.clock import Clock
from bot.engine.delivery import Arrived, CardGone, Courier, Permanent, Temporary
from bot.engine.ledger import Ledger
from bot.engine.stream import Stream
from bot.store.changes import CardLost, LetterLeased, LetterReleased, LetterSent
from bot.store.errors import StoreUnavailable

log = structlog.get_logger(__name__)

_CARDS_KNOWN = 5_000
"""in memory, for the edits to come"""


class Carrier:
    """Knows where the cards are and how a letter gets there."""

    def __init__(self, ledger: Ledger, courier: Courier, clock: Clock, lease: timedelta) -> None:
        self._ledger = ledger
        self._courier = courier
        self._clock = clock
        self._lease = lease
        self._cards: dict[str, Card] = {}
        self._gone: set[str] = set()
        """the streams whose card is known to be gone; its thread may go on without it"""

    async def know_cards(self, streams: Iterable[str]) -> None:
        """Read where the cards of those streams are, as far as that is not known. Raises StoreUnavailable."""
        found = await self._ledger.store.cards(streams)
        self._know({stream: card for stream, card in found.items() if stream not in self._cards})

    def card(self, stream: str) -> Card | None:
        """Where the card of a stream is, as far as this process knows."""
        return self._cards.get(stream)

    async def lost(self, stream: str, ts: str) -> None:
        """The card of that stream at that place is gone, or no longer ours to change. Whatever becomes of the
        letter that found out, nobody is called in its thread any more, and an edit becomes the new card."""
        known = self._cards.get(stream)
        if known is not None and known.ts != ts:
            return  # there is a new one already
        if known is not None:
            self._gone.add(stream)
        await self._ledger.write([CardLost(stream, ts)])

    async def send(self, letter: Letter, stream: Stream) -> None:
        """Send the oldest letter of its stream. Raises Temporary, Ambiguous or Permanent."""
        card = None if letter.kind is LetterKind.CARD else await self._card_of(letter.stream)
        is_gone = letter.stream in self._gone
        if letter.kind is LetterKind.EDIT and card is not None and not is_gone:
            try:
                await self._courier.edit(letter, card)
            except CardGone as gone:
                log.warning("card_is_gone", stream=letter.stream, detail=gone.detail)
                await self.lost(letter.stream, card.ts)
            else:
                await self._ledger.write([LetterSent(letter.id, self._clock(), card.ts, None)])
                return
        # A card, or an edit whose card is gone: the alert goes on with a new card.
        as_card = letter.kind is not LetterKind.NOTE
        # What calls people must be seen: a thread without its card is in nobody's sight.
        thread = None if as_card or (is_gone and letter.template in PAGES) else card
        arrived = None
        if stream.in_doubt:
            arrived = await self._courier.find(letter, thread)
            stream.in_doubt = False
        if arrived is None:
            arrived = await self._post(letter, stream, thread)
        now = self._clock()
        posted: Card | None = None
        if as_card:
            posted = Card(letter.stream, arrived.channel_id, arrived.ts, now, self._took_ms(letter, now))
            self._know({letter.stream: posted})
            self._gone.discard(letter.stream)
        await self._ledger.write([LetterSent(letter.id, now, arrived.ts, posted)])

    async def _post(self, letter: Letter, stream: Stream, thread: Card | None) -> Arrived:
        now = self._clock()
        await self._ledger.write(
            [LetterLeased(letter.id, letter.attempts + stream.failures + 1, now + self._lease)]
        )
        # Until an answer is here, whoever finds this lease must look before posting again.
        stream.in_doubt = True
        try:
            try:
                return await self._courier.post(letter, thread, self._took_ms(letter, now))
            except CardGone as gone:
                log.warning("thread_is_gone", stream=letter.stream, detail=gone.detail)
                if thread is not None:
                    await self.lost(letter.stream, thread.ts)
                return await self._courier.post(letter, None, self._took_ms(letter, now))
        except (Temporary, Permanent) as error:
            stream.in_doubt = False
            await self._ledger.write([LetterReleased(letter.id, error.detail)])
            raise

    async def _card_of(self, stream: str) -> Card | None:
        if stream not in self._cards:
            try:
                await self.know_cards([stream])
            except StoreUnavailable as error:
                # Without knowing where the card is, an edit would become a second one.
                raise Temporary(f"database: {error.detail}") from error
        return self._cards.get(stream)

    def _know(self, cards: Mapping[str, Card]) -> None:
        self._cards.update(cards)
        # Those known longest go first; the database still knows them.
        for name in list(itertools.islice(self._cards, max(0, len(self._cards) - _CARDS_KNOWN))):
            del self._cards[name]
            self._gone.discard(name)

    def _took_ms(self, letter: Letter, now: datetime) -> int:
        return max(0, round((now - letter.since).total_seconds() * 1000))
