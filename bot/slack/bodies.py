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
