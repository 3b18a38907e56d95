"""What interactive elements hold and how their choices are written in payloads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from bot.workspace.blocks import elements_of
from bot.workspace.ids import now
from bot.workspace.model import JsonObject


@dataclass(frozen=True)
class Holding:
    """How an element type holds its value: under which key, where it starts, what empty is."""

    key: str
    initial: str
    many: bool = False


_TEXT = Holding("value", "initial_value")
_OPTION = Holding("selected_option", "initial_option")
_OPTIONS = Holding("selected_options", "initial_options", many=True)

HOLDINGS: Mapping[str, Holding] = {
    "plain_text_input": _TEXT,
    "email_text_input": _TEXT,
    "url_text_input": _TEXT,
    "number_input": _TEXT,
    "rich_text_input": Holding("rich_text_value", "initial_value"),
    "static_select": _OPTION,
    "external_select": _OPTION,
    "radio_buttons": _OPTION,
    "overflow": _OPTION,
    "multi_static_select": _OPTIONS,
    "multi_external_select": _OPTIONS,
    "checkboxes": _OPTIONS,
    "users_select": Holding("selected_user", "initial_user"),
    "multi_users_select": Holding("selected_users", "initial_users", many=True),
    "channels_select": Holding("selected_channel", "initial_channel"),
    "multi_channels_select": Holding("selected_channels", "initial_channels", many=True),
    "conversations_select": Holding("selected_conversation", "initial_conversation"),
    "multi_conversations_select": Holding("selected_conversations", "initial_conversations", many=True),
    "datepicker": Holding("selected_date", "initial_date"),
    "timepicker": Holding("selected_time", "initial_time"),
    "datetimepicker": Holding("selected_date_time", "initial_date_time"),
    "file_input": Holding("files", "", many=True),
}
_WITHOUT_STATE = frozenset({"button", "overflow", "workflow_button", "image"})


def options_of(element: Mapping[str, JsonValue]) -> list[JsonObject]:
    """All options of a menu, of its groups too."""
    sources: list[JsonValue] = [element.get("options")]
    groups = element.get("option_groups")
    if isinstance(groups, list):
        sources += [group.get("options") for group in groups if isinstance(group, dict)]
    found: list[JsonObject] = []
    for source in sources:
        if isinstance(source, list):
            found += [option for option in source if isinstance(option, dict)]
    return found


def _value_of(option: JsonValue) -> JsonValue:
    return option.get("value") if isinstance(option, dict) else option


def _own_options(element: Mapping[str, JsonValue], given: Iterable[JsonValue]) -> list[JsonObject]:
    """The element's options with the given values; an external menu's are taken as they come."""
    chosen = list(given)
    if "external" in str(element.get("type")):
        return [option for option in chosen if isinstance(option, dict)]
    by_value = {str(option.get("value")): option for option in options_of(element)}
    values = [value for value in map(_value_of, chosen) if isinstance(value, str)]
    return [by_value[value] for value in values if value in by_value]


def held(element: Mapping[str, JsonValue], given: Mapping[str, JsonValue] | None) -> JsonObject:
    """`{"type": …, key: …}` of an element: what was given, else what it starts with."""
    kind = str(element.get("type"))
    holding = HOLDINGS[kind]
    if given is not None and holding.key in given:
        value = given[holding.key]
    else:
        value = element.get(holding.initial)
    if holding.key == "selected_option":
        value = next(iter(_own_options(element, [value])), None) if value is not None else None
    elif holding.key == "selected_options":
        value = [*_own_options(element, value if isinstance(value, list) else [])]
    elif holding.many and not isinstance(value, list):
        value = []
    elif holding.key == "value" and value == "":
        value = None
    return {"type": kind, holding.key: value}


def state_of(blocks: Sequence[JsonObject], given: Mapping[str, JsonValue] | None) -> JsonObject:
    """`state.values` of blocks: `{block_id: {action_id: {…}}}` for each element that holds something."""
    values: JsonObject = {}
    for block in blocks:
        block_id = str(block.get("block_id"))
        from_page = (given or {}).get(block_id)
        held_here: JsonObject = {}
        for element in elements_of(block):
            kind, action_id = element.get("type"), str(element.get("action_id"))
            if kind in HOLDINGS and kind not in _WITHOUT_STATE:
                own = from_page.get(action_id) if isinstance(from_page, dict) else None
                held_here[action_id] = held(element, own if isinstance(own, dict) else None)
        if held_here:
            values[block_id] = held_here
    return values


def chosen(element: JsonObject, block_id: str, given: Mapping[str, JsonValue]) -> JsonObject:
    """An entry of a payload's `actions`."""
    action: JsonObject = {
        "type": element["type"],
        "action_id": element["action_id"],
        "block_id": block_id,
        "action_ts": f"{now():.6f}",
    }
    if element["type"] in ("button", "workflow_button"):
        action["text"] = element["text"]
        for name in ("value", "style", "url"):
            if element.get(name) is not None:
                action[name] = element[name]
        return action
    if element["type"] in HOLDINGS:
        action |= held(element, given)
    for name in ("placeholder", "confirm"):
        if element.get(name) is not None and element["type"] != "plain_text_input":
            action[name] = element[name]
    return action
