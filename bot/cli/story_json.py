"""What happened in a simulation for programs: one JSON object a line."""

from __future__ import annotations

import json
from datetime import datetime

from bot.cli.series import Span
from bot.cli.simulated import Replayed
from bot.cli.speech import Speaker
from bot.cli.story import first_page, named, reason_of, summary
from bot.config import Settings
from bot.domain.letters import LetterKind
from bot.engine.chronicle import Entry
from bot.store.changes import PageMade


def as_json(
    speaker: Speaker,
    settings: Settings,
    replayed: Replayed,
    before: Replayed | None,
    span: Span,
    *,
    everything: bool,
) -> None:
    """One JSON object a line: every event, then every alert, then the summary. Nothing is left out."""
    chronicle = replayed.chronicle
    for entry in chronicle.entries:
        speaker.line(_dumped(_event(speaker, entry)))
    for missing in replayed.missing:
        action = missing.action
        told = {"type": "missed_click", "at": missing.at.isoformat(), "event": action.kind.value}
        speaker.line(_dumped({**told, "by": action.by, "alert": action.alert_id}))
    for alert in chronicle.opened():
        first = first_page(alert, chronicle)
        speaker.line(
            _dumped(
                {
                    "type": "alert",
                    "id": alert.id,
                    "metric": alert.subject.metric,
                    "target": alert.subject.target,
                    "status": alert.status.value,
                    "peak_level": alert.peak_level.word,
                    "fired_at": alert.fired_at.isoformat() if alert.fired_at else None,
                    "resolved_at": alert.resolved_at.isoformat() if alert.resolved_at else None,
                    "seconds_to_first_page": first.total_seconds() if first is not None else None,
                    "pages": sum(page.alert_id == alert.id for page in chronicle.pages),
                    "reopened": alert.reopened,
                    "seen_by": list(alert.seen_by),
                }
            )
        )
    total: dict[str, object] = {"type": "summary", "rows": span.rows, "readings": span.readings}
    total |= {"begins": _iso(span.begins), "ends": _iso(span.ends), **summary(chronicle)}
    if before is not None:
        total["configured"] = summary(before.chronicle)
    speaker.line(_dumped(total))


def _event(speaker: Speaker, entry: Entry) -> dict[str, object]:
    alert = entry.alert
    told: dict[str, object] = {"type": "event", "at": entry.at.isoformat()}
    if alert is not None:
        told |= {
            "alert": alert.id,
            "metric": alert.subject.metric,
            "target": alert.subject.target,
            "status": "dropped" if entry.dropped else alert.status.value,
            "level": alert.level.word,
            "value": alert.value,
            "unit": alert.unit,
        }
    if entry.storm is not None:
        told["storm"] = entry.storm
    notes = [letter.facts["note"] for letter in entry.letters if letter.template == "alert_note"]
    told |= {
        "reason": entry.reason.value if entry.reason is not None else None,
        "why": reason_of(speaker, entry),
        "by": entry.actor,
        "posted": [letter.template for letter in entry.letters if letter.kind is LetterKind.CARD],
        "edited": any(letter.kind is LetterKind.EDIT for letter in entry.letters),
        "notes": notes,
        "paged": [_page(page) for page in entry.pages],
    }
    return told


def _page(page: PageMade) -> dict[str, object]:
    names = [named(recipient) for recipient in page.recipients]
    return {"who": names, "epoch": page.epoch, "round": page.round, "step": page.step}


def _dumped(told: dict[str, object]) -> str:
    return json.dumps(told, ensure_ascii=False)


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
