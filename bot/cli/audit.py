"""`guardian audit verify` and `export`: the audit log, read beside a Guardian that runs."""

from __future__ import annotations

import asyncio
import csv
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Literal, TextIO
from zoneinfo import ZoneInfo

from bot.cli.speech import Speaker
from bot.config import Settings
from bot.domain.audit import Entry, Head, head_of, moment_text
from bot.domain.audit_faults import Fault, Verdict, Verifier
from bot.domain.oncall.localtime import moment_of
from bot.store.audit import AuditStore
from bot.store.database import Database
from bot.store.errors import StoreError, StoreUnavailable, StoreUnusable

WHOLE, FAULTY, UNUSABLE = 0, 1, 2
COLUMNS = tuple(Entry.__slots__)
_SHOWN = 100
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a cell begins with that a spreadsheet may take for a formula (OWASP, CSV Injection)."""


def verify(speaker: Speaker, settings: Settings, expected: Sequence[str]) -> int:
    """Look at every entry and name what is wrong: 0 nothing, 1 something, 2 the log can't be read. `expected`
    are heads that were noted before, `NUMBER:HASH`."""
    heads: list[Head] = []
    for text in expected:
        head = head_of(text)
        if head is None:
            speaker.complain("audit.bad_head", text=text)
            return UNUSABLE
        heads.append(head)

    async def look(store: AuditStore) -> int:
        verifier = Verifier(heads)
        async for entry in store.entries():
            verifier.take(entry)
        return _told(speaker, verifier.verdict())

    return _with_log(speaker, settings, look)


def export(
    speaker: Speaker,
    settings: Settings,
    form: Literal["jsonl", "csv"],
    since: str | None,
    until: str | None,
) -> int:
    """Print the entries by number: 0 done, 2 the log or a moment can't be read. `since` and `until` are days
    or moments in the configuration's time zone; a day is meant as a whole."""
    moments: list[datetime | None] = []
    for name, text in (("since", since), ("until", until)):
        moment = None if text is None else _moment(text, settings.zone, whole_day=name == "until")
        if text is not None and moment is None:
            speaker.complain("audit.bad_moment", option=name, text=text)
            return UNUSABLE
        moments.append(moment)
    begins, ends = moments
    if begins is not None and ends is not None and ends <= begins:
        speaker.complain("audit.backwards", since=since, until=until)
        return UNUSABLE

    async def write(store: AuditStore) -> int:
        bounds = [None if moment is None else moment_text(moment) for moment in moments]
        put = _csv(sys.stdout) if form == "csv" else _jsonl(sys.stdout)
        async for entry in store.entries(*bounds):
            put(entry)
        return WHOLE

    return _with_log(speaker, settings, write)


def _with_log(speaker: Speaker, settings: Settings, work: Callable[[AuditStore], Awaitable[int]]) -> int:
    async def run() -> int:
        async with _opened(settings.store_url) as database:
            return await work(AuditStore(database))

    try:
        return asyncio.run(run())
    except StoreUnusable as error:
        speaker.complain("audit.unusable", code=error.code, detail=error.detail)
    except StoreUnavailable as error:
        speaker.complain("audit.unusable", code="unavailable", detail=error.detail)
    except StoreError as error:
        speaker.complain("audit.unusable", code="unavailable", detail=str(error))
    return UNUSABLE


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Database]:
    database = await Database.open_to_read(url)
    try:
        yield database
    finally:
        await database.close()


def _told(speaker: Speaker, verdict: Verdict) -> int:
    for fault in verdict.faults[:_SHOWN]:
        speaker.line(speaker.phrase(f"audit.{fault.kind.value}", **_values(fault)))
    if verdict.total > _SHOWN:
        speaker.line(speaker.phrase("audit.more", count=verdict.total - _SHOWN))
    key = "whole" if verdict.is_whole else "faulty"
    speaker.line(
        speaker.phrase(f"audit.{key}", count=verdict.count, head=str(verdict.head), faults=verdict.total)
    )
    return WHOLE if verdict.is_whole else FAULTY


def _values(fault: Fault) -> dict[str, object]:
    entry = fault.entry
    return {
        "place": f"#{fault.first}" if fault.first == fault.last else f"#{fault.first}–#{fault.last}",
        "count": fault.last - fault.first + 1,
        "origin": fault.origin,
        "expected": "" if fault.expected is None else str(fault.expected),
        "found": "" if entry is None else f"{entry.number}:{entry.hash}",
        "entry": ""
        if entry is None
        else " · ".join(
            each[:80] for each in (entry.at, entry.actor, entry.action, entry.subject, entry.outcome)
        ),
    }


def _moment(text: str, zone: ZoneInfo, *, whole_day: bool) -> datetime | None:
    """The moment that a day or a moment in ISO 8601 means; None if it is none."""
    text = text.strip()
    try:
        moment = datetime.fromisoformat(text)
        if len(text) == len("2026-03-01"):
            day = moment.date() + timedelta(days=1 if whole_day else 0)
            return moment_of(day, moment.time(), zone)
        if moment.tzinfo is None:
            return moment_of(moment.date(), moment.time(), zone)
        moment_text(moment)  # a moment before the year 1 in UTC
    except (ValueError, OverflowError):
        return None
    return moment


def _jsonl(out: TextIO) -> Callable[[Entry], None]:
    def put(entry: Entry) -> None:
        row = {name: getattr(entry, name) for name in COLUMNS}
        out.write(json.dumps(row, ensure_ascii=False) + "\n")

    return put


def _csv(out: TextIO) -> Callable[[Entry], None]:
    out.write("\ufeff")  # without it Excel takes UTF-8 for something else, and Korean with it
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)

    def put(entry: Entry) -> None:
        writer.writerow([_cell(getattr(entry, name)) for name in COLUMNS])

    return put


def _cell(value: int | str | None) -> str:
    """The value as text that no spreadsheet works out: an apostrophe before what looks like a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
