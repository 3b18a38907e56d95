"""What is read from the body of an interaction or an event."""

from __future__ import annotations

from collections.abc import Mapping


def user_of(body: Mapping[str, object]) -> str:
    """The id of who pressed or sent it; empty if it names nobody."""
    user = body.get("user")
    return str(user.get("id", "")) if isinstance(user, dict) else ""


def deleted_ts(event: Mapping[str, object]) -> str | None:
    """The place of the message that a `message` event says was deleted; None if it says anything else. Of one
    with a thread Slack says that it was changed into a tombstone."""
    match event:
        case {"subtype": "message_deleted", "deleted_ts": str(ts)}:
            return ts
        case {"subtype": "message_changed", "message": {"subtype": "tombstone", "ts": str(ts)}}:
            return ts
    return None


def form_values(view: Mapping[str, object]) -> dict[str, str]:
    """What was filled into a form or chosen in it, by field."""
    state = view.get("state")
    values = state.get("values") if isinstance(state, Mapping) else None
    found: dict[str, str] = {}
    for name, block in values.items() if isinstance(values, Mapping) else ():
        for field in block.values() if isinstance(block, Mapping) else ():
            value = chosen_value(field) if isinstance(field, Mapping) else None
            if value is not None:
                found[str(name)] = value
    return found


def chosen_value(field: Mapping[str, object]) -> str | None:
    """What a menu's choice or a field's text is; None when there is none."""
    option = field.get("selected_option")
    value = option.get("value") if isinstance(option, Mapping) else field.get("value")
    return value if isinstance(value, str) else None
