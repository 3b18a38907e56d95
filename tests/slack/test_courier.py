"""The courier by itself, before a real workspace: marks, plain text, cards that are gone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import aiohttp
import pytest

from bot.domain.letters import Card, Letter, LetterKind, Priority
from bot.engine.delivery import Blocked, CardGone
from bot.slack.channels import Channels
from bot.slack.connection import web_client
from bot.slack.courier import SlackCourier
from bot.workspace.faults import FaultKind
from bot.workspace.model import Message
from bot.workspace.server import Running
from messages.examples import EXAMPLES
from messages.render import Voice
from tests.people import ALERTS, Person, words


def letter(number: int = 1) -> Letter:
    """A letter that says that a database can be written again."""
    now = datetime.now(UTC)
    return Letter(
        id=number,
        stream=f"notice:{number}",
        kind=LetterKind.CARD,
        channel=ALERTS,
        template="store_back",
        facts={"host": "web-1", "down_since": now.isoformat(), "at": now.isoformat()},
        priority=Priority.ALERT,
        created_at=now,
        since=now,
    )


@pytest.fixture
async def courier(slack: Running) -> AsyncIterator[SlackCourier]:
    """A courier of the Guardian's app."""
    async with aiohttp.ClientSession() as session:
        client = web_client(slack.bot_token, slack.api_url, session)
        yield SlackCourier(client, Channels(client), Voice())


def posts(slack: Running, thread_ts: str | None = None) -> list[Message]:
    """What is in the channel, or in a thread without its parent."""
    seen = Person(slack, slack.workspace.users()[0]).sees(ALERTS, thread_ts)
    return seen[1:] if thread_ts else seen


async def test_a_letter_is_found_by_its_own_mark(slack: Running, courier: SlackCourier) -> None:
    sent = letter()
    for number in range(2, 6):
        await courier.post(letter(number), None, 5)
    assert await courier.find(sent, None) is None
    arrived = await courier.post(sent, None, 5)
    await courier.post(letter(6), None, 5)

    assert await courier.find(sent, None) == arrived
    same_id = replace(sent, created_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert await courier.find(same_id, None) is None, "an id alone may be given out again"


async def test_a_note_is_found_in_its_thread_only(slack: Running, courier: SlackCourier) -> None:
    parent = await courier.post(letter(), None, 5)
    card = Card("alert:1", parent.channel_id, parent.ts, datetime.now(UTC), 5)
    note = replace(letter(2), kind=LetterKind.NOTE)
    arrived = await courier.post(note, card, 5)

    assert await courier.find(note, card) == arrived
    assert await courier.find(note, None) is None
    assert [message.ts for message in posts(slack, parent.ts)] == [arrived.ts]


async def test_a_note_whose_thread_is_gone_is_looked_for_in_the_channel(
    slack: Running, courier: SlackCourier
) -> None:
    parent = await courier.post(letter(), None, 5)
    card = Card("alert:1", parent.channel_id, parent.ts, datetime.now(UTC), 5)
    slack.faults.delete_message(ALERTS, parent.ts)
    note = replace(letter(2), kind=LetterKind.NOTE)
    assert await courier.find(note, card) is None
    arrived = await courier.post(note, None, 5)
    assert await courier.find(note, card) == arrived, "it went into the channel instead"


async def test_blocks_that_slack_refuses_go_out_as_plain_text(slack: Running, courier: SlackCourier) -> None:
    slack.faults.add("chat.postMessage", FaultKind.ERROR, error="invalid_blocks")
    await courier.post(letter(), None, 5)
    (message,) = posts(slack)
    assert "web-1" in message.text
    assert message.blocks == ()


async def test_an_edit_that_slack_refuses_becomes_plain_text_too(
    slack: Running, courier: SlackCourier
) -> None:
    arrived = await courier.post(letter(), None, 5)
    card = Card("notice:1", arrived.channel_id, arrived.ts, datetime.now(UTC), 5)
    slack.faults.add("chat.update", FaultKind.ERROR, error="msg_blocks_too_long")
    await courier.edit(letter(), card)
    (message,) = posts(slack)
    assert "web-1" in message.text
    assert message.blocks == ()


@pytest.mark.parametrize(
    "facts", [{}, {"host": None}, {"down_since": "<!channel>", "at": "x", "host": "<@U1>"}]
)
async def test_a_template_that_fails_lets_the_raw_facts_out(
    slack: Running, courier: SlackCourier, facts: dict[str, str | None]
) -> None:
    await courier.post(replace(letter(), facts=facts), None, 5)
    (message,) = posts(slack)
    assert message.text
    assert slack.workspace.mentioned(message) == frozenset()


async def test_an_unknown_template_lets_the_raw_facts_out(slack: Running, courier: SlackCourier) -> None:
    await courier.post(replace(letter(), template="no_such_thing"), None, 5)
    assert "web-1" in words(posts(slack)[0])


async def test_a_card_that_is_gone_is_said_to_be_gone(slack: Running, courier: SlackCourier) -> None:
    arrived = await courier.post(letter(), None, 5)
    card = Card("notice:1", arrived.channel_id, arrived.ts, datetime.now(UTC), 5)
    slack.faults.delete_message(ALERTS, arrived.ts)
    with pytest.raises(CardGone):
        await courier.edit(letter(), card)


async def test_a_renamed_channel_is_looked_up_again(slack: Running, courier: SlackCourier) -> None:
    await courier.post(letter(), None, 5)
    slack.faults.remove_bot(ALERTS)
    with pytest.raises(Blocked, match="not_in_channel"):
        await courier.post(letter(2), None, 5)
    slack.faults.invite_bot(ALERTS)
    await courier.post(letter(3), None, 5)
    with pytest.raises(Blocked, match="channel_not_found"):
        await courier.post(replace(letter(4), channel="nowhere"), None, 5)


async def test_a_channel_may_be_named_by_its_id(slack: Running, courier: SlackCourier) -> None:
    channel = slack.workspace.channel_named(ALERTS)
    arrived = await courier.post(replace(letter(), channel=channel.id), None, 5)
    assert arrived.channel_id == channel.id


WITHOUT_BLOCKS = ("storm_digest", "explain")
"""Texts that are longer than blocks could hold."""


async def test_every_message_is_taken_by_slack_as_it_is(slack: Running, courier: SlackCourier) -> None:
    for name, examples in EXAMPLES.items():
        if name == "home":
            continue
        for facts in examples.values():
            before = len(posts(slack))
            await courier.post(replace(letter(), template=name, facts=facts.as_json()), None, 5)
            message = posts(slack)[before]
            refused = f"{name} was refused and went out as plain text"
            assert message.blocks or name in WITHOUT_BLOCKS, refused
            assert Voice().phrase("notices.plain") not in message.text, refused
