"""Block Kit pieces that keep Slack's limits: slackblocks checks them, `clip` sees that it need not refuse.

Every block gets an id that says what it is, so that an edited card keeps its ids and tests can name parts.
Texts come escaped; `verbatim` keeps Slack from turning `@channel` or `#general` inside them into mentions.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue, TypeAdapter
from slackblocks import (
    ActionsBlock,
    Attachment,
    Block,
    Button,
    ColumnSettings,
    ConfirmationDialogue,
    ContextBlock,
    DividerBlock,
    HeaderBlock,
    ImageBlock,
    InputBlock,
    Markdown,
    Option,
    OverflowMenu,
    PlainText,
    PlainTextInput,
    RawText,
    SectionBlock,
    StaticSelectMenu,
    TableBlock,
)
from slackblocks.elements import Element
from slackblocks.objects import CompositionObject, SlackFile

from messages.escape import clip, literal_text

BUDGET = 12_000
"""Characters of all blocks of one message as JSON; Slack answers `msg_blocks_too_long` at about 13,200."""
HOME_BUDGET = 100_000
"""The same for a Home tab, whose limit is 250 kB (a Korean letter takes three bytes)."""
TABLE_ROWS = 100

COLORS = {
    "info": "#1e88e5",
    "warning": "#fbc02d",
    "error": "#f57c00",
    "critical": "#d32f2f",
    "emergency": "#7b1fa2",
    "resolved": "#2e7d32",
}
"""The bar beside a card: blue, yellow, orange, red, purple as in the source document; green when resolved."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a layout makes: the text that notifications show, and the blocks."""

    text: str
    blocks: tuple[Block, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    limit: int = 3000
    """characters of the text, which is what notifications show where there are blocks"""


_JSON = TypeAdapter(dict[str, JsonValue])


def header(block_id: str, text: str) -> HeaderBlock:
    """A large plain line, at most 150 characters. Never for users' text: plain text keeps its entities."""
    return HeaderBlock(PlainText(clip(text, 150), emoji=True), block_id=block_id)


def section(
    block_id: str, text: str, *, fields: Sequence[str] = (), accessory: Element | None = None
) -> SectionBlock:
    """A text of at most 3,000 characters with at most ten fields of 2,000."""
    shown = [Markdown(clip(each, 500), verbatim=True) for each in fields if each][:10]
    return SectionBlock(
        Markdown(clip(text, 2900), verbatim=True) if text else None,
        block_id=block_id,
        fields=list(shown) or None,
        accessory=accessory,
    )


def context(block_id: str, *texts: str) -> ContextBlock:
    """Small grey texts, at most ten."""
    shown: list[Element | CompositionObject] = [
        Markdown(clip(each, 1000), verbatim=True) for each in texts if each
    ]
    return ContextBlock(shown[:10], block_id=block_id)


def actions(block_id: str, *elements: Element) -> ActionsBlock:
    """A row of buttons and menus."""
    return ActionsBlock(list(elements), block_id=block_id)


def divider(block_id: str) -> DividerBlock:
    """A line across."""
    return DividerBlock(block_id=block_id)


def image(block_id: str, file_id: str, alt_text: str) -> ImageBlock:
    """A picture that the app has uploaded (`F…`). The text for those who can't see it is plain, and Slack
    wants one: at most 2,000 characters."""
    alt = literal_text(alt_text, 500)
    return ImageBlock(slack_file=SlackFile(None, file_id), alt_text=alt, block_id=block_id)


def button(text: str, action_id: str, value: dict[str, JsonValue], *, primary: bool = False) -> Button:
    """A button whose value is that JSON object."""
    return Button(
        PlainText(text, emoji=True),
        action_id=action_id,
        value=json.dumps(value, ensure_ascii=False, separators=(",", ":")),
        style="primary" if primary else None,
    )


def danger(
    text: str, action_id: str, value: dict[str, JsonValue], confirm: tuple[str, str, str, str] | None = None
) -> Button:
    """A red button whose value is that JSON object. `confirm`: title, text (plain), yes and no of a question
    that is asked first."""
    made = button(text, action_id, value)
    made.style = "danger"
    if confirm is not None:
        title, question, yes, no = (literal_text(each, 300) for each in confirm)
        made.confirm = ConfirmationDialogue(
            PlainText(title[:100]), PlainText(question), PlainText(yes[:30]), PlainText(no[:30]), "danger"
        )
    return made


def select(
    block_id: str,
    label: str,
    action_id: str,
    options: Sequence[tuple[str, str]],
    initial: int = 0,
    *,
    dispatch: bool = False,
) -> InputBlock:
    """A field of a form: one of several (text, value). `dispatch`: a choice is told at once."""
    choices = [Option(PlainText(text, emoji=True), value) for text, value in options]
    menu = StaticSelectMenu(action_id, choices, initial_option=choices[initial])
    return InputBlock(PlainText(label), menu, dispatch, block_id)


def text_field(block_id: str, label: str, action_id: str, hint: str, most: int) -> InputBlock:
    """A field of a form: a line of at most `most` characters."""
    field = PlainTextInput(action_id, max_length=most)
    return InputBlock(PlainText(label), field, block_id=block_id, hint=PlainText(hint))


def overflow(action_id: str, options: Sequence[tuple[str, str]]) -> OverflowMenu:
    """A menu of at most five (text, value)."""
    return OverflowMenu(action_id, [Option(PlainText(text, emoji=True), value) for text, value in options])


def table(block_id: str, head: Sequence[str], rows: Sequence[Sequence[str]], cell: int = 60) -> TableBlock:
    """A table with a head and at most 99 rows of escaped texts, cut at `cell` characters."""
    cells = [[RawText(literal_text(each, cell)) for each in row] for row in (head, *rows)]
    return TableBlock(
        rows=[list(row) for row in cells],
        column_settings=[ColumnSettings(is_wrapped=True) for _ in head],
        block_id=block_id,
    )


def attachment(level: str, blocks: Sequence[Block], fallback: str) -> Attachment:
    """The blocks with a bar in the colour of that level (`COLORS`) beside them."""
    return Attachment(list(blocks), color=COLORS[level], fallback=clip(fallback, 500))


def length(blocks: Sequence[Block]) -> int:
    """How many characters the blocks take as JSON."""
    return len(json.dumps([block._resolve() for block in blocks], ensure_ascii=False))


def as_json(thing: Block | Attachment) -> dict[str, JsonValue]:
    """What is sent for that block or attachment."""
    return _JSON.validate_python(thing._resolve())
