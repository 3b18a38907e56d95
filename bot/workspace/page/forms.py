"""From a posted form to the state and the actions that Slack sends to an app."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from multidict import MultiMapping
from pydantic import JsonValue

from bot.workspace.model import JsonObject, Message, View
from bot.workspace.page.render import control_name
from bot.workspace.texts import parse_json

_TEXTS = frozenset({"plain_text_input", "number_input", "email_text_input", "url_text_input"})
_SINGLE_IDS = {
    "users_select": "selected_user",
    "channels_select": "selected_channel",
    "conversations_select": "selected_conversation",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
}
_MANY_IDS = {
    "multi_users_select": "selected_users",
    "multi_channels_select": "selected_channels",
    "multi_conversations_select": "selected_conversations",
}
_ONE_OPTION = frozenset({"static_select", "external_select", "radio_buttons", "overflow"})
_MANY_OPTIONS = frozenset({"multi_static_select", "multi_external_select", "checkboxes"})
_STATELESS = frozenset({"overflow"})


def chosen(kind: str, values: Sequence[str], element: Mapping[str, JsonValue]) -> JsonObject:
    """What an element of this type holds, named as in Slack's payloads; empty for one that holds nothing.

    A value that is none of the element's options is passed on bare: the workspace decides.
    """
    first = values[0] if values and values[0] != "" else None
    if kind in _TEXTS:
        return {"value": first}
    if kind == "rich_text_input":
        return {"rich_text_value": _rich_text(first)}
    if kind == "datetimepicker":
        return {"selected_date_time": int(first) if first and first.isdigit() else None}
    if kind in _SINGLE_IDS:
        return {_SINGLE_IDS[kind]: first}
    if kind in _MANY_IDS:
        return {_MANY_IDS[kind]: [value for value in values if value]}
    if kind in _ONE_OPTION:
        return {"selected_option": _option(kind, first, element) if first is not None else None}
    if kind in _MANY_OPTIONS:
        return {"selected_options": [_option(kind, value, element) for value in values if value]}
    return {}


def state_values(blocks: Iterable[JsonObject], form: MultiMapping[str]) -> JsonObject:
    """`{block_id: {action_id: {"type": …, …}}}` of all the blocks' elements that hold something."""
    state: dict[str, dict[str, JsonValue]] = {}
    for block_id, element in elements(blocks):
        kind, action_id = str(element.get("type")), str(element.get("action_id"))
        held = chosen(kind, form.getall(control_name(block_id, action_id), []), element)
        if held and kind not in _STATELESS:
            state.setdefault(block_id, {})[action_id] = {"type": kind, **held}
    return dict(state)


def elements(blocks: Iterable[JsonObject]) -> Iterator[tuple[str, JsonObject]]:
    """Every interactive element with its block's id."""
    for block in blocks:
        block_id = str(block.get("block_id") or "")
        listed = block.get("elements") if block.get("type") == "actions" else None
        candidates = [
            block.get("accessory"),
            block.get("element"),
            *(listed if isinstance(listed, list) else []),
        ]
        for candidate in candidates:
            if isinstance(candidate, dict) and candidate.get("action_id"):
                yield block_id, candidate


def blocks_of(container: Message | View) -> list[JsonObject]:
    """All blocks of a message, those of its attachments included, or of a view."""
    found = list(container.blocks)
    if isinstance(container, Message):
        for attachment in container.attachments:
            inside = attachment.get("blocks")
            if isinstance(inside, list):
                found += [block for block in inside if isinstance(block, dict)]
    return found


def _option(kind: str, value: str, element: Mapping[str, JsonValue]) -> JsonValue:
    if "external" in kind:
        try:
            option = parse_json(value)
        except (ValueError, RecursionError):
            return {"value": value}
        return option if isinstance(option, dict) else {"value": value}
    for option in _offered(element):
        if option.get("value") == value:
            return option
    return {"value": value}


def _offered(element: Mapping[str, JsonValue]) -> Iterator[JsonObject]:
    lists = [element.get("options")]
    groups = element.get("option_groups")
    if isinstance(groups, list):
        lists += [group.get("options") for group in groups if isinstance(group, dict)]
    for options in lists:
        if isinstance(options, list):
            yield from (option for option in options if isinstance(option, dict))


def _rich_text(text: str | None) -> JsonValue:
    if text is None:
        return None
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}],
    }
