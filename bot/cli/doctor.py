"""`guardian doctor`: what this machine lacks, and how to install it."""

from __future__ import annotations

from collections.abc import Mapping

from bot.cli.examinations import examine
from bot.cli.speech import Speaker
from bot.config import Settings

_MARKS = {"fine": "✓", "note": "-", "missing": "✗"}


def report(speaker: Speaker, settings: Settings, environment: Mapping[str, str]) -> int:
    """Print every finding and the next step for each that is not fine. 1 if something needed is missing."""
    findings = examine(settings, environment)
    for finding in findings:
        speaker.line(f"{_MARKS[finding.state]} {speaker.phrase(f'doctor.{finding.code}', **finding.values)}")
        if finding.state != "fine" and finding.install:
            speaker.line(f"    {speaker.phrase('doctor.install', command=finding.install)}")
    missing = sum(finding.state == "missing" for finding in findings)
    speaker.line()
    speaker.line(speaker.phrase("doctor.summary", missing=missing))
    return 1 if missing else 0
