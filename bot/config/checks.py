"""What the models can't see by themselves: bands, names, secrets, nothing to watch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

from pydantic import JsonValue

from bot.config.document import Document
from bot.config.kpis import DEFAULT_RULE
from bot.config.metrics import UNITS
from bot.config.problems import ConfigProblem, Steps, path_text
from bot.config.values import has_password
from bot.config.words import looks_secret, nearest
from bot.domain.band_notation import TARGET, BandsInvalid, parse_bands
from bot.domain.levels import Level
from probes.base import Unit
from probes.registry import HOST_PROBES

KPI_SECTIONS = ("infrastructure_kpis", "application_kpis", "kpis")
_BAND_KEYS = frozenset({TARGET, *(level.word for level in Level)})
_METRIC = re.compile(r"[a-z][a-z0-9_]{0,79}")
_SECRET_VALUE = re.compile(r"\bx(?:ox[a-z]|app)-[A-Za-z0-9-]{4,}|\b(?:Bearer|Basic)\s+\S{4,}", re.IGNORECASE)
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "x-api-key", "x-auth-token"})


def check(document: Document) -> Iterator[ConfigProblem]:
    """Every such problem in the document, whatever else is wrong with it."""
    data = document.data
    if isinstance(data, dict):
        yield from _check_kpis(document, data)
        yield from _check_rules(document, data)
        probes = data.get("probes")
        if isinstance(probes, dict):
            yield from _check_probes(document, probes)
    yield from _check_secrets(document, data, ())


def _check_kpis(document: Document, data: dict[str, JsonValue]) -> Iterator[ConfigProblem]:
    seen: dict[str, Steps] = {}
    for section in KPI_SECTIONS:
        metrics = data.get(section)
        if not isinstance(metrics, dict):
            continue
        for metric, texts in metrics.items():
            steps: Steps = (section, metric)
            if metric in seen:
                yield _problem(document, steps, "metric_twice", other=path_text(seen[metric]))
            seen[metric] = steps
            close = get_close_matches(metric, UNITS, n=1, cutoff=0.8 if section == "kpis" else 0.6)
            if metric not in UNITS and (close or section != "kpis"):
                yield _problem(
                    document, steps, "unknown_metric", word=metric, nearest=close[0] if close else ""
                )
                continue
            if not _METRIC.fullmatch(metric):
                yield _problem(document, steps, "metric_name", word=metric)
            if not isinstance(texts, dict):
                continue
            unit = UNITS.get(metric)
            yield from _check_bands(document, steps, texts, unit)
            targets = texts.get("targets")
            for target, own in targets.items() if isinstance(targets, dict) else ():
                if isinstance(own, dict):
                    yield from _check_bands(document, (*steps, "targets", target), own, unit)


def _check_bands(
    document: Document, steps: Steps, texts: dict[str, JsonValue], unit: Unit | None
) -> Iterator[ConfigProblem]:
    known = {key: text for key, text in texts.items() if key in _BAND_KEYS and text is not None}
    try:
        # Every percentage we know is a share of a whole; others may grow by 300 %.
        parse_bands(known, unit, (0.0, 100.0) if unit is Unit.PERCENT else None)
    except BandsInvalid as invalid:
        for problem in invalid.problems:
            place = (*steps, problem.key) if problem.key else steps
            yield _problem(document, place, problem.fault.value, **problem.values)


def _check_rules(document: Document, data: dict[str, JsonValue]) -> Iterator[ConfigProblem]:
    rules = data.get("rules")
    if not isinstance(rules, dict):
        return
    own: list[str] = []
    for section in KPI_SECTIONS:
        metrics = data.get(section)
        own += metrics if isinstance(metrics, dict) else []
    known = [DEFAULT_RULE, *UNITS, *own]
    for metric in rules:
        if metric not in known:
            close = nearest(metric, known)
            yield _problem(document, ("rules", metric), "unknown_metric", word=metric, nearest=close)


def _check_probes(document: Document, probes: dict[str, JsonValue]) -> Iterator[ConfigProblem]:
    http = probes.get("http")
    targets = http.get("targets") if isinstance(http, dict) else None
    targets = targets if isinstance(targets, list) else []
    if not targets and all(_is_off(probes.get(name)) for name in HOST_PROBES):
        yield _problem(document, ("probes",), "nothing_watched")
    seen: dict[str, Steps] = {}
    for index, target in enumerate(targets):
        name = target.get("name") if isinstance(target, dict) else None
        if not isinstance(name, str):
            continue
        steps: Steps = ("probes", "http", "targets", index, "name")
        # The name is the target's identity: of two with one name, one would hide the other's alerts.
        name = name.strip()
        if name in seen:
            yield _problem(document, steps, "name_twice", text=name, other=path_text(seen[name]))
        seen.setdefault(name, steps)


def _is_off(section: JsonValue) -> bool:
    return isinstance(section, dict) and section.get("enabled") is False


def _check_secrets(document: Document, value: JsonValue, steps: Steps) -> Iterator[ConfigProblem]:
    if isinstance(value, dict):
        for key, child in value.items():
            place = (*steps, key)
            in_headers = bool(steps) and steps[-1] == "headers"
            if in_headers and (key.lower() in _SECRET_HEADERS or looks_secret(key)):
                yield _problem(document, place, "secret_header", word=key)
            elif steps == ("store",) and key == "url" and isinstance(child, str) and has_password(child):
                yield _problem(document, place, "secret_in_store_url")
            elif not looks_secret(key):  # such a key is unknown anyway, and the refusal says what to do
                yield from _check_secrets(document, child, place)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _check_secrets(document, child, (*steps, index))
    elif isinstance(value, str) and _SECRET_VALUE.search(value):
        yield _problem(document, steps, "secret_value")


def _problem(document: Document, steps: Steps, code: str, **values: str) -> ConfigProblem:
    return ConfigProblem(path_text(steps), document.line_of(steps), code, values)
