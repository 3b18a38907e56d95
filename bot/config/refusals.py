"""What pydantic refuses, as our own problems: a code and values instead of its English."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy

from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import ErrorDetails

from bot.config.document import Document
from bot.config.problems import ConfigProblem, Steps, path_text
from bot.config.words import looks_secret, nearest
from bot.engine.payload_faults import Unfit

_CODES = {
    "missing": "missing",
    "bool_type": "not_bool",
    "string_type": "not_text",
    "int_type": "not_integer",
    "int_from_float": "not_integer",
    "float_type": "not_number",
    "finite_number": "not_number",
    "path_type": "not_text",
    "model_type": "not_mapping",
    "model_attributes_type": "not_mapping",
    "dict_type": "not_mapping",
    "tuple_type": "not_list",
    "list_type": "not_list",
    "too_long": "list_too_long",
    "too_short": "list_empty",
    "string_too_short": "text_empty",
    "string_too_long": "text_too_long",
    "greater_than_equal": "number_range",
    "less_than_equal": "number_range",
    "literal_error": "not_one_of",
    "string_pattern_mismatch": "text_pattern",
}

_VARIABLES = (
    (re.compile("app", re.IGNORECASE), "SLACK_APP_TOKEN"),
    (re.compile("sign", re.IGNORECASE), "SLACK_SIGNING_SECRET"),
    (re.compile("passw", re.IGNORECASE), "DATABASE_URL"),
)


def refusals(error: ValidationError, document: Document, model: type[BaseModel]) -> Iterator[ConfigProblem]:
    """A problem for each thing that `model` refused in `document`."""
    for detail in error.errors(include_url=False):
        if detail["type"] == "too_short" and detail["input"]:
            continue  # it only seems empty, because what is in it was refused
        steps = steps_of(detail["loc"])
        code, values = _translate(detail, steps, document, model)
        yield ConfigProblem(path_text(steps), document.line_of(steps), code, values)


_BRACKETS = re.compile(r"\[[a-z]+\]")
_TARGETS: Steps = ("probes", "http", "targets")
_STAND_IN: Mapping[str, JsonValue] = {"name": "?", "url": "http://localhost"}
"""What every web address must have, for one whose own was refused."""

_STAND_IN_ROTATION: Mapping[str, JsonValue] = {"people": ["@x"], "every": "weekly", "start": "2026-01-05"}
"""The same for the rotations of a schedule, and for a schedule without any."""


_STAND_INS: Mapping[str | int, Mapping[str, JsonValue]] = {
    "routes": {"name": "?", "match": "*"},
    "inhibit": {"source": "*", "target": "*"},
    "maintenance": {"name": "?", "match": "*", "hours": "00:00-00:01"},
}
"""The same for the items of these lists."""
_STAND_IN_STEP: Mapping[str, JsonValue] = {"after": "1d", "tiers": [1]}
"""The same for a step of a ladder; the latest there may be, so that the others keep their order."""


def _stand_in(place: Steps) -> Mapping[str, JsonValue]:
    """What the mapping at `place` must have, and what it gets where its own was refused."""
    if place[:-1] == _TARGETS:
        return _STAND_IN
    if place[0] in _STAND_INS and len(place) == 2 and isinstance(place[1], int):
        return _STAND_INS[place[0]]
    if place[0] == "policies" and place[4:5] == ("steps",) and len(place) == 6:
        return _STAND_IN_STEP
    if place[0] == "schedules" and len(place) == 2:
        return {"rotations": [dict(_STAND_IN_ROTATION)]}
    return _STAND_IN_ROTATION if place[0] == "schedules" and place[2:3] == ("rotations",) else {}


_CULPRITS = {
    "timeout_over_interval": "timeout",
    "head_without_body": "expect_body",
    "on_without_weekly": "on",
}
"""Of values that don't agree, the one without which the others do."""


def take_out(data: JsonValue, error: ValidationError) -> bool:
    """Remove from `data` what `error` refuses, so that the rest can be judged without it. False if there is
    nothing to remove."""
    places: dict[Steps, None] = {}
    for detail in error.errors(include_url=False):
        steps = steps_of(detail["loc"])
        culprit = _CULPRITS.get(detail["type"])
        places[steps if culprit is None else (*steps, culprit)] = None
    # From the end, so that the list items before keep their places.
    return any([_remove(data, steps) for steps in reversed(places)])


def _remove(data: JsonValue, steps: Steps) -> bool:
    if not steps:
        return False
    *above, last = steps
    here = data
    for step in above:
        if isinstance(here, dict) and isinstance(step, str) and step in here:
            here = here[step]
        elif isinstance(here, list) and isinstance(step, int) and step < len(here):
            here = here[step]
        else:
            return False  # gone with what was around it
    if isinstance(here, dict) and isinstance(last, str):
        stand_in = _stand_in(tuple(above)) if above else {}
        if last in stand_in:
            here[last] = deepcopy(stand_in[last])
            return True
        return here.pop(last, here) is not here
    if isinstance(here, list) and isinstance(last, int) and last < len(here):
        if tuple(above) == _TARGETS:
            here[last] = dict(_STAND_IN)
        elif len(here) == 1:
            return _remove(data, tuple(above))  # an empty list would be refused for another reason
        else:
            del here[last]
        return True
    return False


