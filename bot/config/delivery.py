"""The parts of the configuration for what goes out beside Slack: `watchdog` and `second_way`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from bot.config.elsewhere import LevelWord, PlainName
from bot.config.values import Duration, HttpUrl, Variable, between
from bot.config.watching import Section


class WatchdogSettings(Section):
    """An address that the Guardian calls while it is well, so that somebody notices when it is not."""

    url: HttpUrl | None = Field(
        default=None,
        description="The address to call. The environment variable GUARDIAN_WATCHDOG_URL overrides it. "
        "Default: none is called.",
    )
    every: Annotated[Duration, AfterValidator(between("5s", "1d"))] = Field(
        default=timedelta(minutes=1), description="Time between two calls."
    )


class AppriseSettings(Section):
    """A target of Apprise. Its address holds secrets, so it is in the environment."""

    variable: Variable = Field(
        description="The environment variable that holds the Apprise address (mailto://…, twilio://…), "
        "or that with _FILE behind it a file that does."
    )


class SecondWaySettings(Section):
    """How letters go out that Slack does not take."""

    apprise: dict[PlainName, AppriseSettings] = Field(
        default={}, description="Targets by name; escalations call them apprise:NAME."
    )
    after: Annotated[Duration, AfterValidator(between("10s", "1h"))] = Field(
        default=timedelta(seconds=60), description="How long Slack may take before a letter goes this way."
    )
    levels: Annotated[tuple[LevelWord, ...], Field(strict=False)] = Field(
        default=("critical", "emergency"), description="Of which levels letters go this way."
    )
