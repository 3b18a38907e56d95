"""What restic answers, read into values. Raises AnswerUnreadable for what is none of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue, TypeAdapter, ValidationError

from bot.domain.backup.repositories import RepositoryFacts
from bot.tools.restic.errors import ResticError

_COUNTED = re.compile(r"(\d+) / (\d+) (packs|snapshots)")
_FRACTION = re.compile(r"\.(\d{1,6})\d*")


class AnswerUnreadable(ResticError):
    """restic answered what nobody foresaw."""

    reason = "answer_unreadable"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot as a repository lists it."""

    id: str
    at: datetime
    tree: str
    paths: tuple[str, ...]
    tags: tuple[str, ...] = ()
    original: str | None = None
    """the snapshot that it is a copy of"""


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock in a repository."""

    id: str
    at: datetime
    host: str
    pid: int
    user: str
    exclusive: bool


@dataclass(frozen=True, slots=True)
class Summary:
    """What a backup did: bytes and files that were read, bytes that were new."""

    snapshot: str
    files: int
    size: int
    added: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far restic is; `unit` is `bytes`, `packs` or `snapshots`, `total` None while it is not known."""

    done: int
    total: int | None
    unit: str


_OBJECT: TypeAdapter[dict[str, JsonValue]] = TypeAdapter(dict[str, JsonValue])
_OBJECTS: TypeAdapter[list[dict[str, JsonValue]]] = TypeAdapter(list[dict[str, JsonValue]])


def progress_of(line: str) -> Progress | Summary | None:
    """What a line of standard output says of how far it is, or of how it ended; None for other lines."""
    if line.startswith("{"):
        try:
            told = json.loads(line)
        except ValueError:
            return None
        kind = told.get("message_type") if isinstance(told, dict) else None
        if kind == "status":
            total = told.get("total_bytes")
            return Progress(int(told.get("bytes_done", 0)), None if total is None else int(total), "bytes")
        if kind == "summary" and "snapshot_id" in told:
            return Summary(
                str(told["snapshot_id"]),
                int(told["total_files_processed"]),
                int(told["total_bytes_processed"]),
                int(told["data_added"]),
            )
        return None
    counted = _COUNTED.search(line)
    return None if counted is None else Progress(int(counted[1]), int(counted[2]), counted[3])


def snapshots_of(text: bytes) -> list[Snapshot]:
    """The answer to `snapshots --json`."""
    try:
        return [_snapshot(each) for each in _OBJECTS.validate_json(text.strip() or b"[]")]
    except (ValidationError, KeyError, ValueError) as error:
        raise AnswerUnreadable(type(error).__name__) from None


def lock_of(name: str, text: bytes) -> Lock:
    """The answer to `cat lock`."""
    try:
        told = _OBJECT.validate_json(text)
        return Lock(
            name,
            moment_of(str(told["time"])),
            str(told["hostname"]),
            int(str(told["pid"])),
            str(told["username"]),
            bool(told["exclusive"]),
        )
    except (ValidationError, KeyError, ValueError) as error:
        raise AnswerUnreadable(type(error).__name__) from None


def id_of(config: bytes) -> str:
    """The answer to `cat config`, as far as it says which repository that is."""
    try:
        return str(_OBJECT.validate_json(config)["id"])
    except (ValidationError, KeyError) as error:
        raise AnswerUnreadable(type(error).__name__) from None


def facts_of(config: bytes, keys: bytes) -> RepositoryFacts:
    """The answers to `cat config` and `key list`."""
    try:
        told = _OBJECT.validate_json(config)
        count = len(_OBJECTS.validate_json(keys))
        return RepositoryFacts(
            str(told["id"]), int(str(told["version"])), str(told["chunker_polynomial"]), count
        )
    except (ValidationError, KeyError, ValueError) as error:
        raise AnswerUnreadable(type(error).__name__) from None


def moment_of(text: str) -> datetime:
    """A moment as Go writes it, with nanoseconds that Python has no room for."""
    return datetime.fromisoformat(_FRACTION.sub(lambda found: f".{found[1]}", text))


def _snapshot(told: dict[str, JsonValue]) -> Snapshot:
    paths, tags = told["paths"], told.get("tags")
    original = told.get("original")
    return Snapshot(
        str(told["id"]),
        moment_of(str(told["time"])),
        str(told["tree"]),
        tuple(map(str, paths)) if isinstance(paths, list) else (),
        tuple(map(str, tags)) if isinstance(tags, list) else (),
        None if original is None else str(original),
    )
