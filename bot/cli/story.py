"""How `guardian simulate` tells what happened: a time line, the alerts, and what it comes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.cli.series import Span
from bot.cli.series_bands import bands_of
from bot.cli.simulated import Missing, Replayed
from bot.cli.speech import Speaker, table
from bot.config import Settings
from bot.domain.alerts.ladder import Recipient, TargetKind
from bot.domain.alerts.model import Alert, Condition
from bot.domain.alerts.reasons import Reason
from bot.domain.letters import LetterKind
from bot.domain.levels import Level
from bot.engine.chronicle import Chronicle, Entry

_REFUSALS = (Reason.STILL_BAD, Reason.ACK_STALE, Reason.ACK_ALREADY, Reason.NOT_OPEN)


def as_text(
    speaker: Speaker,
    settings: Settings,
    replayed: Replayed,
    before: Replayed | None,
    span: Span,
    *,
    everything: bool,
) -> None:
    """Tables for people. `before` is what would have happened with the configuration's own bands."""
    teller = _Teller(speaker, settings.zone, span)
    rows = [row for moment, row in teller.time_line(replayed, everything=everything)]
    headings = ("at", "alert", "level", "value", "what", "why")
    if rows:
        table([speaker.phrase(f"simulate.{heading}") for heading in headings], rows)
    else:
        speaker.line(speaker.phrase("simulate.nothing"))
    alerts = replayed.chronicle.opened()
    if alerts:
        speaker.line()
        names = ("alert", "peak", "opened_at", "lasted", "first_page", "pages", "seen_by")
        table(
            [speaker.phrase(f"simulate.{name}") for name in names],
            [teller.alert(alert, replayed.chronicle, span.ends) for alert in alerts],
        )
    speaker.line()
    teller.figures(replayed.chronicle, before.chronicle if before is not None else None)
    pages = Counter(page.metric for page in replayed.chronicle.pages)
    if before is None and alerts:
        metrics = [metric for metric, _ in pages.most_common()] + [each.subject.metric for each in alerts]
        metric = next((metric for metric in metrics if bands_of(settings, metric)), None)
        if metric is not None:
            bands = bands_of(settings, metric).items()
            texts = ", ".join(f"{key}: {text}" for key, text in bands if key != "target")
            speaker.line()
            speaker.line(speaker.phrase("simulate.hint", metric=metric, bands=texts))


def first_page(alert: Alert, chronicle: Chronicle) -> timedelta | None:
    """How long after it fired the first page went out; None if none did."""
    pages = [page.at for page in chronicle.pages if page.alert_id == alert.id]
    return min(pages) - alert.fired_at if pages and alert.fired_at is not None else None


def named(recipient: Recipient) -> str:
    """A recipient as the configuration writes it."""
    match recipient.kind:
        case TargetKind.CHANNEL:
            return f"#{recipient.id}"
        case TargetKind.GROUP | TargetKind.APPRISE:
            return f"{recipient.kind.value}:{recipient.id}"
    return recipient.id


