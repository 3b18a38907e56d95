"""What people do and see: mentions, whispers, own messages, who is told of what."""

from __future__ import annotations

from pathlib import Path

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace.errors import SlackError
from bot.workspace.model import ChangeKind, Channel, Container, Message, User
from bot.workspace.server import Running, serve
from bot.workspace.settings import UNLIMITED, Timings
from tests.workspace.conftest import Poster
from tests.workspace.harness import actions, button, error_of, manifest


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("<!channel> & <@U1>", "&lt;!channel&gt; &amp; &lt;@U1&gt;"),
        ("@here 점검", "<!here> 점검"),
        ("@{korean}님, 확인", "<@{id}>님, 확인"),
        ("@{handle} @{handle}s", "<@{id}> @{handle}s"),
        ("mail me@{handle}", "mail me@{handle}"),
        ("@operators #general", "<!subteam^{group}> <#{channel}|general>"),
        ("#generally", "#generally"),
        ("see https://example.com/a?b=1&c=2", "see <https://example.com/a?b=1&amp;c=2>"),
    ],
)
async def test_what_is_typed_is_escaped_and_its_mentions_marked(
    typed: str, stored: str, running: Running, person: User, other: User, general: Channel
) -> None:
    group = next(g for g in running.workspace.user_groups() if g.handle == "operators")
    words = {
        "korean": other.display_name,
        "handle": other.name,
        "id": other.id,
        "group": group.id,
        "channel": general.id,
    }
    message = await running.workspace.post_as_user(person.id, general.id, typed.format(**words))
    assert message.text == stored.format(**words)


@pytest.mark.parametrize(
    ("text", "paged"),
    [
        ("<!channel>", {0, 1, 2, 3}),
        ("&lt;!channel&gt;", set()),
        ("<@{other}> 확인", {1}),
        ("<!subteam^{group}>", {1}),
        ("@here @channel", set()),
    ],
)
async def test_it_knows_whom_a_message_pages(
    text: str,
    paged: set[int],
    running: Running,
    client: AsyncWebClient,
    general: Channel,
    other: User,
) -> None:
    workspace = running.workspace
    group = next(g for g in workspace.user_groups() if g.handle == "operators")
    text = text.format(other=other.id, group=group.id)
    people = [user for user in workspace.users() if not user.is_bot]
    wanted = {people[number].id for number in paged}
    block = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
    contents: tuple[dict[str, object], ...] = (
        {"text": text},
        {"text": "x", "blocks": [block]},
        {"text": "x", "attachments": [{"blocks": [block]}]},
    )
    for content in contents:
        posted = await client.api_call("chat.postMessage", json={"channel": general.id, **content})
        message = workspace.message(general.id, posted["ts"], other.id)
        assert message is not None and workspace.mentioned(message) == wanted


async def test_an_ephemeral_message_is_for_one_user_while_he_is_online(
    running: Running, client: AsyncWebClient, person: User, other: User, general: Channel
) -> None:
    workspace = running.workspace
    missed = await client.chat_postEphemeral(channel=general.id, user=person.id, text="nobody is there")
    assert missed["message_ts"] and workspace.messages(general.id, person.id) == []
    page = workspace.subscribe(person.id)
    stranger = workspace.subscribe(other.id)
    await client.chat_postEphemeral(channel=general.id, user=person.id, text="psst")
    assert [m.text for m in workspace.messages(general.id, person.id)] == ["psst"]
    assert workspace.messages(general.id, other.id) == []
    assert (await anext(page)).kind is ChangeKind.EPHEMERAL_ADDED
    await client.chat_postMessage(channel=general.id, text="all")
    assert (await anext(stranger)).kind is ChangeKind.MESSAGE_ADDED
    history = await client.conversations_history(channel=general.id)
    assert [m["text"] for m in history["messages"]] == ["all"]
    ts = workspace.messages(general.id, person.id)[0].ts
    await workspace.delete_own_message(person.id, general.id, ts)
    assert [m.text for m in workspace.messages(general.id, person.id)] == ["all"]
    await page.aclose()
    await stranger.aclose()


async def test_an_ephemeral_message_needs_a_member(
    running: Running, client: AsyncWebClient, general: Channel
) -> None:
    where = {"channel": general.id, "text": "x"}
    assert await error_of(client, "chat.postEphemeral", **where, user="U0X") == "user_not_in_channel"


async def test_ephemeral_messages_do_not_outlive_the_session(tmp_path: Path) -> None:
    async with serve(tmp_path, manifest=manifest()) as running:
        person, channel = running.workspace.users()[0], running.workspace.channel_named("general")
        await running.workspace.post_as_user(person.id, channel.id, "stays")
        client = AsyncWebClient(running.bot_token, base_url=running.api_url)
        await client.chat_postEphemeral(channel=channel.id, user=person.id, text="goes")
        assert len(running.workspace.messages(channel.id, person.id)) == 2
    async with serve(tmp_path, manifest=manifest()) as running:
        assert [m.text for m in running.workspace.messages(channel.id, person.id)] == ["stays"]


