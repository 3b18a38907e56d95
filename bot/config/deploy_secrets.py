"""The secrets that releases are given: read from the Guardian's own environment."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import SecretStr

from bot.config.deploy import DeploySettings
from bot.config.problems import ConfigProblem, ConfigurationInvalid
from bot.config.secrets import read_secret

Found = Mapping[tuple[str, str], Mapping[str, SecretStr]]
"""By service and environment: the variables of its releases and their values; those that are given some."""


def release_secrets(settings: DeploySettings, environment: Mapping[str, str]) -> Found:
    """All secrets of all releases. Raises ConfigurationInvalid with everything that is missing or
    unreadable."""
    found: dict[tuple[str, str], Mapping[str, SecretStr]] = {}
    problems: list[ConfigProblem] = []
    for service, each in settings.services.items():
        for name, place in each.environments.items():
            wanted: Mapping[str, str] = getattr(place.releases, "secrets", {})  # some drivers give none
            values: dict[str, SecretStr] = {}
            for variable, ours in wanted.items():
                path = f"deploy.services.{service}.environments.{name}.releases.secrets.{variable}"
                try:
                    secret = read_secret(environment, ours)
                except ConfigurationInvalid as invalid:
                    problems += invalid.problems
                    continue
                if secret is None:
                    problems.append(ConfigProblem(path, None, "variable_missing", {"variable": ours}))
                else:
                    values[variable] = secret
            if values:
                found[service, name] = values
    if problems:
        raise ConfigurationInvalid(problems)
    return found
