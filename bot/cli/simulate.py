"""`guardian simulate SERIES.csv`: what would have been posted, who would have been paged, and why."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from bot.cli.series import Fault, Row, Series
from bot.cli.series_actions import Action, ActionInvalid, acknowledgement, silence
from bot.cli.series_bands import with_bands
from bot.cli.series_moments import Moments, NoMoment
from bot.cli.simulated import Replayed, replay, stretched, world_of
from bot.cli.speech import Speaker
from bot.cli.story import as_text
from bot.cli.story_json import as_json
from bot.config import RuleBook, Settings
from bot.config.metrics import UNITS
from bot.domain.bands import Bands
from bot.domain.durations import parse_duration
from bot.logs import configure_logs
from probes.base import Unit

_SHORTEST, _LONGEST = timedelta(seconds=1), timedelta(days=1)
_MOST_CHECKS = 5_000_000


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of the command line, as typed."""

    begins: str | None = None
    every: str | None = None
    acks: tuple[str, ...] = ()
    silences: tuple[str, ...] = ()
    bands: tuple[str, ...] = ()
    everything: bool = False
    json: bool = False


def simulate(speaker: Speaker, settings: Settings, path: Path, asked: Asked) -> int:
    """Replay the series and tell what happens. 0, or 2 if anything can't be read, with nothing replayed."""
    configure_logs("error")
    faults: list[Fault] = []
    changed = with_bands(settings, asked.bands, faults)
    every = _every(asked.every, faults)
    begins = _begins(asked.begins, settings, faults)
    series = Series(path, begins, settings.zone, _units(settings), settings.name)
    for _ in series.rows():
        pass  # everything that is wrong is known before anything happens
    actions = _actions(asked, settings, series, faults)
    span = series.span
    if span.begins is not None and span.ends is not None and every is not None:
        if (span.ends - span.begins) / every * max(1, len(span.series)) > _MOST_CHECKS:
            faults.append(Fault(0, "cli.simulate.too_many_checks", {"limit": _MOST_CHECKS}))
    if asked.begins is not None and not series.moments.relative and span.rows:
        faults.append(Fault(0, "cli.simulate.from_unused", {}))
    if faults or series.fault_count or span.begins is None:
        _refuse(speaker, path, series, faults)
        return 2

    def rows() -> Iterator[Row]:
        return series.rows() if every is None else stretched(series.rows(), every)

    step = every or span.usual
    first = span.begins

    def happen(under: Settings) -> Replayed:
        return asyncio.run(replay(world_of(under, step), rows(), actions, first))

    replayed = happen(changed)
    before = happen(settings) if asked.bands else None
    for metric in span.metrics:
        rules = RuleBook(changed)
        if not any(rules.bands_for(metric, target) for target in span.targets):
            speaker.complain("simulate.no_bands", metric=metric)
    tell = as_json if asked.json else as_text
    tell(speaker, changed, replayed, before, span, everything=asked.everything)
    return 0


def _units(settings: Settings) -> Mapping[str, Unit | None]:
    own: dict[str, Bands | None] = dict(RuleBook(settings).bands)
    named = {metric: Unit(bands.unit) for metric, bands in own.items() if bands is not None}
    return {**dict.fromkeys(own), **named, **UNITS}


def _every(text: str | None, faults: list[Fault]) -> timedelta | None:
    if text is None:
        return None
    try:
        every = parse_duration(text)
    except ValueError:
        every = timedelta(0)
    if _SHORTEST <= every <= _LONGEST:
        return every
    faults.append(Fault(0, "cli.simulate.bad_every", {"text": text}))
    return None


def _begins(text: str | None, settings: Settings, faults: list[Fault]) -> datetime:
    """What relative moments count from: a day is its midnight, and without anything it is today's."""
    midnight = datetime.combine(datetime.now(settings.zone).date(), time(), settings.zone).astimezone(UTC)
    if text is None:
        return midnight
    try:
        return Moments(midnight, settings.zone).read(text)
    except NoMoment:
        faults.append(Fault(0, "cli.simulate.bad_from", {"text": text}))
        return midnight


def _actions(asked: Asked, settings: Settings, series: Series, faults: list[Fault]) -> list[Action]:
    begins = series.span.begins
    if begins is None:
        return []
    found: list[Action] = []
    for text in asked.acks:
        try:
            found.append(acknowledgement(text, series.moments, begins))
        except ActionInvalid as invalid:
            faults.append(Fault(0, invalid.code, invalid.values))
    for text in asked.silences:
        try:
            found.append(silence(text, begins, settings.zone))
        except ActionInvalid as invalid:
            faults.append(Fault(0, invalid.code, invalid.values))
    return found


def _refuse(speaker: Speaker, path: Path, series: Series, faults: list[Fault]) -> None:
    """Everything that is wrong, a line each, and how much more there is."""
    for fault in faults:
        sentence = speaker.voice.phrase(fault.key, **fault.values)
        speaker.error(f"{fault.place}: {sentence}" if fault.place else sentence)
    for fault in series.faults:
        place = f"{path}:{fault.line}" if fault.line else str(path)
        speaker.error(f"{place}: {speaker.voice.phrase(fault.key, **fault.values)}")
    unnamed = series.fault_count - len(series.faults)
    if unnamed:
        speaker.complain("simulate.more_faults", more=unnamed)
