"""The card of an operation: its plan with the undo of each step, who decided, how far it is, buttons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from string import hexdigits

from pydantic import JsonValue
from slackblocks import Block
from slackblocks.elements import Element

from messages import blocks
from messages.blocks import Draft
from messages.cards.readings import rows
from messages.templates import Words

_STEPS = 20
_COMPARED = ("green", "blue")
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
    if planned:
        for name in ("plan", "aside"):
            text = words(name, op) if op["shown"] else ""
            if text:
                body.append(blocks.section(name, text))
    steps = rows(op["steps"])
    told = _told(words, op, steps[:_STEPS], planned)
    if len(steps) > _STEPS:
        told.append(words("more_steps", len(steps) - _STEPS))
    if planned and (_is_first(op) or all(step["undo"] is None for step in steps)):
        told.append(words("no_undo", op))
    # What is now, and why it ended so, is read before what was.
    if op["progress"] is not None:
        body.append(blocks.section("progress", words("progress", op), fields=_sides(words, op)))
    why = words("why", op)
    if why:
        body.append(blocks.section("why", why))
    if told:
        body.append(blocks.section("steps", "\n".join(told)))
    body.append(blocks.section("people", words("people_line", op)))
    offered = _buttons(words, op)
    if offered:
        body.append(blocks.actions(f"operation:{op['id']}", *offered))
    body.append(blocks.context("small", words("small", op)))
    color = _COLORS.get(str(op["state"]), "info")
    top = blocks.section("headline", f"*{headline}*")
    return Draft(headline, (top,), (blocks.attachment(color, body, headline),))


def _is_first(op: Mapping[str, JsonValue]) -> bool:
    """Whether it deploys a release before which there was none: there is no way back."""
    shown = op["shown"]
    return isinstance(shown, Mapping) and shown.get("has_blue") is False


def _told(
    words: Words, op: Mapping[str, JsonValue], steps: Sequence[Mapping[str, JsonValue]], planned: bool
) -> list[str]:
    """A text for each step; steps of a kind that have not begun are one where their family has words for
    that."""
    told: list[str] = []
    number = 1
    for _, run in groupby(steps, key=lambda step: (step["name"], step["undo"], step["state"])):
        alike = list(run)
        together = ""
        if len(alike) > 1 and alike[0]["state"] is None:
            together = words("steps", op, alike, number, planned)
        if together:
            told.append(together)
        else:
            told += [_one(words, op, step, number + at, planned) for at, step in enumerate(alike)]
        number += len(alike)
    return told


def _one(
    words: Words, op: Mapping[str, JsonValue], step: Mapping[str, JsonValue], number: int, planned: bool
) -> str:
    text = words("step", op, step, number, planned)
    figures = words("figures", op, step) if planned else ""
    if not figures:
        return text
    name, *rest = text.splitlines()
    return "\n".join([name, figures, *rest])


def _sides(words: Words, op: Mapping[str, JsonValue]) -> list[str]:
    """What the step under way compares, side by side."""
    progress = op["progress"]
    if not isinstance(progress, Mapping) or not progress.get("detail"):
        return []
    return [words("beside", op, side) for side in _COMPARED]


def _buttons(words: Words, op: Mapping[str, JsonValue]) -> list[Element]:
    approve, deny, withdraw, glass, stop, undo, again, backup, hold, go, back = words("buttons").splitlines()
    digits = "".join(each for each in str(op["plan_hash"]) if each in hexdigits)[:64]
    value: dict[str, JsonValue] = {"id": op["id"], "hash": digits}
    state = str(op["state"])
    if state == "pending" and op["operation"] == "rollback":
        # It needs no second person, so that there is no glass to break.
        return [
            blocks.button(back, "op_approve", value, primary=True),
            blocks.danger(deny, "op_deny", value),
            blocks.button(withdraw, "op_cancel", value),
        ]
    if state == "pending":
        return [
            blocks.button(approve, "op_approve", value, primary=True),
            blocks.danger(deny, "op_deny", value),
            blocks.button(withdraw, "op_cancel", value),
            blocks.button(glass, "op_glass", value),
        ]
    if state == "queued":
        return [blocks.button(withdraw, "op_cancel", value)]
    if state == "undoing":
        return []
    if state == "running":
        if op["stopped_by"] is not None or op["operation"] == "rollback":
            return []  # half-way back is worse than either end
        controls = _controls(op)
        if not controls:
            # Of a deployment 중단 means to stay where it is, and there is nothing to stay at yet.
            return [blocks.danger(back if op["operation"] == "deploy" else stop, "op_stop", value)]
        # A deployment can stay where it is, and what ends it is called by what that means there.
        known = {
            "hold": blocks.button(hold, "op_hold", value),
            "go": blocks.button(go, "op_go", value),
            "stop": blocks.danger(back, "op_stop", value),
        }
        return [known[name] for name in controls if name in known]
    offered: list[Element] = []
    if op["undo_until"] is not None:
        offered.append(blocks.danger(undo, "op_undo", value))
    if op["remedy"] == "backup":
        offered.append(blocks.button(backup, "op_remedy", value, primary=True))
    if state in _AGAIN:
        offered.append(blocks.button(again, "op_again", value))
    return offered


def _controls(op: Mapping[str, JsonValue]) -> list[str]:
    """The buttons that the step under way offers."""
    progress = op["progress"]
    controls = progress.get("controls") if isinstance(progress, Mapping) else None
    return [str(each) for each in controls] if isinstance(controls, list) else []
