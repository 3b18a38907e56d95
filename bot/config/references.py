"""Names in the configuration that must be somewhere else in it, and routes that nothing can reach."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pydantic import JsonValue

from bot.config.document import Document
from bot.config.problems import ConfigProblem, Steps, path_text
from bot.config.words import nearest
from bot.domain.alerts.ladder import TargetKind
from bot.domain.matcher_notation import MatcherInvalid, parse
from bot.domain.matchers import matches_everything
from bot.domain.routing import DEFAULT
from bot.domain.targets import parse_target
from probes.registry import PROBES

Found = tuple[Steps, str]
"""A text and where it stands."""


def check_references(document: Document) -> Iterator[ConfigProblem]:
    """Every such problem in the document, whatever else is wrong with it."""
    data = document.data if isinstance(document.data, dict) else {}
    yield from _check_services(document, data)
    yield from _check_policies(document, data)
    yield from _check_routes(document, data)
    yield from _check_names(document, "maintenance", _list(data.get("maintenance")))
    yield from _check_deployments(document, data)
    for index, rule in enumerate(_list(data.get("inhibit"))):
        sides = [_mapping(rule).get(side) for side in ("source", "target")]
        if all(isinstance(side, str) and _is_everything(side) for side in sides):
            yield _problem(document, ("inhibit", index), "inhibits_everything")


def _check_services(document: Document, data: Mapping[str, JsonValue]) -> Iterator[ConfigProblem]:
    services = _mapping(data.get("services"))
    http = _mapping(_mapping(data.get("probes")).get("http"))
    names = (_mapping(target).get("name") for target in _list(http.get("targets")))
    backends = [name.strip() for name in names if isinstance(name, str)]
    for name, service in services.items():
        known: dict[str, list[str]] = {
            "depends_on": list(services),
            "backends": backends,
            "probes": list(PROBES),
        }
        for key, words in known.items():
            for steps, text in _texts(_mapping(service).get(key), ("services", name, key)):
                if text not in words:
                    yield _unknown(document, steps, f"unknown_{_SINGULAR[key]}", text, words)
    environments = _deployed_to(data)
    for name, service in services.items():
        environment = _mapping(service).get("environment")
        if isinstance(environment, str) and environment not in environments:
            steps = ("services", name, "environment")
            yield _unknown(document, steps, "unknown_environment", environment, environments)
    yield from _check_cycles(document, services)


def _check_deployments(document: Document, data: Mapping[str, JsonValue]) -> Iterator[ConfigProblem]:
    """Data that must have a verified backup, where nothing is backed up: it could never be deployed."""
    if isinstance(data.get("backup"), dict):
        return
    for service, settings in _mapping(_mapping(data.get("deploy")).get("services")).items():
        for name, environment in _mapping(_mapping(settings).get("environments")).items():
            if _list(_mapping(environment).get("data")):
                steps = ("deploy", "services", service, "environments", name, "data")
                yield _problem(document, steps, "deploy_no_backup")


def _deployed_to(data: Mapping[str, JsonValue]) -> list[str]:
    """The names of all environments that anything is deployed to, each once."""
    deployed = _mapping(_mapping(data.get("deploy")).get("services")).values()
    return list(
        dict.fromkeys(
            each for service in deployed for each in _mapping(_mapping(service).get("environments"))
        )
    )


_SINGULAR = {"depends_on": "service", "backends": "backend", "probes": "probe"}


def _check_cycles(document: Document, services: Mapping[str, JsonValue]) -> Iterator[ConfigProblem]:
    needs = {
        name: [text for _, text in _texts(_mapping(service).get("depends_on"), ()) if text in services]
        for name, service in services.items()
    }
    told: set[str] = set()
    for name in needs:
        ring = [] if name in told else _ring(name, needs)
        if ring:
            told |= set(ring)
            words = " → ".join((*ring, name))[:300]
            yield _problem(document, ("services", name, "depends_on"), "service_ring", text=words)


def _ring(start: str, needs: Mapping[str, list[str]]) -> list[str]:
    """The shortest way from a service back to itself; empty if there is none."""
    before: dict[str, str] = {}
    waiting = [start]
    for name in waiting:
        for other in needs[name]:
            if other == start:
                way = [name]
                while way[-1] != start:
                    way.append(before[way[-1]])
                return way[::-1]
            if other not in before:
                before[other] = name
                waiting.append(other)
    return []


def _check_policies(document: Document, data: Mapping[str, JsonValue]) -> Iterator[ConfigProblem]:
    schedules = list(_mapping(data.get("schedules")))
    second_ways = list(_mapping(_mapping(data.get("second_way")).get("apprise")))
    for name, policy in _mapping(data.get("policies")).items():
        given = _mapping(policy).get("tiers")
        tiers = _list(given)
        for number, tier in enumerate(tiers):
            for steps, text in _texts(tier, ("policies", name, "tiers", number)):
                try:
                    target = parse_target(text)
                except ValueError:
                    continue  # the model says so
                if target.kind is TargetKind.SCHEDULE and target.name not in schedules:
                    yield _unknown(document, steps, "unknown_schedule", target.name, schedules)
                if target.kind is TargetKind.APPRISE and target.name not in second_ways:
                    yield _unknown(document, steps, "unknown_apprise", target.name, second_ways)
        count = len(tiers) if isinstance(given, list) else 1
        for level, ladder in _mapping(_mapping(policy).get("ladders")).items():
            for index, step in enumerate(_list(_mapping(ladder).get("steps"))):
                for place, tier in enumerate(_list(_mapping(step).get("tiers"))):
                    if isinstance(tier, int) and 3 >= tier > count:
                        steps = ("policies", name, "ladders", level, "steps", index, "tiers", place)
                        yield _problem(document, steps, "unknown_tier", word=str(tier), limit=str(count))


def _check_routes(document: Document, data: Mapping[str, JsonValue]) -> Iterator[ConfigProblem]:
    policies = [DEFAULT, *_mapping(data.get("policies"))]
    routes = _list(data.get("routes"))
    yield from _check_names(document, "routes", routes)
    seen: dict[str, Steps] = {}
    catch_all: Steps | None = None
    for index, route in enumerate(routes):
        steps: Steps = ("routes", index)
        policy, match = _mapping(route).get("policy"), _mapping(route).get("match")
        if isinstance(policy, str) and policy.strip() not in policies:
            yield _unknown(document, (*steps, "policy"), "unknown_policy", policy.strip(), policies)
        canonical = _canonical(match) if isinstance(match, str) else None
        before = catch_all if catch_all is not None else seen.get(canonical or "")
        if before is not None:
            yield _problem(document, steps, "route_unreachable", other=path_text(before))
        elif canonical is not None:
            seen[canonical] = steps
            catch_all = steps if _is_everything(canonical) else None


def _check_names(document: Document, section: str, items: Iterable[JsonValue]) -> Iterator[ConfigProblem]:
    seen: dict[str, Steps] = {}
    for index, item in enumerate(items):
        name = _mapping(item).get("name")
        if not isinstance(name, str):
            continue
        steps: Steps = (section, index, "name")
        if name.strip() in seen:
            other = path_text(seen[name.strip()])
            yield _problem(document, steps, "name_twice", text=name.strip()[:200], other=other)
        seen.setdefault(name.strip(), steps)


def _canonical(text: str) -> str | None:
    try:
        return str(parse(text))
    except MatcherInvalid:
        return None


def _is_everything(text: str) -> bool:
    try:
        return matches_everything(parse(text))
    except MatcherInvalid:
        return False


def _mapping(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _texts(value: JsonValue, steps: Steps) -> list[Found]:
    found = enumerate(_list(value))
    return [((*steps, index), text.strip()) for index, text in found if isinstance(text, str)]


def _unknown(document: Document, steps: Steps, code: str, word: str, known: list[str]) -> ConfigProblem:
    return _problem(document, steps, code, word=word[:200], nearest=nearest(word, known))


def _problem(document: Document, steps: Steps, code: str, **values: str) -> ConfigProblem:
    return ConfigProblem(path_text(steps), document.line_of(steps), code, values)
