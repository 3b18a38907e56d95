"""What the trial configures where the visitor has not: people to page, and a door for others' alerts."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

from bot.config import Settings
from bot.config.calling import ScheduleSettings
from bot.config.elsewhere import WebhookSettings
from bot.config.operations import RoleSettings
from bot.config.outside import WEBHOOK_SECRET
from bot.config.routing import PolicySettings

SECRET_FILE = "webhook-secret"  # noqa: S105 - the file's name

_SCHEDULE = {
    "rotations": [
        {
            "people": ["@doyun.lee", "@seoyeon.park"],
            "every": "weekly",
            "on": "mon",
            "at": "09:00",
            "start": "2026-01-05",
        }
    ]
}
_POLICY = {"tiers": [["schedule:primary"], ["@seoyeon.park"], ["@minjun.choi"]]}


_ROLES = {
    "operator": ["group:@operators"],
    "approver": ["group:@approvers"],
    "administrator": ["group:@administrators"],
}
"""As the groups of the local workspace are called."""


def with_people(settings: Settings) -> Settings:
    """The settings with the workspace's people on call and in roles, unless the configuration says who is."""
    changes: dict[str, object] = {}
    if not settings.schedules and not settings.policies:
        changes["schedules"] = {"primary": ScheduleSettings.model_validate(_SCHEDULE)}
        changes["policies"] = {"default": PolicySettings.model_validate(_POLICY)}
    if settings.roles is None:
        changes["roles"] = RoleSettings.model_validate(_ROLES)
    if settings.webhooks is None:
        changes["webhooks"] = WebhookSettings()
    return settings.model_copy(update=changes)


def with_secret(environment: Mapping[str, str], state: Path) -> dict[str, str]:
    """The environment with a secret for the webhooks' door, which a file in the state directory keeps.

    OSError if that cannot be read or written.
    """
    if environment.get(WEBHOOK_SECRET) or environment.get(f"{WEBHOOK_SECRET}_FILE"):
        return dict(environment)
    file = state / SECRET_FILE
    if not file.exists():
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(24) + "\n", encoding="utf-8")
    return {**environment, WEBHOOK_SECRET: file.read_text(encoding="utf-8").strip()}
