"""A message without its pictures says the same."""

from __future__ import annotations

from pydantic import JsonValue

from messages import blocks
from messages.images import without_images
from messages.render import Message

IMAGE = blocks.as_json(blocks.image("chart", "F0123456789", "CPU <80%> & co"))
TEXT: dict[str, JsonValue] = {"type": "section", "text": {"type": "mrkdwn", "text": "x"}}


def test_an_image_block_names_the_file_and_has_a_text_for_those_who_cannot_see_it() -> None:
    assert IMAGE == {
        "type": "image",
        "block_id": "chart",
        "slack_file": {"id": "F0123456789"},
        "alt_text": "CPU ‹80%› & co",
    }
    assert len(str(blocks.as_json(blocks.image("chart", "F0123456789", "가" * 5000))["alt_text"])) <= 2000


def test_pictures_go_wherever_they_are_and_all_else_stays() -> None:
    element: JsonValue = {"type": "image", "image_url": "https://x.example.com", "alt_text": "x"}
    word: JsonValue = {"type": "mrkdwn", "text": "small"}
    message = Message(
        "text",
        [TEXT, IMAGE, {**TEXT, "accessory": element}, {"type": "context", "elements": [element]}],
        [
            {"color": "#fff", "blocks": [TEXT, IMAGE, {"type": "context", "elements": [element, word]}]},
            {"color": "#fff", "blocks": [IMAGE]},
            {"color": "#fff", "text": "old"},
        ],
    )
    assert without_images(message) == Message(
        "text",
        [TEXT, TEXT],
        [
            {"color": "#fff", "blocks": [TEXT, {"type": "context", "elements": [word]}]},
            {"color": "#fff", "text": "old"},
        ],
    )


def test_a_message_without_pictures_is_itself() -> None:
    message = Message("text", [TEXT], [{"blocks": [TEXT]}])
    assert without_images(message) is message
