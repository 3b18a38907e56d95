"""What the trial configures where the visitor has not: people to page, and a door for others' alerts."""

from __future__ import annotations

import secrets
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bot.config import Settings
from bot.config.calling import ScheduleSettings
from bot.config.deploy import DeploySettings
from bot.config.elsewhere import WebhookSettings
from bot.config.operations import RoleSettings
from bot.config.outside import WEBHOOK_SECRET
from bot.config.routing import PolicySettings
from bot.trial.playground import Playground

if TYPE_CHECKING:
    from bot.trial.shop.places import Places

SECRET_FILE = "webhook-secret"  # noqa: S105 - the file's name

PLAYGROUND = "playground"
_SECRETS = {
    WEBHOOK_SECRET: SECRET_FILE,
    "GUARDIAN_BACKUP_PASSWORD": "backup-password",
    "GUARDIAN_BACKUP_OFFSITE_PASSWORD": "backup-offsite-password",
}
"""Variables, and the files that keep what the trial makes up for them."""

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


_NO_DATA = {
    "ko": "restic이 없어 체험용 데이터를 백업할 수 없습니다",
    "en": "there is no restic here to back up the trial's data with",
}
_ROLES = {
    "operator": ["group:@operators"],
    "approver": ["group:@approvers"],
    "administrator": ["group:@administrators"],
}
"""As the groups of the local workspace are called."""


def with_people(settings: Settings) -> Settings:
    """The settings with the workspace's people on call and in roles, and with a playground to clean up and
    back up, unless the configuration has its own."""
    changes: dict[str, object] = {}
    if not settings.schedules and not settings.policies:
        changes["schedules"] = {"primary": ScheduleSettings.model_validate(_SCHEDULE)}
        changes["policies"] = {"default": PolicySettings.model_validate(_POLICY)}
    if settings.roles is None:
        changes["roles"] = RoleSettings.model_validate(_ROLES)
    if "cleanup" not in settings.model_fields_set and settings.backup is None:
        playground = Playground(settings.state_directory.absolute() / PLAYGROUND)
        changes["cleanup"] = playground.cleanup()
        changes["backup"] = playground.backup(settings.state_directory.absolute() / "repositories")
    if settings.webhooks is None:
        changes["webhooks"] = WebhookSettings()
    return settings.model_copy(update=changes)


def shop_settings(settings: Settings, places: Places) -> DeploySettings:
    """What is deployed in the trial: the shop of those places. Where there is a playground and restic, its
    production must have a backup of the playground's settings. Raises ValidationError where a path can't be
    written in a configuration."""
    from bot.tools.git_import import has_git  # only a trial with a shop pays for these
    from bot.trial.shop.settings import deploy_settings

    playground = playground_of(settings)
    data: tuple[str, ...] = ()
    if playground is not None and shutil.which("restic") is not None:
        data = (str(playground.settings),)
    return deploy_settings(places, data, _NO_DATA[settings.language], has_git(), settings.language)


def may_have_shop(settings: Settings) -> bool:
    """Whether the visitor has not configured deployments of their own, and this machine can run the shop."""
    return "deploy" not in settings.model_fields_set and sys.platform == "linux"


def playground_of(settings: Settings) -> Playground | None:
    """The playground, if these settings are about it."""
    playground = Playground(settings.state_directory.absolute() / PLAYGROUND)
    about_it = settings.backup is not None and settings.cleanup == playground.cleanup()
    return playground if about_it else None


def with_secrets(environment: Mapping[str, str], state: Path) -> dict[str, str]:
    """The environment with a secret for the webhooks' door and passwords for the repositories, which files in
    the state directory keep.

    OSError if those cannot be read or written.
    """
    made = dict(environment)
    for variable, name in _SECRETS.items():
        if environment.get(variable) or environment.get(f"{variable}_FILE"):
            continue
        file = state / name
        if not file.exists():
            state.mkdir(mode=0o700, parents=True, exist_ok=True)
            file.touch(mode=0o600)
            file.write_text(secrets.token_urlsafe(24) + "\n", encoding="utf-8")
        made[variable] = file.read_text(encoding="utf-8").strip()
    return made
