"""What is read from the body of an interaction."""

from __future__ import annotations

from collections.abc import Mapping


def user_of(body: Mapping[str, object]) -> str:
    """The id of who pressed or sent it; empty if it names nobody."""
    user = body.get("user")
    return str(user.get("id", "")) if isinstance(user, dict) else ""
