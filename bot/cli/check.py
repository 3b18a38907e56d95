"""`guardian check`: the configuration is fine, and what one may want to know about it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bot.cli.speech import Speaker
from bot.config import ConfigurationInvalid, Secrets, Settings
from bot.config.metrics import UNMEASURED
from probes.registry import PROBES


def report(speaker: Speaker, settings: Settings, path: Path | None, environment: Mapping[str, str]) -> int:
    """Says that the settings load, and what of them has no effect or is missing outside the file.

    0, or 2 if a secret is there and of the wrong kind. A secret that is absent is a note only: the machine
    that checks a configuration need not be the one that runs it.
    """
    speaker.line(speaker.phrase("check.ok", source=str(path)) if path else speaker.phrase("check.defaults"))
    measured = {metric for probe in PROBES.values() for metric in probe.metrics}
    for section in (settings.infrastructure_kpis, settings.application_kpis, settings.kpis):
        for metric in section:
            if metric not in measured or metric in UNMEASURED:
                speaker.line(speaker.phrase("check.unmeasured", metric=metric))
    try:
        Secrets.from_environment(environment, settings.slack.mode)
    except ConfigurationInvalid as invalid:
        absent = [problem.path for problem in invalid.problems if problem.code == "secret_missing"]
        wrong = [problem for problem in invalid.problems if problem.code != "secret_missing"]
        if absent:
            speaker.line(speaker.phrase("check.secrets", mode=settings.slack.mode, names=", ".join(absent)))
        if wrong:
            speaker.refuse(ConfigurationInvalid(wrong))
            return 2
    return 0
