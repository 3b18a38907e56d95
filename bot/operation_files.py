"""Files of operations, into the thread of their card as soon as the card is there."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import structlog

from bot.alerting import Ground
from bot.engine.delivery import Ambiguous, DeliveryFailed, Temporary
from bot.slack.files import is_shared, share

log = structlog.get_logger(__name__)

_SHARE_FOR_SECONDS = 900.0
"""as long as a plan can be approved, where nothing else is configured"""
_SHARE_SECONDS, _SHARE_PAUSE_SECONDS = 1.0, 30.0


async def share_file(
    ground: Ground, stream: str, name: str, content: bytes | Path, *, maybe_there: bool = False
) -> bool:
    """Put a file into the thread of the card of that stream, as soon as the card is there; whether it is
    there. Where an earlier try may have done it (`maybe_there`), it is looked for first."""
    pause = _SHARE_SECONDS
    give_up = time.monotonic() + _SHARE_FOR_SECONDS
    while time.monotonic() < give_up:
        card = ground.outbox.card(stream)
        if card is None:
            await asyncio.sleep(_SHARE_SECONDS)
            continue
        place = (card.channel_id, card.ts)
        try:
            if not (maybe_there and await is_shared(ground.client, name, *place)):
                await share(ground.client, content, name, name, *place)
            return True
        except (Temporary, Ambiguous) as error:
            maybe_there = maybe_there or isinstance(error, Ambiguous)
            wanted = error.retry_after if isinstance(error, Temporary) else None
            await asyncio.sleep(wanted or pause)
            pause = min(2 * pause, _SHARE_PAUSE_SECONDS)
        except OSError as error:
            log.warning("file_of_plan_not_read", stream=stream, file=name, detail=str(error))
            return False
        except DeliveryFailed as error:
            log.warning("file_not_shared", stream=stream, file=name, detail=error.detail)
            return False
    log.warning("file_not_shared", stream=stream, file=name, detail="no card, or no end of trouble")
    return False
