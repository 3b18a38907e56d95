"""What Slack's errors mean for whoever sends: try again, look first, give up, or draw a new card."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from slack_sdk.errors import SlackApiError

from bot.engine.delivery import Ambiguous, Blocked, CardGone, DeliveryFailed, Permanent, Temporary

AUTH = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "no_permission"}
)
CHANNEL = frozenset(
    {"channel_not_found", "not_in_channel", "is_archived", "restricted_action", "missing_scope"}
)
GONE = frozenset(
    {
        "message_not_found",
        "cant_update_message",
        "edit_window_closed",
        "is_inactive",  # its channel is frozen, archived or deleted: the new card meets that by its own name
        "thread_not_found",
        "cannot_reply_to_message",
    }
)
CONTENT = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_attachments",
        "msg_too_long",
        "msg_blocks_too_long",
        "no_text",
        "too_many_attachments",
        "metadata_too_large",
    }
)
PASSING = frozenset(
    {"ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout", "rate_limited"}
)


def error_code(error: SlackApiError) -> str:
    """Slack's name for the error, or `http_500` and the like where it gave none."""
    response = error.response
    data = response if isinstance(response, dict) else getattr(response, "data", None)
    code = data.get("error") if isinstance(data, dict) else None
    return str(code) if code else f"http_{_status(error)}"


def as_failure(error: SlackApiError) -> DeliveryFailed:
    """What the error means for a sender."""
    code, status = error_code(error), _status(error)
    if status == 429 or code in ("ratelimited", "rate_limited"):
        return Temporary("ratelimited", retry_after=_retry_after(error))
    if status >= 500 or code.startswith("http_"):
        # Slack may have taken it before it stumbled.
        return Ambiguous(code)
    if code in GONE:
        return CardGone(code)
    if code in AUTH or code in CHANNEL:
        return Blocked(code)
    return Temporary(code) if code in PASSING else Permanent(code)


@contextmanager
def delivery_failures() -> Iterator[None]:
    """Turns what the Slack client raises into the outbox's kinds of failure."""
    try:
        yield
    except SlackApiError as error:
        raise as_failure(error) from error
    except aiohttp.ClientConnectorError as error:
        # The connection was never made, so nothing can have arrived.
        raise Temporary(f"unreachable: {error.os_error.strerror or type(error).__name__}") from error
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise Ambiguous(f"no answer: {type(error).__name__}") from error


def _status(error: SlackApiError) -> int:
    response = error.response
    status = (
        response.get("status_code")
        if isinstance(response, dict)
        else getattr(response, "status_code", None) or getattr(response, "status", None)
    )
    return status if isinstance(status, int) else 0


def _retry_after(error: SlackApiError) -> float:
    response = error.response
    headers = response.get("headers") if isinstance(response, dict) else getattr(response, "headers", None)
    for name, value in (headers or {}).items():
        if name.lower() == "retry-after":
            try:
                return max(0.0, float(value))
            except ValueError:
                break
    return 1.0
