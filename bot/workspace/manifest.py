"""An app's manifest, as Slack's "create an app from a manifest" takes it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.workspace.errors import WorkspaceError
from bot.workspace.model import App, Command, Shortcut


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Display(_Part):
    name: str = Field(min_length=1, max_length=35)
    description: str = Field(default="", max_length=140)
    background_color: str = "#2c2d30"


class _Home(_Part):
    home_tab_enabled: bool = False
    messages_tab_enabled: bool = True
    messages_tab_read_only_enabled: bool = False


class _BotUser(_Part):
    display_name: str = Field(min_length=1, max_length=80)
    always_online: bool = False


class _SlashCommand(_Part):
    command: str = Field(pattern=r"^/\S{1,31}$")
    description: str = Field(max_length=2000)
    usage_hint: str = Field(default="", max_length=1000)
    url: str | None = None
    should_escape: bool = False


class _Shortcut(_Part):
    name: str = Field(max_length=24)
    type: Literal["global", "message"]
    callback_id: str = Field(max_length=255)
    description: str = Field(max_length=150)


class _Features(_Part):
    app_home: _Home = _Home()
    bot_user: _BotUser | None = None
    slash_commands: list[_SlashCommand] = Field(default=[], max_length=50)
    shortcuts: list[_Shortcut] = Field(default=[], max_length=10)


class _Scopes(_Part):
    bot: list[str] = []


class _OAuth(_Part):
    scopes: _Scopes = _Scopes()


class _Events(_Part):
    request_url: str | None = None
    bot_events: list[str] = Field(default=[], max_length=100)


class _Interactivity(_Part):
    is_enabled: bool = False
    request_url: str | None = None
    message_menu_options_url: str | None = None


class _Settings(_Part):
    event_subscriptions: _Events = _Events()
    interactivity: _Interactivity = _Interactivity()
    socket_mode_enabled: bool = False


class Manifest(_Part):
    """The parts of a manifest that change what the workspace does; the rest is ignored."""

    display_information: _Display
    features: _Features = _Features()
    oauth_config: _OAuth = _OAuth()
    settings: _Settings = _Settings()

    @property
    def handle(self) -> str:
        """The bot user's name behind `@`: lower case, without spaces."""
        return "".join(self.bot_name.lower().split())

    @property
    def bot_name(self) -> str:
        """The bot user's display name; the app's name when the manifest gives none."""
        bot_user = self.features.bot_user
        return self.display_information.name if bot_user is None else bot_user.display_name

    def as_app(self, app_id: str, bot_id: str, bot_user: str) -> App:
        """The app as it is once it is installed."""
        features, settings = self.features, self.settings
        return App(
            id=app_id,
            name=self.display_information.name,
            description=self.display_information.description,
            bot_id=bot_id,
            bot_user=bot_user,
            scopes=tuple(self.oauth_config.scopes.bot),
            events=tuple(settings.event_subscriptions.bot_events),
            commands=tuple(
                Command(c.command, c.description, c.usage_hint, app_id, c.url, c.should_escape)
                for c in features.slash_commands
            ),
            shortcuts=tuple(
                Shortcut(s.name, s.type, s.callback_id, s.description, app_id) for s in features.shortcuts
            ),
            socket_mode=settings.socket_mode_enabled,
            interactive=settings.interactivity.is_enabled,
            home_tab=features.app_home.home_tab_enabled,
            messages_tab=features.app_home.messages_tab_enabled,
            messages_read_only=features.app_home.messages_tab_read_only_enabled,
            events_url=settings.event_subscriptions.request_url,
            interactivity_url=settings.interactivity.request_url,
            options_url=settings.interactivity.message_menu_options_url,
            background_color=self.display_information.background_color.lstrip("#"),
        )


def read_manifest(path: Path) -> Manifest:
    """The manifest in a YAML or JSON file. Raises WorkspaceError with a sentence for whoever wrote it."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WorkspaceError(f"The manifest {path} can't be read: {error}.") from error
    try:
        return parse_manifest(yaml.safe_load(text))
    except (yaml.YAMLError, ValueError) as error:
        raise WorkspaceError(f"{path} is not a Slack app manifest: {error}") from error


def parse_manifest(document: object) -> Manifest:
    """The manifest in a document of plain values. Raises ValueError naming each wrong path."""
    try:
        return Manifest.model_validate(document)
    except ValidationError as error:
        problems = [
            f"{'/'.join(str(step) for step in problem['loc']) or 'the whole'}: {problem['msg']}"
            for problem in error.errors()
        ]
        raise ValueError("; ".join(problems)) from error
