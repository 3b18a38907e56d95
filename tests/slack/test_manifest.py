"""The app's manifest: valid for a workspace, as few scopes as can be, each with its reason."""

from pathlib import Path
from typing import Literal

import pytest
import yaml

from bot.slack.commands import all_commands
from bot.slack.listeners import SLASHES
from bot.slack.manifest import EVENTS, PRIVATE_EVENTS, SCOPES, manifest, manifest_yaml, scopes
from bot.workspace.manifest import parse_manifest

DOCUMENTED = Path(__file__).parents[2] / "docs" / "slack-scopes.md"


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("mode", ["socket", "http"])
def test_a_workspace_takes_it(mode: Literal["socket", "http"], language: str) -> None:
    text = manifest_yaml(mode=mode, request_url="https://g.example.com/slack/events", language=language)
    app = parse_manifest(yaml.safe_load(text)).as_app("A1", "B1", "U1")
    assert app.socket_mode is (mode == "socket")
    assert app.interactive
    assert app.home_tab
    assert app.messages_tab
    assert set(app.events) == set(EVENTS)
    assert [command.command for command in app.commands] == ["/guardian", *SLASHES]
    assert (app.events_url, app.interactivity_url) == (
        (None, None) if mode == "socket" else ("https://g.example.com/slack/events",) * 2
    )


def test_the_text_is_the_values_with_a_reason_beside_each_scope_and_event() -> None:
    text = manifest_yaml(private_channels=True)
    assert yaml.safe_load(text) == manifest(private_channels=True)
    for scope in SCOPES:
        assert f"- {scope.name}  # {scope.reason}" in text
    for event, reason in (EVENTS | PRIVATE_EVENTS).items():
        assert f"- {event}  # {reason}" in text


def test_private_channels_need_two_more_scopes() -> None:
    extra = set(scopes(private_channels=True)) - set(scopes())
    assert {scope.name for scope in extra} == {"groups:history", "groups:read"}


def test_threads_are_heard_in_private_channels_too() -> None:
    private = yaml.safe_load(manifest_yaml(private_channels=True))
    events = private["settings"]["event_subscriptions"]["bot_events"]
    assert set(events) == {*EVENTS, "message.groups"}


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_hint_names_every_subcommand(language: str) -> None:
    command = parse_manifest(manifest(language=language)).as_app("A1", "B1", "U1").commands[0]
    hinted = command.usage_hint.strip("[]").split("|")
    assert set(hinted) == {each.korean if language == "ko" else each.name for each in all_commands()}


def test_slacks_limits_of_a_manifest_are_kept() -> None:
    for language in ("ko", "en"):
        values = yaml.safe_load(manifest_yaml(language=language))
        assert len(values["display_information"]["name"]) <= 35
        assert len(values["display_information"]["description"]) <= 140


def test_every_scope_and_event_is_documented() -> None:
    text = DOCUMENTED.read_text(encoding="utf-8")
    for name in [scope.name for scope in SCOPES] + list(EVENTS | PRIVATE_EVENTS):
        assert f"| `{name}` |" in text
