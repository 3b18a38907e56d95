"""`guardian probe NAME`: one reading, printed."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Mapping, Sequence, Set
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from difflib import get_close_matches

from bot import __version__
from bot.assembly import build_probes
from bot.cli.speech import Speaker, table
from bot.config import RuleBook, Settings
from bot.engine.taking import take as take_reading
from messages.render import Voice
from probes.application.http import http_session
from probes.base import Probe, Reading
from probes.registry import HOST_PROBES, PROBES

_HTTP = "response_time"
"""The probe that is there once for each web address."""


def names(settings: Settings) -> list[str]:
    """What can be asked for: the probes, and the web addresses by name."""
    targets = [target.name for target in settings.probes.http.targets]
    return [*HOST_PROBES, *([_HTTP] if targets else []), *targets]


def list_probes(speaker: Speaker, settings: Settings) -> None:
    """Every probe with what it measures."""
    rows = [[name, _metrics(speaker, name)] for name in names(settings)]
    table([speaker.phrase("probe.name"), speaker.phrase("probe.metrics")], rows)


def _metrics(speaker: Speaker, name: str) -> str:
    metrics = PROBES[name if name in PROBES else _HTTP].metrics
    return ", ".join(speaker.phrase("metric", metric=metric) for metric in metrics)


def take(speaker: Speaker, settings: Settings, name: str, environment: Mapping[str, str]) -> int:
    """Print one reading of the probe. 0, 1 if anything could not be measured, 2 if there is no such probe."""
    known = names(settings)
    if not name.strip():
        speaker.complain("probe.empty", known=", ".join(known))
        return 2
    wanted = {name} & set(known) or _meant(name, known)
    if not wanted:
        near = get_close_matches(name.casefold(), known, n=1)
        if _meant(name, [_HTTP]):
            speaker.complain("probe.no_targets", name=name)
        else:
            speaker.complain(
                "probe.unknown", name=name, nearest=near[0] if near else "", known=", ".join(known)
            )
        return 2
    taken = asyncio.run(_read(settings, wanted, environment))
    _print(speaker, RuleBook(settings), taken)
    if not taken:
        speaker.complain("probe.nothing", name=name)
    return 1 if not taken or any(reading.value is None for _, reading in taken) else 0


def _meant(name: str, known: Sequence[str]) -> set[str]:
    """The known names that `name` may stand for: in any case, in either language, or a metric's."""
    wanted = _folded(name)
    voices = [Voice(language) for language in ("ko", "en")]
    meant = set()
    for each in known:
        words = [each]
        if each in PROBES:
            words += [voice.phrase(f"terms.probe.{each}") for voice in voices]
            for metric in PROBES[each].metrics:
                words += [metric, *(voice.phrase(f"terms.metric.{metric}") for voice in voices)]
        if wanted in map(_folded, words):
            meant.add(each)
    return meant


def _folded(name: str) -> str:
    # Some terminals send Hangul in pieces.
    return unicodedata.normalize("NFC", name).strip().casefold()


async def _read(
    settings: Settings, wanted: Set[str], environment: Mapping[str, str]
) -> list[tuple[Probe, Reading]]:
    async with AsyncExitStack() as stack:
        session = http_session(version=__version__)
        await stack.enter_async_context(session)
        built = build_probes(settings, lambda: session, environment, with_disabled=True)
        chosen = [probe for probe in built if wanted & {probe.name, _own_name(probe)}]
        readings = await asyncio.gather(*(take_reading(probe, datetime.now(UTC)) for probe in chosen))
    return [(probe, reading) for probe, some in zip(chosen, readings, strict=True) for reading in some]


def _own_name(probe: Probe) -> str | None:
    """A web address's name; the others are all of one target, this machine."""
    return probe.target if probe.name == _HTTP else None


def _print(speaker: Speaker, rules: RuleBook, taken: list[tuple[Probe, Reading]]) -> None:
    rows = []
    for _, reading in taken:
        bands = rules.bands_for(reading.metric, reading.target)
        level = band = ""
        if reading.value is None:
            value = speaker.phrase("probe.problem", problem=_problem(reading))
        else:
            value = speaker.phrase(
                "probe.value", value=reading.value, unit=reading.unit.value, metric=reading.metric
            )
            if bands is not None:
                found = bands.level_of(reading.value)
                level = speaker.phrase("probe.level", level=found.word if found is not None else "")
                band = bands.band_of(reading.value).text
        told = ((speaker.phrase("probe.fact", name=name), fact) for name, fact in reading.facts.items())
        facts = ", ".join(f"{name} {fact}" for name, fact in told)
        metric = speaker.phrase("metric", metric=reading.metric)
        rows.append([metric, reading.target, value, level, band, facts])
    headings = ("metric", "target", "reading", "state", "band", "facts")
    table([speaker.phrase(f"probe.{heading}") for heading in headings], rows)


def _problem(reading: Reading) -> dict[str, str]:
    problem = reading.problem
    return {"kind": problem.kind.value, "detail": problem.detail} if problem else {"kind": "", "detail": ""}
