"""The card of an operation: its plan with the undo of each step, who decided, how far it is, buttons."""

from __future__ import annotations

from collections.abc import Mapping
from string import hexdigits

from pydantic import JsonValue
from slackblocks import Block
from slackblocks.elements import Element

from messages import blocks
from messages.blocks import Draft
from messages.cards.readings import rows
from messages.templates import Words

_STEPS = 20
_COLORS = {
    "pending": "info",
    "queued": "info",
    "running": "warning",
    "undoing": "error",
    "done": "resolved",
    "partial": "error",
    "stopped": "warning",
    "undone": "error",
    "failed": "critical",
    "changed": "warning",
    "refused": "warning",
}
_PLANNED = ("pending", "queued")
"""Before it begins the figures of each step are shown, afterwards what came of it."""
_AGAIN = ("changed", "expired", "refused")


def layout(words: Words, op: Mapping[str, JsonValue]) -> Draft:
    """The headline, and beside a bar in the colour of its state the rest (`OperationFacts`)."""
    headline = words("headline", op)
    body: list[Block] = []
    planned = op["state"] in _PLANNED
    plan = words("plan", op) if planned and op["shown"] else ""
    if plan:
        body.append(blocks.section("plan", plan))
    steps = rows(op["steps"])
    told = [words("step", op, step, number) for number, step in enumerate(steps[:_STEPS], start=1)]
    if planned:
        for number, step in enumerate(steps[:_STEPS]):
            figures = words("figures", op, step)
            if figures:
                name, *rest = told[number].splitlines()
                told[number] = "\n".join([name, figures, *rest])
    if len(steps) > _STEPS:
        told.append(words("more_steps", len(steps) - _STEPS))
    if planned and all(step["undo"] is None for step in steps):
        told.append(words("no_undo"))
    if told:
        body.append(blocks.section("steps", "\n".join(told)))
    if op["progress"] is not None:
        body.append(blocks.section("progress", words("progress", op)))
    why = words("why", op)
    if why:
        body.append(blocks.section("why", why))
    body.append(blocks.section("people", words("people_line", op)))
    offered = _buttons(words, op)
    if offered:
        body.append(blocks.actions(f"operation:{op['id']}", *offered))
    body.append(blocks.context("small", words("small", op)))
    color = _COLORS.get(str(op["state"]), "info")
    top = blocks.section("headline", f"*{headline}*")
    return Draft(headline, (top,), (blocks.attachment(color, body, headline),))


def _buttons(words: Words, op: Mapping[str, JsonValue]) -> list[Element]:
    approve, deny, withdraw, glass, stop, undo, again, backup = words("buttons").splitlines()
    digits = "".join(each for each in str(op["plan_hash"]) if each in hexdigits)[:64]
    value: dict[str, JsonValue] = {"id": op["id"], "hash": digits}
    state = str(op["state"])
    if state == "pending":
        return [
            blocks.button(approve, "op_approve", value, primary=True),
            blocks.danger(deny, "op_deny", value),
            blocks.button(withdraw, "op_cancel", value),
            blocks.button(glass, "op_glass", value),
        ]
    if state == "queued":
        return [blocks.button(withdraw, "op_cancel", value)]
    if state in ("running", "undoing"):
        return [] if op["stopped_by"] is not None else [blocks.danger(stop, "op_stop", value)]
    offered: list[Element] = []
    if op["undo_until"] is not None:
        offered.append(blocks.danger(undo, "op_undo", value))
    if op["remedy"] == "backup":
        offered.append(blocks.button(backup, "op_remedy", value, primary=True))
    if state in _AGAIN:
        offered.append(blocks.button(again, "op_again", value))
    return offered
