"""`guardian check`: the configuration is fine, and what one may want to know about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from bot.cli.duty import duty_notes
from bot.cli.speech import Speaker
from bot.config import ConfigProblem, ConfigurationInvalid, Secrets, Settings
from bot.config.around import whereabouts_of
from bot.config.metrics import UNMEASURED
from bot.config.outside import OutsideSecrets, missing_variables
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
    for note in duty_notes(speaker, settings, datetime.now(UTC)):
        speaker.line(note)
    for note in _deployed(speaker, settings):
        speaker.line(note)
    wrong: list[ConfigProblem] = []
    try:
        Secrets.from_environment(environment, settings.slack.mode)
    except ConfigurationInvalid as invalid:
        absent = [problem.path for problem in invalid.problems if problem.code == "secret_missing"]
        wrong += [problem for problem in invalid.problems if problem.code != "secret_missing"]
        if absent:
            speaker.line(speaker.phrase("check.secrets", mode=settings.slack.mode, names=", ".join(absent)))
    try:
        OutsideSecrets.from_environment(settings, environment)
    except ConfigurationInvalid as invalid:
        names = missing_variables(invalid.problems)
        wrong += [problem for problem in invalid.problems if problem.code != "variable_missing"]
        if names:
            speaker.line(speaker.phrase("check.outside", names=", ".join(names)))
    if wrong:
        speaker.refuse(ConfigurationInvalid(wrong))
        return 2
    return 0


def _deployed(speaker: Speaker, settings: Settings) -> Iterator[str]:
    """Whether alerts and deployments can be put together, where they do not name the same environment."""
    where = whereabouts_of(settings)
    for service, environment in where.taken():
        yield speaker.phrase("check.taken", service=service, environment=environment, own=where.own)
    for service in where.unmet():
        known = ", ".join(where.deployed[service])
        yield speaker.phrase("check.unmet", service=service, known=known, own=where.own)