class _Teller:
    """Puts what happened into the rows of tables."""

    def __init__(self, speaker: Speaker, zone: ZoneInfo, span: Span) -> None:
        self._speaker = speaker
        self._zone = zone
        ends = (span.begins, span.ends)
        days = {moment.astimezone(zone).date() for moment in ends if moment is not None}
        self._format = "%H:%M:%S" if len(days) == 1 else "%m-%d %H:%M:%S"

    def time_line(self, replayed: Replayed, *, everything: bool) -> Iterator[tuple[datetime, list[str]]]:
        """The rows in order; repeats, false starts and what nobody sees only with `everything`."""
        entries = (entry for entry in replayed.chronicle.entries if everything or _is_news(entry))
        told = [(entry.at, self._entry(entry)) for entry in entries]
        told += [(missing.at, self._missing(missing)) for missing in replayed.missing]
        return iter(sorted(told, key=lambda each: each[0]))

    def alert(self, alert: Alert, chronicle: Chronicle, ends: datetime | None) -> list[str]:
        """One alert in the list of all."""
        say = self._speaker.phrase
        until = alert.resolved_at or ends
        lasted = until - alert.fired_at if until is not None and alert.fired_at is not None else timedelta(0)
        first = first_page(alert, chronicle)
        return [
            self._name(alert),
            say("probe.level", level=alert.peak_level.word),
            self._at(alert.fired_at) if alert.fired_at else "",
            say("simulate.for", seconds=lasted.total_seconds(), open=alert.status.is_open),
            say("simulate.after", seconds=first.total_seconds()) if first is not None else "–",
            str(sum(page.alert_id == alert.id for page in chronicle.pages)),
            ", ".join(alert.seen_by) or "–",
        ]

    def figures(self, now: Chronicle, before: Chronicle | None) -> None:
        """What it comes to, beside what it would have been with the configuration's own bands."""
        say = self._speaker.phrase
        columns = [now] if before is None else [before, now]
        rows = []
        for name in ("alerts", "reopened", "false_starts", "cards", "notes", "edits", "paged"):
            rows.append([say(f"simulate.{name}"), *(str(summary(each)[name]) for each in columns)])
        whom = dict.fromkeys(name for each in columns for name in _paged(each))
        for name in whom:
            rows.append(
                [say("simulate.paged_whom", name=name), *(str(_paged(each)[name]) for each in columns)]
            )
        firsts = [_first_pages(each) for each in columns]
        rows.append([say("simulate.first_pages"), *(say("simulate.spread", **first) for first in firsts)])
        for level in (None, *Level):
            times = [each.worst_for.get(level, timedelta(0)).total_seconds() for each in columns]
            if any(times):
                label = say("simulate.time_at", level=level.word if level is not None else "")
                rows.append([label, *(say("simulate.after", seconds=seconds) for seconds in times)])
        heads = ["simulate.figure", "simulate.count"]
        if before is not None:
            heads = ["simulate.figure", "simulate.configured", "simulate.other_bands"]
        table([say(head) for head in heads], rows)

    def _entry(self, entry: Entry) -> list[str]:
        say = self._speaker.phrase
        alert = entry.alert
        if alert is None:
            name = say("simulate.storm", number=entry.storm)
            return [self._at(entry.at), name, "", "", self._what(entry), say("simulate.storm_why")]
        value = ""
        if alert.value is not None and alert.subject.condition is Condition.THRESHOLD:
            value = say("probe.value", value=alert.value, unit=alert.unit, metric=alert.subject.metric)
        level = say("probe.level", level=alert.level.word)
        return [
            self._at(entry.at),
            self._name(alert),
            level,
            value,
            self._what(entry),
            reason_of(self._speaker, entry),
        ]

    def _missing(self, missing: Missing) -> list[str]:
        action, say = missing.action, self._speaker.phrase
        about = f"#{action.alert_id}" if action.alert_id is not None else action.metric
        what = say("simulate.click", kind=action.kind.value, by=action.by)
        return [self._at(missing.at), about, "", "", what, say("simulate.missed", kind=action.kind.value)]

    def _what(self, entry: Entry) -> str:
        say = self._speaker.phrase
        parts: list[str] = []
        notes = [str(letter.facts["note"]) for letter in entry.letters if letter.template == "alert_note"]
        for letter in entry.letters:
            if letter.kind is LetterKind.CARD and letter.template != "page":
                parts.append(say("simulate.card", channel=letter.channel))
        parts += [say("simulate.note", note=note) for note in notes]
        if any(letter.template == "storm_digest" for letter in entry.letters):
            parts.append(say("simulate.storm_lines"))
        if not parts and not entry.pages and any(letter.kind is LetterKind.EDIT for letter in entry.letters):
            parts.append(say("simulate.edit"))
        if entry.alert is not None and entry.alert.storm is not None and not entry.letters:
            parts.append(say("simulate.in_storm", number=entry.alert.storm))
        if entry.actor is not None:
            parts.append(entry.actor)
        for page in entry.pages:
            names = ", ".join(named(recipient) for recipient in page.recipients)
            parts.append(say("simulate.page", names=names, step=page.step, round=page.round))
        return " · ".join(parts) or say("simulate.silent")

    def _name(self, alert: Alert) -> str:
        metric = alert.title or self._speaker.phrase("metric", metric=alert.subject.metric)
        return f"#{alert.id} {metric} {alert.subject.target}"

    def _at(self, moment: datetime) -> str:
        return moment.astimezone(self._zone).strftime(self._format)


def reason_of(speaker: Speaker, entry: Entry) -> str:
    """The sentence of the reason. What is no decision of its own has the reason of the alert as it stands."""
    reason = entry.reason or (entry.alert.reason if entry.alert is not None else None)
    return "" if reason is None else speaker.voice.phrase(f"reasons.{reason.value}")


def _is_news(entry: Entry) -> bool:
    """Whether it belongs into the time line: somebody sees something new, or would have but for a cover, or
    was refused. A card that is only drawn again says nothing new."""
    if entry.dropped:
        return False
    if entry.pages or entry.reason is Reason.COVERED or entry.reason in _REFUSALS:
        return True
    return any(letter.kind is not LetterKind.EDIT for letter in entry.letters)


def summary(chronicle: Chronicle) -> dict[str, object]:
    letters = [letter for entry in chronicle.entries for letter in entry.letters]
    kinds = Counter(letter.kind for letter in letters)
    alerts = chronicle.opened()
    return {
        "alerts": len(alerts),
        "reopened": sum(alert.reopened for alert in alerts),
        "false_starts": chronicle.false_starts,
        "cards": kinds[LetterKind.CARD],
        "notes": kinds[LetterKind.NOTE],
        "edits": kinds[LetterKind.EDIT],
        "paged": len(chronicle.pages),
        "paged_by": dict(_paged(chronicle)),
        "seconds_to_first_page": _first_pages(chronicle),
        "seconds_at": {
            "none" if level is None else level.word: length.total_seconds()
            for level, length in chronicle.worst_for.items()
        },
    }


def _paged(chronicle: Chronicle) -> Counter[str]:
    return Counter(named(recipient) for page in chronicle.pages for recipient in page.recipients)


def _first_pages(chronicle: Chronicle) -> dict[str, float | None]:
    firsts = [first_page(alert, chronicle) for alert in chronicle.opened()]
    seconds = [first.total_seconds() for first in firsts if first is not None]
    if not seconds:
        return {"mean": None, "longest": None}
    return {"mean": sum(seconds) / len(seconds), "longest": max(seconds)}
