"""A site for its checks alone."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from bot.config.deploy import DeploySettings, services_of
from bot.deploy_sites import site_of
from bot.domain.deploy.checks import Check, Trial
from bot.engine.deploy.site import Site
from tests.ports import free_port


def settings_checked_by(
    repository: Path | None, checks: Mapping[Check, list[str]], timeout: str = "10m"
) -> DeploySettings:
    """A service with these checks by Python; the others are left out. Its drivers start nothing."""
    left_out = {"left_out": "a test"}
    production = {
        "slots": {"a": f"127.0.0.1:{free_port()}", "b": f"127.0.0.1:{free_port()}"},
        "releases": {"driver": "command", "start": ["true", "{revision}"], "stop": ["true", "{slot}"],
                     "status": ["false", "{slot}"], "usage_left_out": "a test"},
        "traffic": {"driver": "command", "share": ["true"], "shift": ["true", "{percent}"],
                    "metrics": ["true"]},
        "no_data": "a test",
    }  # fmt: skip
    python = [sys.executable, "-S", "-c"]
    given = {each: {"command": [*python, *words], "timeout": timeout} for each, words in checks.items()}
    return DeploySettings.model_validate({
        "services": {
            "shop": {
                "repository": None if repository is None else str(repository),
                "preflight": {each.value: given.get(each, left_out) for each in Check},
                "verification": {each.value: left_out for each in Trial},
                "environments": {"production": production},
            }
        }
    })  # fmt: skip


def site_checked_by(
    folder: Path, repository: Path | None, checks: Mapping[Check, list[str]], timeout: str = "10m"
) -> Site:
    """Where that service runs."""
    settings = settings_checked_by(repository, checks, timeout)
    (service,) = services_of(settings)
    return site_of(settings, folder / "state", {}, service, service.environments["production"])
