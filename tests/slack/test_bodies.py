"""What is read from the events that Slack sends."""

from __future__ import annotations

import pytest

from bot.slack.bodies import deleted_ts


@pytest.mark.parametrize(
    ("event", "deleted"),
    [
        ({"subtype": "message_deleted", "deleted_ts": "1.5", "ts": "9.0"}, "1.5"),
        (
            {"subtype": "message_changed", "message": {"subtype": "tombstone", "ts": "1.5"}, "ts": "9.0"},
            "1.5",
        ),
        ({"subtype": "message_changed", "message": {"text": "edited", "ts": "1.5"}, "ts": "9.0"}, None),
        ({"subtype": "message_deleted"}, None),
        ({"text": "hello", "ts": "1.5"}, None),
    ],
)
def test_a_deleted_message_is_known_with_its_thread_and_without(
    event: dict[str, object], deleted: str | None
) -> None:
    assert deleted_ts(event) == deleted