def steps_of(place: Sequence[str | int]) -> Steps:
    """A place as pydantic names it; it marks a wrong key of a mapping by a step of its own, and which of
    several sections it is too: these are in brackets."""
    return tuple(step for step in place if not (isinstance(step, str) and _BRACKETS.fullmatch(step)))


def _translate(
    detail: ErrorDetails, steps: Steps, document: Document, model: type[BaseModel]
) -> tuple[str, dict[str, str | int | float]]:
    kind = detail["type"]
    context = detail.get("ctx", {})
    if kind == "extra_forbidden":
        key = str(steps[-1])
        if looks_secret(key):
            return "secret_in_file", {"word": key, "variable": _variable(key)}
        return "unknown_key", {"word": key, "nearest": nearest(key, _keys(model, steps[:-1]))}
    code = _CODES.get(kind)
    if code is None:
        # Ours, with values that are ours too; pydantic's own that nobody foresaw are shown as they are.
        known = {name: value for name, value in context.items() if isinstance(value, str | int | float)}
        return (kind, known) if kind in _OURS else ("refused", {"detail": detail["msg"]})
    match code:
        case "missing":
            return code, {"word": str(steps[-1])}
        case "not_one_of":
            known_words = re.findall(r"'([^']*)'", str(context["expected"]))
            text = str(detail["input"])[:80]
            return code, {
                "text": text,
                "known": ", ".join(known_words),
                "nearest": nearest(text, known_words),
            }
        case "number_range":
            bound = context.get("ge", context.get("le", 0))
            return "number_low" if "ge" in context else "number_high", {"bound": bound}
        case "text_too_long" | "list_too_long":
            return code, {"limit": context["max_length"]}
    return code, {}


_OURS = frozenset(
    "duration duration_range timezone timezone_no_data url url_credentials url_scheme statuses channel"
    " header_name header_value variable name database_url timeout_over_interval head_without_body"
    " person weekday time_of_day hours_of_day hours_empty turn turn_length rotation_start start_without_zone"
    " plain_name source_taken label_name list_empty schedule_name on_without_weekly"
    " escalation_target label_reserved steps_order window_moment window_times window_order"
    " matcher_empty matcher_too_long matcher_too_many matcher_no_condition matcher_operator matcher_no_value"
    " matcher_open_quote matcher_expression matcher_control matcher_no_level matcher_only_level"
    " matcher_contradiction member holiday operation_name freeze_times"
    " cleanup_path cleanup_root_system cleanup_pattern command cleanup_overlap"
    " backup_times backup_weekday backup_path backup_filename backup_source backup_offsite"
    " deploy_address deploy_url_path deploy_proxy_name deploy_evidence deploy_reason deploy_driver"
    " deploy_secret_environment deploy_place deploy_place_missing deploy_program deploy_check deploy_trial"
    " deploy_endpoint deploy_proxy_path deploy_map_name deploy_place_alone"
    " deploy_same deploy_stages deploy_lease deploy_data deploy_usage deploy_no_directory".split()
) | {f"template_{unfit}" for unfit in Unfit}
"""The types of our own errors (`bot.config.values` and the modules of the sections)."""


def _variable(key: str) -> str:
    return next((variable for pattern, variable in _VARIABLES if pattern.search(key)), "SLACK_BOT_TOKEN")


def _keys(model: type[BaseModel], steps: Steps) -> list[str]:
    """The keys that the mapping at `steps` may have, found by walking the model's JSON schema."""
    schema: JsonValue = model.model_json_schema()
    definitions = _member(schema, "$defs")
    here = _resolve(schema, definitions)
    for step in steps:
        if isinstance(step, int):
            here = _member(here, "items")
        else:
            here = _member(_member(here, "properties"), step) or _free(here)
        here = _resolve(here, definitions)
    properties = _member(here, "properties")
    return list(properties) if isinstance(properties, dict) else []


def _free(schema: JsonValue) -> JsonValue:
    """What stands under the keys of a mapping that people choose themselves."""
    by_pattern = _member(schema, "patternProperties")
    if isinstance(by_pattern, dict):
        return next(iter(by_pattern.values()), None)
    return _member(schema, "additionalProperties")


def _member(schema: JsonValue, key: str) -> JsonValue:
    return schema.get(key) if isinstance(schema, dict) else None


def _resolve(schema: JsonValue, definitions: JsonValue) -> JsonValue:
    """Behind a reference, or the branch of `X or null` that is X."""
    one_of = _member(schema, "oneOf")
    if isinstance(one_of, list):  # which one it is shall be nobody's trouble: the keys of all
        properties = [_member(_resolve(branch, definitions), "properties") for branch in one_of]
        return {
            "properties": {
                key: child for each in properties if isinstance(each, dict) for key, child in each.items()
            }
        }
    branches = _member(schema, "anyOf")
    for branch in branches if isinstance(branches, list) else ():
        if _member(branch, "$ref") or _member(branch, "type") in ("object", "array"):
            schema = branch
    reference = _member(schema, "$ref")
    return _member(definitions, str(reference).rsplit("/", 1)[-1]) if reference else schema
