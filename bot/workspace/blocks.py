"""Checking and completing the blocks of a message, an attachment or a view."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from bot.workspace.block_rules import BLOCKS, IN_ATTACHMENT, IN_HOME, IN_MESSAGE, IN_MODAL
from bot.workspace.ids import short_id
from bot.workspace.model import JsonObject
from bot.workspace.rules import Many, Typed, complaint

MARKDOWN_MOST = 12000
TEXT_MOST = 13200
"""characters of all blocks of one message together; Slack's own figure is not published"""


@dataclass(frozen=True)
class Surface:
    """Where blocks are shown: how many there may be and of which types."""

    most: int
    allowed: frozenset[str]
    least: int = 0


MESSAGE = Surface(50, IN_MESSAGE)
ATTACHMENT = Surface(50, IN_ATTACHMENT)
MODAL = Surface(100, IN_MODAL, least=1)
HOME = Surface(100, IN_HOME)


def block_problems(blocks: JsonValue, surface: Surface, pointer: str = "/blocks") -> list[str]:
    """What Slack would complain about; empty when the blocks are allowed there."""
    rule = Many(Typed(lambda: BLOCKS, surface.allowed), surface.most, surface.least)
    found = list(rule.complaints(blocks, pointer))
    if isinstance(blocks, list):
        objects = [block for block in blocks if isinstance(block, dict)]
        found.extend(_repeated_ids(objects, pointer))
        found.extend(_together(objects, pointer))
    return found


def _repeated_ids(blocks: Sequence[JsonObject], pointer: str) -> Iterator[str]:
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        block_id = block.get("block_id")
        if isinstance(block_id, str):
            if block_id in seen:
                yield complaint(f"block_id already exists: {block_id}", f"{pointer}/{index}/block_id")
            seen.add(block_id)
        repeated = Counter(
            str(element["action_id"]) for element in elements_of(block) if element.get("action_id")
        )
        for action_id, times in repeated.items():
            if times > 1:
                yield complaint(f"action_id already exists: {action_id}", f"{pointer}/{index}/elements")


def _together(blocks: Sequence[JsonObject], pointer: str) -> Iterator[str]:
    tables = [index for index, block in enumerate(blocks) if block.get("type") == "table"]
    for index in tables[1:]:
        yield complaint("only_one_table_allowed", f"{pointer}/{index}")
    markdown = 0
    for index, block in enumerate(blocks):
        text = block.get("text")
        if block.get("type") == "markdown" and isinstance(text, str):
            markdown += len(text)
            if markdown > MARKDOWN_MOST >= len(text):
                message = f"markdown text of all blocks must be less than {MARKDOWN_MOST + 1} characters"
                yield complaint(message, f"{pointer}/{index}/text")


def text_length(value: JsonValue) -> int:
    """All characters of all `text` strings in blocks."""
    if isinstance(value, list):
        return sum(text_length(item) for item in value)
    if isinstance(value, dict):
        return sum(
            len(item) if name == "text" and isinstance(item, str) else text_length(item)
            for name, item in value.items()
            if isinstance(item, (str, list, dict))
        )
    return 0


def elements_of(block: JsonObject) -> list[JsonObject]:
    """The interactive elements of a block: of actions, an accessory, an input's element."""
    if block.get("type") == "actions":
        elements = block.get("elements")
        candidates = elements if isinstance(elements, list) else []
    else:
        candidates = [block.get("accessory"), block.get("element")]
    return [element for element in candidates if isinstance(element, dict)]


def completed(blocks: Sequence[JsonObject]) -> tuple[JsonObject, ...]:
    """The blocks with an id for each block and interactive element that came without one."""
    return tuple(_complete(block) for block in blocks)


def _complete(block: JsonObject) -> JsonObject:
    done: JsonObject = {**block}
    if not done.get("block_id"):
        done["block_id"] = short_id()
    elements = done.get("elements")
    if done.get("type") == "actions" and isinstance(elements, list):
        done["elements"] = [_with_action_id(element) for element in elements]
    for name in ("accessory", "element"):
        if name in done:
            done[name] = _with_action_id(done[name])
    return done


def _with_action_id(element: JsonValue) -> JsonValue:
    if isinstance(element, dict) and element.get("type") != "image" and not element.get("action_id"):
        return {**element, "action_id": short_id()}
    return element


def find_element(
    blocks: Sequence[JsonObject], block_id: str, action_id: str
) -> tuple[JsonObject, JsonObject] | None:
    """The block and the element of those ids; None when there is no such element."""
    for block in blocks:
        if block.get("block_id") == block_id:
            for element in elements_of(block):
                if element.get("action_id") == action_id:
                    return block, element
    return None
