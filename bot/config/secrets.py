"""Secrets: from the environment, or from files that it names; never from YAML and never into a log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from bot.config.problems import ConfigProblem, ConfigurationInvalid

BOT_TOKEN = "SLACK_BOT_TOKEN"  # noqa: S105 - the variable's name
APP_TOKEN = "SLACK_APP_TOKEN"  # noqa: S105 - the variable's name
SIGNING_SECRET = "SLACK_SIGNING_SECRET"  # noqa: S105 - the variable's name

_PREFIXES = {BOT_TOKEN: "xoxb-", APP_TOKEN: "xapp-"}
_FILE_LIMIT = 16 * 1024


def read_secret(environment: Mapping[str, str], name: str) -> SecretStr | None:
    """The secret in the variable `name`, or in the file that `name`_FILE names (as Docker's secrets are).

    None when neither is set or both are empty. Raises ConfigurationInvalid for a file that can't be read,
    and when both are set.
    """
    value = environment.get(name, "").strip()
    file = environment.get(f"{name}_FILE", "").strip()
    if value and file:
        raise ConfigurationInvalid([ConfigProblem(name, None, "secret_twice", {"name": name})])
    if value or not file:
        return SecretStr(value) if value else None
    try:
        with Path(file).expanduser().open(encoding="utf-8") as opened:
            text = opened.read(_FILE_LIMIT).strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not UTF-8"
        values = {"name": f"{name}_FILE", "file": file, "detail": reason}
        raise ConfigurationInvalid([ConfigProblem(f"{name}_FILE", None, "secret_file", values)]) from None
    if not text:
        values = {"name": f"{name}_FILE", "file": file}
        raise ConfigurationInvalid([ConfigProblem(f"{name}_FILE", None, "secret_file_empty", values)])
    return SecretStr(text)


@dataclass(frozen=True, slots=True)
class Secrets:
    """What Slack gave this app. Socket mode has an app token, HTTP mode a signing secret."""

    bot_token: SecretStr
    app_token: SecretStr | None = None
    signing_secret: SecretStr | None = None

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str], mode: Literal["socket", "http"] = "socket"
    ) -> Secrets:
        """The secrets that `mode` needs, and those of the other mode if they are there.

        Raises ConfigurationInvalid with everything that is missing, unreadable or of the wrong kind.
        """
        problems: list[ConfigProblem] = []
        found: dict[str, SecretStr] = {}
        needed = (BOT_TOKEN, APP_TOKEN if mode == "socket" else SIGNING_SECRET)
        for name in (BOT_TOKEN, APP_TOKEN, SIGNING_SECRET):
            try:
                secret = read_secret(environment, name)
            except ConfigurationInvalid as invalid:
                problems += invalid.problems
                continue
            prefix = _PREFIXES.get(name, "")
            if secret is None:
                if name in needed:
                    problems.append(ConfigProblem(name, None, "secret_missing", {"name": name, "mode": mode}))
            elif not secret.get_secret_value().startswith(prefix):
                values = {"name": name, "prefix": prefix, "seen": _kind(secret)}
                problems.append(ConfigProblem(name, None, "secret_prefix", values))
            elif any(character.isspace() for character in secret.get_secret_value()):
                problems.append(ConfigProblem(name, None, "secret_blank", {"name": name}))
            else:
                found[name] = secret
        if problems:
            raise ConfigurationInvalid(problems)
        return cls(found[BOT_TOKEN], found.get(APP_TOKEN), found.get(SIGNING_SECRET))


def _kind(secret: SecretStr) -> str:
    """The prefix of a token that is of another kind than wanted; empty if it is no Slack token at all."""
    text = secret.get_secret_value()
    return next((prefix for prefix in ("xoxb-", "xapp-", "xoxp-", "xoxe-") if text.startswith(prefix)), "")
