"""The documented example: it loads, it mentions every key, and the schema agrees with it."""

import json
import re
from pathlib import Path

import pytest
from pydantic import JsonValue

from bot.config import RuleBook, load
from bot.config.document import read_document
from bot.config.metrics import DEFAULT_KPIS, UNITS
from bot.config.schema import json_schema
from bot.domain.durations import DURATION_PATTERN

SHOWN_ELSEWHERE = re.compile(r"kpis\.\*\.targets\.\*|\.preflight\.(?!code_quality)|\.verification\.security")
EXAMPLE = Path(__file__).parents[2] / "docs" / "guardian.example.yaml"


def example() -> dict[str, JsonValue]:
    data = read_document(EXAMPLE.read_text(encoding="utf-8")).data
    assert isinstance(data, dict)
    return data


def resolved(schema: JsonValue, definitions: dict[str, JsonValue]) -> list[dict[str, JsonValue]]:
    """The schemas that a value may follow, references and `X or null` resolved."""
    assert isinstance(schema, dict)
    reference = schema.get("$ref")
    if isinstance(reference, str):
        return resolved(definitions[reference.rsplit("/", 1)[-1]], definitions)
    branches = schema.get("anyOf", schema.get("oneOf"))
    if isinstance(branches, list):
        return [found for branch in branches for found in resolved(branch, definitions)]
    return [schema]


def faults(value: JsonValue, schema: JsonValue, definitions: dict[str, JsonValue], path: str) -> list[str]:
    """Where `value` breaks the schema: types, unknown and missing keys, patterns, choices, limits."""
    tried = [_faults(value, one, definitions, path) for one in resolved(schema, definitions)]
    return min(tried, key=len, default=[])


def _faults(
    value: JsonValue, schema: dict[str, JsonValue], definitions: dict[str, JsonValue], path: str
) -> list[str]:
    kinds: dict[str, type | tuple[type, ...]] = {
        "object": dict, "array": list, "string": str, "boolean": bool, "null": type(None),
        "integer": int, "number": (int, float),
    }  # fmt: skip
    kind = schema.get("type")
    if isinstance(kind, str):
        is_bool = isinstance(value, bool) and kind != "boolean"
        if not isinstance(value, kinds[kind]) or is_bool:
            return [f"{path}: no {kind}"]
    found: list[str] = []
    choices, pattern = schema.get("enum"), schema.get("pattern")
    if isinstance(choices, list) and value not in choices:
        found.append(f"{path}: not in {choices}")
    if isinstance(pattern, str) and isinstance(value, str) and not re.search(pattern, value):
        found.append(f"{path}: not like {pattern}")
    low, high = schema.get("minimum"), schema.get("maximum")
    if isinstance(value, int | float):
        below = isinstance(low, int | float) and value < low
        if below or (isinstance(high, int | float) and value > high):
            found.append(f"{path}: out of range")
    properties, others = schema.get("properties", {}), free(schema, True)
    if isinstance(value, dict) and isinstance(properties, dict):
        required = schema.get("required", [])
        assert isinstance(required, list)
        found += [f"{path}: lacks {key}" for key in required if key not in value]
        for key, child in value.items():
            if key in properties:
                found += faults(child, properties[key], definitions, f"{path}.{key}")
            elif isinstance(others, dict):
                found += faults(child, others, definitions, f"{path}.{key}")
            elif others is False:
                found.append(f"{path}.{key}: unknown")
    if isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            found += faults(item, schema["items"], definitions, f"{path}[{index}]")
    return found


def free(schema: dict[str, JsonValue], otherwise: JsonValue) -> JsonValue:
    """What stands under the keys of a mapping that people choose themselves, whatever these look like."""
    by_pattern = schema.get("patternProperties")
    if isinstance(by_pattern, dict):
        return next(iter(by_pattern.values()))
    return schema.get("additionalProperties", otherwise)


def unmentioned(
    values: list[JsonValue], schema: JsonValue, definitions: dict[str, JsonValue], path: str
) -> list[str]:
    """Keys of the schema that none of `values` has: of a list, or a mapping with free keys, all entries
    together mention every key."""
    missing: list[str] = []
    for one in resolved(schema, definitions):
        properties, others, items = one.get("properties"), free(one, None), one.get("items")
        mappings = [value for value in values if isinstance(value, dict)]
        if isinstance(properties, dict) and mappings:
            mappings = [value for value in mappings if is_meant(value, properties)]
            missing += [f"{path}.{key}" for key in properties if not any(key in value for value in mappings)]
            for key, child in properties.items():
                found = [value[key] for value in mappings if key in value]
                missing += unmentioned(found, child, definitions, f"{path}.{key}")
        elif isinstance(others, dict) and mappings:
            entries = [entry for value in mappings for entry in value.values()]
            missing += unmentioned(entries, others, definitions, f"{path}.*")
        elif items is not None:
            entries = [entry for value in values if isinstance(value, list) for entry in value]
            missing += unmentioned(entries, items, definitions, f"{path}[]")
    return missing


