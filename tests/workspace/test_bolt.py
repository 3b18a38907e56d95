"""A plain Bolt app can't tell the workspace from Slack: over Socket Mode and in HTTP mode."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace.model import Container, JsonObject, SubmissionKind
from bot.workspace.server import serve
from bot.workspace.settings import Timings
from tests.workspace.bolt_app import Stage, by_http, by_socket
from tests.workspace.harness import (
    actions,
    button,
    eventually,
    manifest,
    plain,
    text_input,
    typed,
)


@pytest.fixture(params=[by_socket, by_http], ids=["socket", "http"])
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    """The same app, both ways."""
    async with request.param(tmp_path) as staged:
        yield staged


async def test_a_command_is_answered_at_once(stage: Stage) -> None:
    await stage.run("/probe now & then")
    assert stage.texts() == ["at once"]
    command = stage.seen.commands[0]
    assert command["text"] == "now &amp; then" and command["user_id"] == stage.person.id
    message = stage.running.workspace.messages(stage.general, stage.person.id)[0]
    assert message.ephemeral_for == stage.person.id and message.blocks
    stranger = stage.running.workspace.users()[1]
    assert not stage.running.workspace.messages(stage.general, stranger.id)


async def test_a_command_is_answered_later_by_its_response_url(stage: Stage) -> None:
    await stage.run("/probe slow")
    await eventually(lambda: len(stage.texts()) == 2)
    shown = stage.running.workspace.messages(stage.general, stage.person.id)
    assert [(m.text, m.ephemeral_for) for m in shown] == [
        ("a moment", stage.person.id),
        ("everyone", None),
    ]


async def test_a_mention_is_answered_in_its_thread(stage: Stage) -> None:
    message = await stage.running.workspace.post_as_user(stage.person.id, stage.general, "@probe 안녕")
    await eventually(lambda: len(stage.texts(message.ts)) == 2)
    assert stage.texts(message.ts)[1] == f"hello <@{stage.person.id}>"
    assert {event["type"] for event in stage.seen.events} >= {"app_mention"}


async def test_a_click_on_a_message_carries_it_and_may_replace_it(stage: Stage) -> None:
    client = AsyncWebClient(stage.running.bot_token, base_url=stage.running.api_url)
    posted = await client.chat_postMessage(
        channel=stage.general, text="press me", blocks=[actions(button(value="7"))]
    )
    container = Container(channel_id=stage.general, message_ts=posted["ts"])
    action: JsonObject = {"block_id": "row", "action_id": "press"}
    outcome = await stage.running.workspace.click(stage.person.id, container, action)
    assert outcome.error is None
    await eventually(lambda: stage.texts() == ["pressed"])
    click = stage.seen.clicks[0]
    assert click["type"] == "block_actions" and click["message"]["ts"] == posted["ts"]
    assert click["actions"][0]["value"] == "7" and click["actions"][0]["type"] == "button"
    assert click["container"]["is_ephemeral"] is False and click["channel"]["name"] == "general"


async def test_a_click_on_an_ephemeral_message_may_replace_it_too(stage: Stage) -> None:
    await stage.run("/probe")
    message = stage.running.workspace.messages(stage.general, stage.person.id)[0]
    container = Container(channel_id=stage.general, message_ts=message.ts)
    await stage.running.workspace.click(stage.person.id, container, {"block_id": "row", "action_id": "press"})
    await eventually(lambda: stage.texts() == ["pressed"])
    assert stage.seen.clicks[0]["container"]["is_ephemeral"] is True
    shown = stage.running.workspace.messages(stage.general, stage.person.id)
    assert shown[0].ephemeral_for == stage.person.id and not shown[0].blocks


async def test_a_click_in_the_home_tab_carries_the_view_and_no_message(stage: Stage) -> None:
    workspace = stage.running.workspace
    await workspace.open_home(stage.person.id, stage.running.app.id)
    home = await eventually(lambda: workspace.home(stage.running.app.id, stage.person.id))
    outcome = await workspace.click(
        stage.person.id, Container(view_id=home.id), {"block_id": "row", "action_id": "home"}
    )
    assert outcome.error is None
    click = stage.seen.clicks[0]
    assert click["view"]["id"] == home.id and click["view"]["type"] == "home"
    assert "message" not in click and "response_url" not in click
    assert click["container"] == {"type": "view", "view_id": home.id}


async def test_a_form_is_answered_in_every_way(stage: Stage) -> None:
    workspace, person = stage.running.workspace, stage.person
    view_id = await stage.form()
    empty = await workspace.submit_view(person.id, view_id, typed(""))
    assert empty.kind is SubmissionKind.ERRORS and set(empty.errors) == {"field"}
    wrong = await workspace.submit_view(person.id, view_id, typed("wrong"))
    assert (wrong.kind, wrong.errors) == (SubmissionKind.ERRORS, {"field": "not this"})
    updated = await workspace.submit_view(person.id, view_id, typed("update"))
    assert updated.kind is SubmissionKind.UPDATED and updated.view is not None
    assert updated.view.id == view_id and updated.view.title == plain("Updated")
    pushed = await workspace.submit_view(person.id, view_id, typed("push"))
    assert pushed.kind is SubmissionKind.PUSHED and pushed.view is not None
    assert [v.id for v in workspace.open_views(person.id)] == [view_id, pushed.view.id]
    done = await workspace.submit_view(person.id, pushed.view.id, typed("fine"))
    assert done.kind is SubmissionKind.CLOSED and done.view is not None and done.view.id == view_id
    cleared = await workspace.submit_view(person.id, view_id, typed("clear"))
    assert cleared.kind is SubmissionKind.CLEARED and not workspace.open_views(person.id)


async def test_a_closed_form_is_reported_when_it_asked_for_that(stage: Stage) -> None:
    view_id = await stage.form()
    await stage.running.workspace.close_view(stage.person.id, view_id)
    assert not stage.running.workspace.open_views(stage.person.id)
    closed = await eventually(lambda: stage.seen.closed or None)
    assert closed[0]["type"] == "view_closed" and closed[0]["is_cleared"] is False


async def test_an_external_menu_gets_its_options(stage: Stage) -> None:
    client = AsyncWebClient(stage.running.bot_token, base_url=stage.running.api_url)
    menu: JsonObject = {"type": "external_select", "action_id": "external", "min_query_length": 0}
    posted = await client.chat_postMessage(channel=stage.general, text="x", blocks=[actions(menu)])
    found = await stage.running.workspace.suggest_options(
        stage.person.id, Container(stage.general, posted["ts"]), "row", "external", "서"
    )
    assert [option["text"] for option in found] == [plain("서0"), plain("서1")]


async def test_shortcuts_reach_the_app(stage: Stage) -> None:
    workspace, app = stage.running.workspace, stage.running.app
    assert (await workspace.run_shortcut(stage.person.id, app.id, "everywhere")).error is None
    message = await workspace.post_as_user(stage.person.id, stage.general, "this one")
    container = Container(stage.general, message.ts)
    await workspace.run_shortcut(stage.person.id, app.id, "on_message", container)
    kinds = [click["type"] for click in stage.seen.clicks]
    assert kinds == ["shortcut", "message_action"]
    assert stage.seen.clicks[1]["message"]["ts"] == message.ts


async def test_the_app_takes_no_unsigned_requests(tmp_path: Path) -> None:
    async with by_http(tmp_path) as stage:
        credentials = stage.running.workspace.book.credentials
        app = stage.running.app
        right = credentials[app.id]
        credentials[app.id] = type(right)(right.bot_token, right.app_token, "another secret")
        outcome = await stage.running.workspace.run_command(stage.person.id, stage.general, "/probe")
        assert outcome.error == "dispatch_failed" and not stage.seen.commands


async def test_an_event_that_the_app_refuses_comes_again_with_its_number(tmp_path: Path) -> None:
    numbers: list[tuple[str | None, str | None]] = []
    application = web.Application()

    async def refuse(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        if body["type"] == "url_verification":
            return web.json_response({"challenge": body["challenge"]})
        headers = request.headers
        numbers.append((headers.get("X-Slack-Retry-Num"), headers.get("X-Slack-Retry-Reason")))
        return web.Response(status=500)

    application.router.add_post("/", refuse)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    timings = Timings(retries=(0.01, 0.01, 0.01))
    async with serve(tmp_path, manifest=manifest(http=url), timings=timings) as running:
        person, channel = running.workspace.users()[0], running.workspace.channel_named("general")
        await running.workspace.post_as_user(person.id, channel.id, "hello")
        await eventually(lambda: len(numbers) == 4)
    await runner.cleanup()
    assert numbers == [(None, None), ("1", "http_error"), ("2", "http_error"), ("3", "http_error")]


async def test_payloads_never_leave_this_machine(tmp_path: Path) -> None:
    outside = manifest(http="https://slack-app.example.com/slack/events")
    async with serve(tmp_path, manifest=outside) as running:
        person, channel = running.workspace.users()[0], running.workspace.channel_named("general")
        outcome = await running.workspace.run_command(person.id, channel.id, "/probe")
        assert outcome.error == "dispatch_failed"


async def test_two_hundred_commands_at_once_are_all_acknowledged(tmp_path: Path) -> None:
    async with by_socket(tmp_path) as stage:
        await asyncio.gather(*(stage.run(f"/probe {number}") for number in range(200)))
        assert len(stage.seen.commands) == 200


async def test_state_of_inputs_comes_with_a_click(tmp_path: Path) -> None:
    async with by_socket(tmp_path) as stage:
        client = AsyncWebClient(stage.running.bot_token, base_url=stage.running.api_url)
        blocks = [text_input(initial_value="before"), actions(button("again"))]
        posted = await client.chat_postMessage(channel=stage.general, text="x", blocks=blocks)
        container = Container(stage.general, posted["ts"])
        action: JsonObject = {"block_id": "row", "action_id": "again"}
        await stage.running.workspace.click(stage.person.id, container, action)
        await stage.running.workspace.click(stage.person.id, container, action, typed("after"))
        values = [click["state"]["values"]["field"]["value"]["value"] for click in stage.seen.clicks]
        assert values == ["before", "after"]
