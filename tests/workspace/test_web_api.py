"""The Web API: who may call, what is refused and in which words."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace.model import Channel, User
from bot.workspace.server import Running, serve
from bot.workspace.settings import UNLIMITED, Timings
from tests.workspace.conftest import Poster
from tests.workspace.harness import SCOPES, error_of, manifest, mrkdwn, refusal_of


async def test_auth_test_says_whose_token_it_is(running: Running, client: AsyncWebClient) -> None:
    answer = await client.auth_test()
    assert answer["user_id"] == running.app.bot_user and answer["bot_id"] == running.app.bot_id
    assert answer["url"] == running.url + "/"
    assert (await client.bots_info(bot=answer["bot_id"]))["bot"]["app_id"] == running.app.id


async def test_a_token_is_checked(running: Running) -> None:
    def client(token: str | None) -> AsyncWebClient:
        return AsyncWebClient(token, base_url=running.api_url)

    assert await error_of(client(None), "auth.test") == "not_authed"
    assert await error_of(client("xoxb-nonsense"), "auth.test") == "invalid_auth"
    assert await error_of(client(running.app_token), "auth.test") == "not_allowed_token_type"
    assert await error_of(client(running.bot_token), "apps.connections.open") == "not_allowed_token_type"
    running.faults.revoke("bot")
    assert await error_of(client(running.bot_token), "auth.test") == "token_revoked"
    running.faults.revoke("bot", revoked=False)
    assert (await client(running.bot_token).auth_test())["ok"]


async def test_unknown_methods_are_refused(client: AsyncWebClient) -> None:
    assert await error_of(client, "chat.postMessages") == "unknown_method"


async def test_forms_queries_and_json_are_read_alike(
    running: Running, session: aiohttp.ClientSession, general: Channel
) -> None:
    headers = {"Authorization": f"Bearer {running.bot_token}"}
    url = running.api_url + "chat.postMessage"
    fields = {"channel": general.id, "blocks": '[{"type": "divider"}]', "text": "x"}
    async with session.post(url, data=fields, headers=headers) as response:
        body = await response.json()
        assert body["message"]["blocks"][0]["type"] == "divider"
    async with session.post(url, json=fields, headers=headers) as response:
        assert (await response.json())["ok"]
    info = running.api_url + "conversations.info"
    async with session.get(info, params={"channel": general.id}, headers=headers) as response:
        assert (await response.json())["channel"]["name"] == "general"
    json_type = {**headers, "Content-Type": "application/json"}
    async with session.post(url, data=b"{", headers=json_type) as response:
        assert (await response.json())["error"] == "invalid_json"
    async with session.post(url, data=b"[]", headers=json_type) as response:
        assert (await response.json())["error"] == "json_not_object"
    async with session.post(url, data={**fields, "blocks": "[{"}, headers=headers) as response:
        assert (await response.json())["error"] == "invalid_blocks_format"


@pytest.mark.parametrize(
    ("scope", "method", "arguments"),
    [
        ("chat:write", "chat.postMessage", {"channel": "C", "text": "x"}),
        ("channels:history", "conversations.history", {"channel": "#general"}),
        ("channels:read", "conversations.list", {}),
        ("users:read", "users.list", {}),
        ("users:read.email", "users.lookupByEmail", {"email": "a@example.com"}),
        ("usergroups:read", "usergroups.list", {}),
        ("files:write", "files.getUploadURLExternal", {"filename": "a", "length": 1}),
        ("reactions:write", "reactions.add", {"channel": "C", "timestamp": "1", "name": "x"}),
        ("im:write", "conversations.open", {"users": "U"}),
    ],
)
async def test_scopes_are_those_of_the_manifest(
    scope: str, method: str, arguments: dict[str, object], tmp_path: Path
) -> None:
    fewer = tuple(s for s in SCOPES if s != scope)
    async with serve(tmp_path, manifest=manifest(scopes=fewer)) as running:
        client = AsyncWebClient(running.bot_token, base_url=running.api_url)
        channel = running.workspace.channel_named("general").id
        arguments = {name: channel if value == "#general" else value for name, value in arguments.items()}
        refused = await refusal_of(client, method, **arguments)
        assert refused.response["error"] == "missing_scope"
        assert refused.response["needed"] == scope
        assert refused.response["provided"] == ",".join(fewer)


async def test_posting_is_refused_in_slacks_words(
    running: Running, client: AsyncWebClient, general: Channel, alerts: Channel
) -> None:
    async def refused(channel: str, **arguments: object) -> str:
        return await error_of(client, "chat.postMessage", channel=channel, **arguments)

    assert await refused("C0NOWHERE", text="x") == "channel_not_found"
    assert await refused(general.id) == "no_text"
    assert await refused(general.id, text="  ") == "no_text"
    assert await refused(general.id, text="x", thread_ts="1.000000") == "thread_not_found"
    assert await refused(general.id, blocks="x") == "invalid_blocks_format"
    assert await refused(general.id, text="x", metadata={"event_type": 1}) == "invalid_metadata_schema"
    running.faults.remove_bot("general")
    assert await refused(general.id, text="x") == "not_in_channel"
    running.faults.invite_bot("general")
    await client.chat_postMessage(channel="#general", text="x")
    running.faults.archive("alerts")
    assert await refused(alerts.id, text="x") == "is_archived"
    running.faults.archive("alerts", archived=False)
    await client.chat_postMessage(channel=alerts.id, text="x")


async def test_a_direct_message_goes_to_a_user(
    running: Running, client: AsyncWebClient, person: User, other: User
) -> None:
    opened = await client.conversations_open(users=person.id)
    posted = await client.chat_postMessage(channel=person.id, text="just you")
    assert posted["channel"] == opened["channel"]["id"]
    shown = running.workspace.messages(posted["channel"], person.id)
    assert [m.text for m in shown] == ["just you"]
    assert posted["channel"] not in [c.id for c in running.workspace.channels_for(other.id)]


async def test_an_edit_changes_only_what_it_names(
    running: Running, client: AsyncWebClient, general: Channel
) -> None:
    blocks = [{"type": "section", "block_id": "b", "text": mrkdwn("old")}]
    posted = await client.chat_postMessage(
        channel=general.id, text="old", blocks=blocks, attachments=[{"color": "#111111", "text": "a"}]
    )
    edited = await client.chat_update(channel=general.id, ts=posted["ts"], text="new")
    assert edited["text"] == "new"
    message = running.workspace.book.message(general.id, posted["ts"])
    assert message is not None and message.edited is not None
    assert message.blocks and message.attachments
    await client.chat_update(channel=general.id, ts=posted["ts"], blocks=[], attachments=[], text="plain")
    message = running.workspace.book.message(general.id, posted["ts"])
    assert message is not None and not message.blocks and not message.attachments


async def test_an_edit_is_refused_in_slacks_words(
    running: Running, client: AsyncWebClient, general: Channel, person: User
) -> None:
    async def refused(ts: str) -> str:
        return await error_of(client, "chat.update", channel=general.id, ts=ts, text="new")

    foreign = await running.workspace.post_as_user(person.id, general.id, "mine")
    assert await refused(foreign.ts) == "cant_update_message"
    assert await refused("1.000000") == "message_not_found"
    await running.workspace.post_as_user(person.id, general.id, "I am online")
    whisper = await client.chat_postEphemeral(channel=general.id, user=person.id, text="psst")
    assert await refused(whisper["message_ts"]) == "message_not_found"
    own = await client.chat_postMessage(channel=general.id, text="x")
    await client.chat_delete(channel=general.id, ts=own["ts"])
    assert await refused(own["ts"]) == "message_not_found"


async def test_an_edit_needs_a_channel_that_lives_and_that_one_is_in(
    running: Running, client: AsyncWebClient, alerts: Channel
) -> None:
    posted = await client.chat_postMessage(channel=alerts.id, text="x")
    where = {"channel": alerts.id, "ts": posted["ts"]}
    running.faults.archive("alerts")
    assert await error_of(client, "chat.update", **where, text="y") == "is_inactive"
    running.faults.archive("alerts", archived=False)
    running.faults.remove_bot("alerts")
    assert await error_of(client, "chat.update", **where, text="y") == "not_in_channel"
    running.faults.invite_bot("alerts")
    assert (await client.chat_update(**where, text="y"))["text"] == "y"


async def test_the_edit_window_closes_when_the_workspace_has_one(tmp_path: Path) -> None:
    async with serve(tmp_path, manifest=manifest(), timings=Timings(edit_window=0.0)) as running:
        client = AsyncWebClient(running.bot_token, base_url=running.api_url)
        posted = await client.chat_postMessage(channel="#general", text="x")
        where = {"channel": posted["channel"], "ts": posted["ts"]}
        assert await error_of(client, "chat.update", **where, text="y") == "edit_window_closed"


async def test_people_and_groups_can_be_looked_up(running: Running, client: AsyncWebClient) -> None:
    members = (await client.users_list())["members"]
    people = [m for m in members if not m["is_bot"]]
    assert [m["profile"]["display_name"] for m in people] == ["한지우", "이도윤", "박서연", "최민준"]
    assert all(m["profile"]["email"].endswith("@example.com") and m["tz"] == "Asia/Seoul" for m in people)
    found = await client.users_lookupByEmail(email="seoyeon.park@example.com")
    assert found["user"]["id"] == people[2]["id"]
    assert await error_of(client, "users.lookupByEmail", email="no@example.com") == "users_not_found"
    groups = (await client.usergroups_list(include_users=True))["usergroups"]
    assert [g["handle"] for g in groups] == ["viewers", "operators", "approvers", "administrators"]
    approvers = await client.usergroups_users_list(usergroup=groups[2]["id"])
    assert approvers["users"] == [people[2]["id"]]
    assert (await client.users_info(user=people[0]["id"]))["user"]["profile"]["title"]
    assert await error_of(client, "users.info", user="U0NOBODY") == "user_not_found"


async def test_channels_can_be_looked_up(client: AsyncWebClient, general: Channel) -> None:
    first = await client.conversations_list(limit=1)
    second = await client.conversations_list(limit=1, cursor=first["response_metadata"]["next_cursor"])
    names = [c["name"] for page in (first, second) for c in page["channels"]]
    assert names == ["general", "alerts"]
    assert second["response_metadata"]["next_cursor"] == ""
    assert (await client.conversations_info(channel=general.id))["channel"]["is_member"] is True
    assert len((await client.conversations_members(channel=general.id))["members"]) == 5
    assert await error_of(client, "conversations.list", cursor="?") == "invalid_cursor"
    mine = await client.users_conversations(types="public_channel,im")
    assert len(mine["channels"]) == 2 + 4


async def test_channels_come_and_go(client: AsyncWebClient, running: Running, person: User) -> None:
    made = (await client.conversations_create(name="incident-1"))["channel"]
    assert await error_of(client, "conversations.create", name="incident-1") == "name_taken"
    await client.conversations_invite(channel=made["id"], users=[person.id])
    await client.conversations_setTopic(channel=made["id"], topic="what happened")
    channel = running.workspace.channel(made["id"])
    assert channel is not None and person.id in channel.members and channel.topic == "what happened"
    await client.conversations_archive(channel=made["id"])
    assert await error_of(client, "conversations.archive", channel=made["id"]) == "already_archived"
    assert await error_of(client, "conversations.join", channel=made["id"]) == "is_archived"


async def test_history_pages_backwards_and_keeps_metadata(
    running: Running, client: AsyncWebClient, general: Channel, post: Poster
) -> None:
    metadata = {"event_type": "letter", "event_payload": {"id": 7}}
    stamps = [await post(text=str(number), metadata=metadata) for number in range(5)]
    first = await client.conversations_history(channel=general.id, limit=2)
    assert [m["ts"] for m in first["messages"]] == stamps[:2:-1] and first["has_more"]
    assert "metadata" not in first["messages"][0]
    rest = await client.conversations_history(
        channel=general.id,
        limit=10,
        cursor=first["response_metadata"]["next_cursor"],
        include_all_metadata=True,
    )
    assert [m["ts"] for m in rest["messages"]] == stamps[2::-1] and not rest["has_more"]
    assert rest["messages"][0]["metadata"] == metadata
    between = await client.conversations_history(channel=general.id, oldest=stamps[1], latest=stamps[3])
    assert [m["ts"] for m in between["messages"]] == [stamps[2]]
    with_ends = await client.conversations_history(
        channel=general.id, oldest=stamps[1], latest=stamps[3], inclusive=True
    )
    assert [m["ts"] for m in with_ends["messages"]] == stamps[3:0:-1]
    running.faults.remove_bot("general")
    assert await error_of(client, "conversations.history", channel=general.id) == "not_in_channel"


async def test_threads_hold_together(
    running: Running, client: AsyncWebClient, general: Channel, post: Poster, person: User
) -> None:
    parent = await post(text="parent")
    reply = await post(text="reply", thread_ts=parent)
    shown = await post(text="shown", thread_ts=parent, reply_broadcast=True)
    thread = await client.conversations_replies(channel=general.id, ts=parent)
    assert [m["ts"] for m in thread["messages"]] == [parent, reply, shown]
    assert thread["messages"][0]["reply_count"] == 2
    assert thread["messages"][1]["parent_user_id"] == running.app.bot_user
    history = await client.conversations_history(channel=general.id)
    assert [m["ts"] for m in history["messages"]] == [shown, parent]
    assert [m.ts for m in running.workspace.messages(general.id, person.id, thread_ts=parent)] == [
        parent,
        reply,
        shown,
    ]
    await client.chat_delete(channel=general.id, ts=shown)
    thread = await client.conversations_replies(channel=general.id, ts=parent)
    assert thread["messages"][0]["reply_count"] == 1
    assert await error_of(client, "conversations.replies", channel=general.id, ts="1.0") == "thread_not_found"


async def test_reactions_are_given_once(client: AsyncWebClient, general: Channel, post: Poster) -> None:
    ts = await post()
    where = {"channel": general.id, "timestamp": ts, "name": "thumbsup"}
    await client.api_call("reactions.add", json=where)
    assert await error_of(client, "reactions.add", **where) == "already_reacted"
    got = await client.reactions_get(channel=general.id, timestamp=ts)
    assert got["message"]["reactions"][0]["count"] == 1
    await client.api_call("reactions.remove", json=where)
    assert await error_of(client, "reactions.remove", **where) == "no_reaction"
    assert await error_of(client, "reactions.add", **{**where, "name": "no spaces"}) == "invalid_name"


async def test_a_permalink_leads_to_the_message(
    running: Running, client: AsyncWebClient, general: Channel, post: Poster
) -> None:
    ts = await post()
    link = await client.chat_getPermalink(channel=general.id, message_ts=ts)
    assert link["permalink"] == f"{running.url}/archives/{general.id}/p{ts.replace('.', '')}"


async def test_a_name_and_icon_of_its_own_need_a_scope(tmp_path: Path) -> None:
    async with serve(tmp_path, manifest=manifest(scopes=("chat:write",)), rate_limits=UNLIMITED) as running:
        client = AsyncWebClient(running.bot_token, base_url=running.api_url)
        refused = await refusal_of(
            client, "chat.postMessage", channel="#general", text="x", username="Someone"
        )
        assert refused.response["needed"] == "chat:write.customize"


async def test_ampersands_are_stored_escaped(client: AsyncWebClient, general: Channel) -> None:
    answer = await client.chat_postMessage(channel=general.id, text="a & b &amp; c &lt;")
    assert answer["message"]["text"] == "a &amp; b &amp; c &lt;"
