"""A message without its pictures, for when Slack does not take them: the words must arrive all the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pydantic import JsonValue

from messages.render import Message

_Block = dict[str, JsonValue]


def without_images(message: Message) -> Message:
    """The message without pictures; the very same object when it has none."""
    blocks = _without(message.blocks)
    attachments: list[_Block] = []
    for attachment in message.attachments:
        held = attachment.get("blocks")
        if not isinstance(held, list):
            attachments.append(attachment)
            continue
        kept = _without([block for block in held if isinstance(block, dict)])
        if kept:
            attachments.append({**attachment, "blocks": list(kept)})
    if blocks == message.blocks and attachments == message.attachments:
        return message
    return replace(message, blocks=blocks, attachments=attachments)


def _without(blocks: Sequence[_Block]) -> list[_Block]:
    kept: list[_Block] = []
    for block in blocks:
        if block.get("type") == "image":
            continue
        if _is_image(block.get("accessory")):
            block = {name: value for name, value in block.items() if name != "accessory"}
        elements = block.get("elements")
        if block.get("type") == "context" and isinstance(elements, list):
            rest = [element for element in elements if not _is_image(element)]
            if not rest:
                continue
            block = {**block, "elements": rest}
        kept.append(block)
    return kept


def _is_image(element: JsonValue) -> bool:
    return isinstance(element, dict) and element.get("type") == "image"
