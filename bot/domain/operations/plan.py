"""A plan: exactly what an operation will do, step by step, and how each step is undone.

What is approved is its hash. At execution the facts are gathered again and the plan is made anew: another
hash is refused, with the difference shown (`difference`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import TypeAlias

from pydantic import JsonValue

JsonObject: TypeAlias = Mapping[str, JsonValue]
_Path: TypeAlias = tuple[str | int, ...]

_HEADING = b"guardian plan 1\n"
_LONG = 120
"""characters of one value in a difference"""


class OnFailure(StrEnum):
    """What follows when a step fails."""

    UNDO_STEP = "undo_step"
    """that step is undone, and the next one is done all the same: the stages of a cleanup"""
    UNDO_ALL = "undo_all"
    """that step and all before it are undone, the last first, and the run ends"""
    STOP = "stop"
    """the run ends; nothing that was done needs undoing"""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. What it is called is in the phrases, `operations.step.NAME`, with `params` as values;
    how it is undone in `operations.undo.UNDO`, None when there is nothing to undo."""

    name: str
    params: JsonObject = field(default_factory=dict)
    undo: str | None = None


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A file that belongs to the plan, such as the full list of a cleanup: its bytes are what is approved."""

    name: str
    """as people see it"""
    path: str
    """where it is on this machine; not part of the hash"""
    sha256: str
    """of its content"""


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be done. Everything but the places of files is bound by `hash`."""

    operation: str
    """`cleanup`"""
    subject: str
    """what it works on, and so what is locked: `host:web-1`, `production`"""
    at: datetime
    """the moment that it was made for: ages count up to it, then and when it is made anew"""
    steps: tuple[Step, ...]
    shown: JsonObject = field(default_factory=dict)
    """what the card shows beside the steps: figures, warnings, the backup that it stands on"""
    files: tuple[PlanFile, ...] = ()
    on_failure: OnFailure = OnFailure.UNDO_ALL
    touches: tuple[str, ...] = ()
    """what else is locked while it runs: runs that share a subject exclude each other"""
    aside: JsonObject = field(default_factory=dict)
    """what the card shows and nobody approves, such as how many alerts are open; not part of the hash"""
    topic: str = ""
    """what it is about within its subject, where that is not all of it: which backup is restored to where.
    Not part of the hash: the steps say it"""

    @property
    def subjects(self) -> tuple[str, ...]:
        """All that is locked while it runs."""
        return (self.subject, *self.touches)

    def replaces(self, older: Plan) -> bool:
        """Whether an older plan that nobody has approved yet makes way for this one."""
        mine = (self.operation, self.subject, self.topic)
        return mine == (older.operation, older.subject, older.topic)

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical form, 64 hexadecimal digits."""
        return sha256(_HEADING + canonical(self)).hexdigest()

    def as_json(self) -> dict[str, JsonValue]:
        """As the database keeps it; `plan_of` reads it."""
        return {
            **_bound(self),
            "files": [{"name": each.name, "path": each.path, "sha256": each.sha256} for each in self.files],
            "aside": dict(self.aside),
            "topic": self.topic,
        }


def plan_of(data: JsonObject) -> Plan:
    """The plan that `as_json` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    steps, files, touches = data["steps"], data["files"], data.get("touches", [])
    shown, aside = data["shown"], data.get("aside", {})
    if not isinstance(steps, list) or not isinstance(files, list) or not isinstance(touches, list):
        raise TypeError("a plan has lists of steps and files")
    if not isinstance(shown, Mapping) or not isinstance(aside, Mapping):
        raise TypeError("what a plan shows is an object")
    return Plan(
        operation=str(data["operation"]),
        subject=str(data["subject"]),
        at=datetime.fromisoformat(str(data["at"])),
        steps=tuple(map(_step_of, steps)),
        shown=shown,
        files=tuple(map(_file_of, files)),
        on_failure=OnFailure(str(data["on_failure"])),
        touches=tuple(map(str, touches)),
        aside=aside,
        topic=str(data.get("topic", "")),
    )


def canonical(plan: Plan) -> bytes:
    """What the hash is taken of: JSON with sorted keys and no blanks, UTF-8."""
    text = json.dumps(_bound(plan), ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return text.encode()


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is otherwise than in the plan that was approved; None where it is absent."""

    path: str
    """where: `steps.0.params.count`"""
    before: str | None
    after: str | None


def difference(approved: Plan, now: Plan) -> tuple[Difference, ...]:
    """What changed between two plans, in the order of the plan; nothing when their hashes are equal, and only
    then."""
    before, after = dict(_leaves(_bound(approved), ())), dict(_leaves(_bound(now), ()))
    return tuple(
        Difference(".".join(map(str, path)), *_told(before.get(path), after.get(path)))
        for path in dict.fromkeys((*before, *after))
        if before.get(path) != after.get(path)
    )


def _bound(plan: Plan) -> dict[str, JsonValue]:
    # Only where there are any: plans that were approved before there were have hashes without them.
    touches: dict[str, JsonValue] = {"touches": list(plan.touches)} if plan.touches else {}
    return {
        "operation": plan.operation,
        "subject": plan.subject,
        "at": plan.at.isoformat(),
        "steps": [{"name": step.name, "params": dict(step.params), "undo": step.undo} for step in plan.steps],
        "shown": dict(plan.shown),
        "files": [{"name": each.name, "sha256": each.sha256} for each in plan.files],
        "on_failure": plan.on_failure.value,
        **touches,
    }


def _step_of(data: JsonValue) -> Step:
    if not isinstance(data, Mapping) or not isinstance(data["params"], Mapping):
        raise TypeError("a step is an object with params")
    undo = data["undo"]
    return Step(str(data["name"]), data["params"], None if undo is None else str(undo))


def _file_of(data: JsonValue) -> PlanFile:
    if not isinstance(data, Mapping):
        raise TypeError("a file is an object")
    return PlanFile(str(data["name"]), str(data["path"]), str(data["sha256"]))


def _leaves(node: JsonValue, path: _Path) -> Iterator[tuple[_Path, str]]:
    """Every value as JSON with its path; empty lists and objects are values too."""
    if isinstance(node, dict) and node:
        for name in sorted(node) if len(path) > 2 else node:
            yield from _leaves(node[name], (*path, name))
    elif isinstance(node, list) and node:
        for index, child in enumerate(node):
            yield from _leaves(child, (*path, index))
    else:
        yield path, json.dumps(node)


def _told(before: str | None, after: str | None) -> tuple[str | None, str | None]:
    """Two values (JSON) for people to see how they differ: texts without their quotes unless these are the
    difference, and long ones from where they part."""
    if before is None or after is None:
        return _whole(before), _whole(after)
    one, other = _text(before), _text(after)
    if one == other:
        one, other = before, after
    pairs = enumerate(zip(one, other, strict=False))
    same = next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
    start = 0 if same < _LONG // 2 else same - _LONG // 4
    return _cut(one, start), _cut(other, start)


def _whole(value: str | None) -> str | None:
    return None if value is None else _cut(_text(value))


def _text(value: str) -> str:
    return str(json.loads(value)) if value.startswith('"') else value


def _cut(text: str, start: int = 0) -> str:
    """So much of it as fits, from `start` on if it does not."""
    if len(text) <= _LONG:
        return text
    part = text[start:] if start == 0 else "…" + text[start + 1 :]
    return part if len(part) <= _LONG else part[: _LONG - 1] + "…"
