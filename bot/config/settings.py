"""`guardian.yaml` as frozen values. Every default is the Guardian's behaviour without a configuration."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, SecretStr, WithJsonSchema

from bot.config.backup import BackupSettings
from bot.config.calling import Schedules
from bot.config.cleanup import CleanupSettings
from bot.config.covers import Inhibitions, Windows
from bot.config.delivery import SecondWaySettings, WatchdogSettings
from bot.config.deploy import DeploySettings
from bot.config.elsewhere import Heartbeats, WebhookSettings
from bot.config.operations import OperationSettings, RoleSettings
from bot.config.routing import Policies, Routes, Services
from bot.config.values import Channel, Name, Port, Timezone, database_url
from bot.config.watching import Kpis, Probes, RuleSettings, Section


def default_state_directory(environment: Mapping[str, str]) -> Path:
    """`GUARDIAN_STATE_DIRECTORY`, else `guardian` where the system keeps a user's state (XDG)."""
    if named := environment.get("GUARDIAN_STATE_DIRECTORY"):
        return Path(named).expanduser()
    base = environment.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "guardian"


def _host_name() -> str:
    return socket.gethostname() or "localhost"


class SlackHttp(Section):
    """Where Slack's requests are taken in HTTP mode."""

    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: Port = Field(default=3000, description="Port to listen on.")
    path: str = Field(default="/slack/events", pattern=r"^/[^\s?#]*$", description="Path of the request URL.")


def _base_url(value: str) -> str:
    return value if value.endswith("/") else f"{value}/"


class SlackSettings(Section):
    """How the Guardian talks to Slack. Tokens come from the environment, never from here."""

    mode: Literal["socket", "http"] = Field(
        default="socket", description="socket: a connection from here; http: Slack calls a public address."
    )
    alerts_channel: Channel = Field(default="guardian-alerts", description="Where alerts are posted.")
    ops_channel: Channel = Field(default="guardian-ops", description="Where everything else is posted.")
    private_channels: bool = Field(
        default=False, description="Whether these channels are private; the app then needs two more scopes."
    )
    http: SlackHttp = Field(default=SlackHttp(), description="Only for mode: http.")
    api_url: Annotated[str, AfterValidator(_base_url), Field(pattern=r"^https?://\S+$")] = Field(
        default="https://slack.com/api/", description="Base of Slack's Web API; SLACK_API_URL overrides it."
    )


class StoreSettings(Section):
    """The database."""

    url: (
        Annotated[
            SecretStr,
            AfterValidator(lambda secret: SecretStr(database_url(secret.get_secret_value()))),
            WithJsonSchema({"type": "string", "pattern": "^(sqlite|postgres)"}),
        ]
        | None
    ) = Field(
        default=None,
        description="sqlite:///PATH or postgresql://USER@HOST/NAME, without a password: that comes from "
        "DATABASE_URL, which overrides this. Default: guardian.db in the state directory.",
    )


class HealthSettings(Section):
    """The port for GET /health and Prometheus' GET /metrics."""

    host: str = Field(
        default="127.0.0.1", min_length=1, description="Address to listen on; 0.0.0.0 opens it."
    )
    port: Port = Field(default=9464, description="Port to listen on.")


class LogSettings(Section):
    """The log on standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least shown."
    )
    format: Literal["console", "json"] = Field(
        default="console", description="Lines for people, or one JSON object a line."
    )


class Settings(Section):
    """The whole configuration."""

    language: Literal["ko", "en"] = Field(default="ko", description="Language of all messages.")
    timezone: Timezone = Field(default="Asia/Seoul", description="IANA time zone of the times shown.")
    environment: Name = Field(default="production", description="Name of this environment, shown on cards.")
    name: Name = Field(
        default_factory=_host_name, description="Name of this machine, the target of its metrics. "
        "Default: its host name."
    )  # fmt: skip
    infrastructure_kpis: Kpis = Field(
        default={}, description="Bands of metrics, as in the source document; null: none."
    )
    application_kpis: Kpis = Field(
        default={}, description="Bands of metrics, as in the source document; null: none."
    )
    kpis: Kpis = Field(default={}, description="Bands of other metrics; null: none.")
    rules: dict[str, RuleSettings] = Field(
        default={}, description="How readings become alerts, by metric, and `default` for all."
    )
    probes: Probes = Field(default=Probes(), description="What is watched.")
    schedules: Schedules = Field(default={}, description="Who is on call, by name. Default: no schedules.")
    services: Services = Field(
        default={}, description="What belongs together, and depends on what, by name. Default: none."
    )
    policies: Policies = Field(
        default={}, description="Who is paged when, by name; `default` is for alerts without a route."
    )
    routes: Routes = Field(
        default=(), description="Where alerts go: the first that matches. Default: slack.alerts_channel."
    )
    inhibit: Inhibitions = Field(
        default=(), description="Alerts that mute others, beside what services depend on. Default: none."
    )
    maintenance: Windows = Field(
        default=(), description="Times at which trouble is expected and not told. Default: none."
    )
    roles: RoleSettings | None = Field(
        default=None, description="Who may ask for operations and approve them. Default: everybody."
    )
    operations: OperationSettings = Field(
        default=OperationSettings(), description="How operations are asked for and approved."
    )
    backup: BackupSettings | None = Field(
        default=None, description="Backups 3-2-1. Default: null, none; then nothing is cleaned up either."
    )
    cleanup: CleanupSettings = Field(
        default_factory=CleanupSettings, description="What a cleanup may take, and where."
    )
    deploy: DeploySettings = Field(
        default_factory=DeploySettings, description="What is deployed, and how. Default: nothing."
    )
    slack: SlackSettings = Field(default=SlackSettings(), description="How the Guardian talks to Slack.")
    store: StoreSettings = Field(default=StoreSettings(), description="The database.")
    state_directory: Annotated[Path, Field(strict=False)] = Field(
        default_factory=lambda: default_state_directory(os.environ),
        description="Where the Guardian keeps its files; relative paths start at this file. "
        "Default: GUARDIAN_STATE_DIRECTORY, else ~/.local/state/guardian.",
    )
    health: HealthSettings = Field(default=HealthSettings(), description="The port for health and metrics.")
    log: LogSettings = Field(default=LogSettings(), description="The log on standard error.")

    webhooks: WebhookSettings | None = Field(
        default=None,
        description="The door for alerts from elsewhere; null: closed, unless there are heartbeats.",
    )
    heartbeats: Heartbeats = Field(
        default={}, description="Jobs that must report, by name: one that is late becomes an alert."
    )
    watchdog: WatchdogSettings = Field(
        default=WatchdogSettings(), description="An address outside that is called while all is well."
    )
    second_way: SecondWaySettings = Field(
        default=SecondWaySettings(), description="How letters go out that Slack does not take."
    )

    @property
    def zone(self) -> ZoneInfo:
        """The time zone that times are shown in."""
        return ZoneInfo(self.timezone)

    @property
    def store_url(self) -> str:
        """The database's address for SQLAlchemy. It may hold a password: not for logs or messages."""
        if self.store.url is not None:
            return self.store.url.get_secret_value()
        return f"sqlite+aiosqlite:///{self.state_directory / 'guardian.db'}"
