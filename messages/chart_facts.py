"""What a chart needs to know, and what it takes to draw one is not here: this is light to import."""

from __future__ import annotations

from dataclasses import dataclass

from messages.facts import Facts


@dataclass(frozen=True, slots=True)
class ChartFacts(Facts):
    """The last hours of one series. Moments are ISO 8601 strings with an offset, oldest first."""

    title: str
    metric: str
    unit: str
    """as `probes.base.Unit` writes it"""
    points: tuple[tuple[str, float | None], ...]
    """None: there was a check, and it gave no value"""
    bounds: tuple[tuple[str, float], ...] = ()
    """where each level (`warning`, `critical`) begins, mildest first"""
    rising: bool = True
    """whether high is bad"""
    fired_at: str | None = None
    resolved_at: str | None = None
    forecast: tuple[tuple[str, float], ...] = ()
    language: str = "ko"
    timezone: str = "Asia/Seoul"
