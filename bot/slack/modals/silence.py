"""The form for a silence about one alert, opened from its card."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from datetime import timedelta

import structlog

from bot.engine.guardian import Guardian
from bot.slack.replies import Replies
from bot.store.errors import StoreUnavailable
from messages.cards.silence_modal import LENGTH, REASON
from messages.cover_facts import CoverRefusedFacts, SilenceDoneFacts

log = structlog.get_logger(__name__)

CALLBACK = "silence_alert"
_PATIENCE_SECONDS = 2.0
"""Slack waits three for the answer to a form."""


async def open_silence_modal(replies: Replies, guardian: Guardian, trigger_id: str, alert_id: int) -> bool:
    """Open the form for that alert; False if the alert is no more. `trigger_id` is good for three seconds."""
    facts = guardian.covers.modal(alert_id)
    if facts is None:
        return False
    await replies.open_modal(trigger_id, "silence_modal", facts, CALLBACK, str(alert_id))
    return True


async def submitted(
    replies: Replies,
    guardian: Guardian,
    view: Mapping[str, object],
    user_id: str,
    patience: float = _PATIENCE_SECONDS,
) -> dict[str, str]:
    """Somebody sent the form: what is wrong with it, by field; nothing if it is done. Never raises.

    What takes longer than `patience` seconds goes on, and the form says so: sent again, it would be done
    twice.
    """
    values = _values(view)
    number, seconds = str(view.get("private_metadata", "")), values.get(LENGTH, "")
    if not number.isdecimal() or not seconds.isdecimal():
        return {REASON: replies.phrase("covers.modal.gone")}
    length = timedelta(seconds=min(int(seconds[:9]), 10**8))
    work = guardian.covers.silence_alert(int(number), length, user_id, values.get(REASON, ""))
    task = asyncio.ensure_future(work)
    done, _ = await asyncio.wait([task], timeout=patience)
    if not done:
        task.add_done_callback(_late)
        return {REASON: replies.phrase("covers.modal.late")}
    try:
        outcome = task.result()
    except StoreUnavailable:
        return {REASON: replies.phrase("covers.modal.store")}
    except Exception:  # a bug in one answer: the person gets a reference, the log the rest
        reference = secrets.token_hex(2)
        log.exception("internal_error", reference=reference, what=CALLBACK)
        return {REASON: replies.phrase("covers.modal.bug", reference=reference)}
    if outcome is None:
        return {REASON: replies.phrase("covers.modal.gone")}
    if isinstance(outcome, CoverRefusedFacts):
        field = REASON if outcome.fault in ("no_reason", "reason_too_long") else LENGTH
        return {field: replies.phrase(f"covers.{outcome.fault}", what=outcome.what)}
    return {}


def _late(task: asyncio.Task[SilenceDoneFacts | CoverRefusedFacts | None]) -> None:
    """Nobody waits any more for what became of it."""
    if not task.cancelled() and task.exception() is not None:
        log.error("silence_not_written", exc_info=task.exception())


def _values(view: Mapping[str, object]) -> dict[str, str]:
    """What was filled in, by field."""
    state = view.get("state")
    values = state.get("values") if isinstance(state, Mapping) else None
    found: dict[str, str] = {}
    for name in (LENGTH, REASON):
        block = values.get(name) if isinstance(values, Mapping) else None
        field = block.get(name) if isinstance(block, Mapping) else None
        if isinstance(field, Mapping):
            option = field.get("selected_option")
            value = option.get("value") if isinstance(option, Mapping) else field.get("value")
            found[name] = value if isinstance(value, str) else ""
    return found