async def test_people_change_only_what_is_theirs(
    running: Running, person: User, other: User, general: Channel, post: Poster
) -> None:
    workspace = running.workspace
    mine = await workspace.post_as_user(person.id, general.id, "mine")
    with pytest.raises(SlackError, match="cant_update_message"):
        await workspace.edit_own_message(other.id, general.id, mine.ts, "theirs")
    with pytest.raises(SlackError, match="cant_update_message"):
        await workspace.delete_own_message(person.id, general.id, await post())
    edited = await workspace.edit_own_message(person.id, general.id, mine.ts, "better")
    assert edited.text == "better" and edited.edited is not None


async def test_people_are_refused_in_slacks_words(
    running: Running, person: User, other: User, general: Channel, alerts: Channel
) -> None:
    workspace = running.workspace
    direct = next(c for c in workspace.channels_for(person.id) if c.kind == "im")

    async def refused(user: str, channel: str, text: str = "x") -> str:
        with pytest.raises(SlackError) as error:
            await workspace.post_as_user(user, channel, text)
        return error.value.code

    assert await refused("U0NOBODY", general.id) == "user_not_found"
    assert await refused(running.app.bot_user, general.id) == "user_not_found"
    assert await refused(other.id, direct.id) == "channel_not_found"
    assert await refused(person.id, general.id, " ") == "no_text"
    running.faults.archive("alerts")
    assert await refused(person.id, alerts.id) == "is_archived"
    with pytest.raises(SlackError, match="channel_not_found"):
        workspace.messages(direct.id, other.id)


async def test_a_click_must_be_on_something_that_is_there(
    running: Running, client: AsyncWebClient, person: User, other: User, general: Channel
) -> None:
    workspace = running.workspace
    posted = await client.chat_postMessage(channel=general.id, text="x", blocks=[actions(button())])
    container = Container(general.id, posted["ts"])
    with pytest.raises(SlackError, match="element_not_found"):
        await workspace.click(person.id, container, {"block_id": "row", "action_id": "forged"})
    with pytest.raises(SlackError, match="message_not_found"):
        press = {"block_id": "row", "action_id": "press"}
        await workspace.click(person.id, Container(general.id, "1.000000"), {**press})
    with pytest.raises(SlackError, match="view_not_found"):
        await workspace.submit_view(other.id, "V0NOTHING", {})


async def test_a_page_can_take_up_where_it_was(
    running: Running, client: AsyncWebClient, person: User, general: Channel
) -> None:
    workspace = running.workspace
    seen = workspace.last_change()
    texts = ["one", "two", "three"]
    for text in texts:
        await client.chat_postMessage(channel=general.id, text=text)
    resumed = workspace.subscribe(person.id, after=seen)
    changes = [await anext(resumed) for _ in texts]
    assert [c.message.text for c in changes if c.message is not None] == texts
    ids = [c.id for c in changes]
    assert ids == sorted(set(ids)) and ids[0] > seen
    later = workspace.subscribe(person.id, after=ids[1])
    assert (await anext(later)).id == ids[2]
    lost = workspace.subscribe(person.id, after=1)
    change = await anext(lost)
    assert change.kind is ChangeKind.CHANNEL_CHANGED and change.channel is None
    for subscription in (resumed, later, lost):
        await subscription.aclose()
    assert [c async for c in resumed] == []


async def test_direct_conversations_are_nobody_elses(
    running: Running, client: AsyncWebClient, person: User, other: User, general: Channel
) -> None:
    listener = running.workspace.subscribe(other.id)
    await client.chat_postMessage(channel=person.id, text="for one")
    await client.chat_postMessage(channel=general.id, text="for all")
    change = await anext(listener)
    assert change.message is not None and change.message.text == "for all"
    await listener.aclose()


async def test_messages_come_in_pages(
    running: Running, client: AsyncWebClient, person: User, general: Channel
) -> None:
    for number in range(10):
        await client.chat_postMessage(channel=general.id, text=str(number))

    def texts(messages: list[Message]) -> list[str]:
        return [message.text for message in messages]

    last = running.workspace.messages(general.id, person.id, limit=3)
    assert texts(last) == ["7", "8", "9"]
    before = running.workspace.messages(general.id, person.id, before=last[0].ts, limit=3)
    assert texts(before) == ["4", "5", "6"]


async def test_a_user_without_a_page_counts_as_online_for_a_moment(tmp_path: Path) -> None:
    async with serve(
        tmp_path, manifest=manifest(), timings=Timings(presence=0.0), rate_limits=UNLIMITED
    ) as running:
        person, channel = running.workspace.users()[0], running.workspace.channel_named("general")
        client = AsyncWebClient(running.bot_token, base_url=running.api_url)
        await running.workspace.post_as_user(person.id, channel.id, "and away")
        assert (await client.users_getPresence(user=person.id))["presence"] == "away"
        page = running.workspace.subscribe(person.id)
        assert (await client.users_getPresence(user=person.id))["presence"] == "active"
        await page.aclose()
