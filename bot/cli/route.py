"""`guardian route LABELS`: which way an alert goes, who is paged when, and why no other route took it."""

from __future__ import annotations

from collections.abc import Sequence

from bot.cli.speech import Speaker, table
from bot.config import Settings
from bot.config.around import routes_of, services_of
from bot.domain.matcher_notation import MatcherInvalid
from bot.engine.routes import asked_labels, route_facts
from messages.cover_facts import LadderFacts, RouteFacts, TriedFacts


def explain(speaker: Speaker, settings: Settings, labels: Sequence[str]) -> int:
    """Print the route of an alert with those labels; 2 if they can't be read."""
    try:
        asked, level = asked_labels(" ".join(labels))
    except MatcherInvalid as invalid:
        speaker.error(speaker.voice.phrase(f"config.matcher_{invalid.fault.value}", **invalid.values))
        return 2
    facts = route_facts(routes_of(settings), services_of(settings), settings.environment, asked, level)
    _print(speaker, facts)
    return 0


def _print(speaker: Speaker, facts: RouteFacts) -> None:
    speaker.line(
        speaker.phrase(
            "route.found",
            route=facts.route,
            channel=facts.channel,
            policy=facts.policy,
            level=facts.level,
        )
    )
    said = {name: speaker.phrase(f"route.{name}") for name in _HEADINGS}
    table([said["label"], said["value"]], [[name, value] for name, value in facts.labels.items()])
    tried = [[each.route, each.matcher, _why(speaker, each)] for each in facts.tried]
    table([said["route"], said["matcher"], said["why"]], tried)
    ladders = [
        [speaker.phrase("route.levels", level=each.level), _steps(speaker, each)] for each in facts.ladders
    ]
    table([said["level"], said["steps"]], ladders)


_HEADINGS = ("label", "value", "route", "matcher", "why", "level", "steps")


def _why(speaker: Speaker, tried: TriedFacts) -> str:
    if tried.condition is None:
        return speaker.phrase("route.taken")
    return speaker.phrase("route.failed", condition=tried.condition, found=tried.found or "")


def _steps(speaker: Speaker, ladder: LadderFacts) -> str:
    if not ladder.steps:
        return speaker.phrase("route.nobody")
    said = [
        " → ".join(
            speaker.phrase("route.step", after=step.after_seconds, targets=step.targets)
            for step in ladder.steps
        )
    ]
    if ladder.rounds > 1:
        said.append(speaker.phrase("route.rounds", rounds=ladder.rounds, pause=ladder.pause_seconds))
    if ladder.every_seconds is not None:
        said.append(speaker.phrase("route.every", every=ladder.every_seconds))
    return " · ".join(said)
