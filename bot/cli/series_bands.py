"""`--band METRIC="warning: 75-85%"`: other bands than the configuration's, to compare with."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from bot.cli.series import Fault, nearest
from bot.config import Settings
from bot.config.kpis import texts_of
from bot.config.metrics import DEFAULT_KPIS, UNITS
from bot.config.watching import Kpi
from bot.domain.band_notation import TARGET, BandsInvalid, parse_bands
from bot.domain.levels import Level

_NEXT = re.compile(r"[;,]\s*(?=[a-z]+\s*:)")
_WORDS = (TARGET, *(level.word for level in Level))
_SIDES = {"<": ">=", "<=": ">", "≤": ">", ">": "<=", ">=": "<", "≥": "<"}
_SIDE = re.compile(r"\s*(<=|>=|[<>≤≥])\s*(.+?)\s*")
_RANGE = re.compile(r"\s*([\d.,]+)\s*([^\d\s~–—-][^~–—-]*?)?\s*[-–—~]\s*([\d.,]+)\s*(\D*?)\s*")


def bands_of(settings: Settings, metric: str) -> Mapping[str, str]:
    """The texts of a metric's bands, single targets aside; empty if it has none."""
    texts: dict[str, str] = dict(DEFAULT_KPIS.get(metric, {}))
    for section in (settings.infrastructure_kpis, settings.application_kpis, settings.kpis):
        if metric in section:
            kpi = section[metric]
            texts = {} if kpi is None else texts_of(kpi)
    return texts


def with_bands(settings: Settings, given: Sequence[str], faults: list[Fault]) -> Settings:
    """The settings with these bands instead, for all targets; what is wrong with one is added to `faults`."""
    for text in given:
        metric, separator, written = (part.strip() for part in text.partition("="))
        parts = [part.partition(":") for part in _NEXT.split(written)]
        bands = {name.strip(): band.strip() for name, _, band in parts}
        if not separator or not all(name in _WORDS and band for name, band in bands.items()):
            faults.append(Fault(0, "cli.simulate.bad_band", {"text": text}))
            continue
        known = bands_of(settings, metric)
        if metric not in UNITS and not known:
            values = {"metric": metric, "nearest": nearest(metric, UNITS)}
            faults.append(Fault(0, "cli.simulate.unknown_metric", values))
            continue
        merged = _fitting({**known, **bands}, keeps_target=TARGET in bands)
        try:
            parse_bands(merged, UNITS.get(metric))
        except BandsInvalid as invalid:
            for problem in invalid.problems:
                place = f"--band {metric} {problem.key}".rstrip()
                faults.append(Fault(0, f"config.{problem.fault.value}", problem.values, place))
            continue
        settings = _replaced(settings, metric, merged)
    return settings


def _fitting(texts: dict[str, str], *, keeps_target: bool) -> dict[str, str]:
    """The texts with a target that ends where the mildest level begins, unless it was given itself."""
    mildest = next((texts[level.word] for level in Level if level.word in texts), None)
    if keeps_target or mildest is None:
        return texts
    rising = not texts.get(TARGET, "<").lstrip().startswith((">", "≥"))
    side = _SIDE.fullmatch(mildest)
    between = _RANGE.fullmatch(mildest)
    if side is not None:
        target = f"{_SIDES[side[1]]} {side[2]}"
    elif between is not None:
        bound = between[1] if rising else between[3]
        target = f"{'<' if rising else '>'} {bound}{between[4]}"
    else:
        return texts  # the reader of bands says what is wrong with it
    return {**texts, TARGET: target}


def _replaced(settings: Settings, metric: str, texts: Mapping[str, str]) -> Settings:
    sections = {
        name: {known: kpi for known, kpi in getattr(settings, name).items() if known != metric}
        for name in ("infrastructure_kpis", "application_kpis", "kpis")
    }
    sections["kpis"][metric] = Kpi.model_validate(dict(texts))
    return settings.model_copy(update=sections)