def is_meant(value: dict[str, JsonValue], properties: dict[str, JsonValue]) -> bool:
    """Whether it is a value of that section, where one of several is chosen by a word (`driver`)."""
    for key, child in properties.items():
        if isinstance(child, dict) and "const" in child and value.get(key) != child["const"]:
            return False
    return True


def definitions_of(schema: dict[str, JsonValue]) -> dict[str, JsonValue]:
    definitions = schema["$defs"]
    assert isinstance(definitions, dict)
    return definitions


def test_the_example_loads() -> None:
    settings = load(EXAMPLE, {})
    RuleBook(settings)
    assert settings.probes.http.targets[0].name == "shop"


def test_the_example_mentions_every_key() -> None:
    schema = json_schema()
    data = example()
    sections = ("infrastructure_kpis", "application_kpis", "kpis")
    shown: dict[str, JsonValue] = {}
    for section in sections:
        metrics = data[section]
        assert isinstance(metrics, dict)
        shown |= metrics
    # The bands' levels are shown once, for all three sections, and for targets, which have the same; and so
    # are the keys of a check and of a test.
    missing = unmentioned([{**data, **dict.fromkeys(sections, shown)}], schema, definitions_of(schema), "")
    assert [key for key in missing if not SHOWN_ELSEWHERE.search(key)] == []


def test_the_example_has_every_metric_with_its_default_bands() -> None:
    data = example()
    shown: dict[str, JsonValue] = {}
    for section in ("infrastructure_kpis", "application_kpis", "kpis"):
        metrics = data[section]
        assert isinstance(metrics, dict)
        shown |= metrics
    assert set(shown) == set(UNITS)
    assert {metric: shown[metric] for metric in DEFAULT_KPIS} == DEFAULT_KPIS


def test_the_examples_values_are_the_defaults_where_it_says_so() -> None:
    shown, defaults = load(EXAMPLE, {}), load(None, {})
    for section in ("language", "timezone", "environment", "slack", "store", "health", "log"):
        assert getattr(shown, section) == getattr(defaults, section), section
    assert shown.probes.cpu.patience == defaults.probes.cpu.patience
    for metric in UNITS:
        if metric == "network_transmit_rate":
            continue  # the one example that is no default
        own = RuleBook(shown).bands.get(metric)
        assert own == RuleBook(defaults).bands.get(metric), metric


def test_the_schema_agrees_with_the_example() -> None:
    schema = json_schema()
    assert faults(example(), schema, definitions_of(schema), "") == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"languag": "ko"},
        {"language": "jp"},
        {"health": {"port": 0}},
        {"probes": {"cpu": {"interval": "soon"}}},
        {"probes": {"http": {"targets": [{"name": "a"}]}}},
        {"probes": {"http": {"targets": [{"name": "a", "url": "ftp://a"}]}}},
        {"kpis": {"swap_usage": {"target": "low", "warning": "high"}}},
        {"slack": {"bot_token": "x"}},
    ],
)
def test_the_schema_refuses_what_is_wrong(wrong: dict[str, JsonValue]) -> None:
    schema = json_schema()
    assert faults(wrong, schema, definitions_of(schema), "") != []


def test_the_schema_describes_every_key_and_is_json() -> None:
    schema = json_schema()
    assert (
        DURATION_PATTERN
        in json.loads(json.dumps(schema))["$defs"]["ProbeSettings"]["properties"]["interval"]["anyOf"][0][
            "pattern"
        ]
    )
    levels = {"info", "warning", "error", "critical", "emergency"}
    for name, definition in {**definitions_of(schema), "guardian.yaml": schema}.items():
        assert isinstance(definition, dict)
        properties = definition.get("properties", {})
        assert isinstance(properties, dict)
        for key, child in properties.items():
            assert isinstance(child, dict)
            described = "description" in child or "$ref" in child
            assert described or key in levels, f"{name}.{key}"
