"""Why a decision came out as it did. Every decision carries one, silence included.

The sentences are in `messages/*/phrases/reasons.yaml` under the same codes.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """The code of a reason."""

    TARGET_BAND = "target_band"
    """The value is where it should be and nothing is open."""
    BELOW_CONFIRMATION = "below_confirmation"
    """Bad, but not yet often enough in a row."""
    CONFIRMED = "confirmed"
    """Bad often enough in a row: the alert fires."""
    STILL_FIRING = "still_firing"
    """Bad as before, and the card is due for an edit."""
    DUPLICATE = "duplicate"
    """Bad as before, within the fixed window since the last post: counted, not posted."""
    CLEARING = "clearing"
    """Better, but not yet often enough beyond the exit threshold."""
    CLEARED = "cleared"
    """Good often enough beyond the exit threshold: the alert resolves."""
    LEVEL_RISE = "level_rise"
    LEVEL_FALL = "level_fall"
    PENDING_DROPPED = "pending_dropped"
    """Good again before it was confirmed."""
    ACKED = "acked"
    ACK_STALE = "ack_stale"
    """The button was drawn for an earlier state."""
    ACK_ALREADY = "ack_already"
    NOT_OPEN = "not_open"
    MISSED_ONCE = "missed_once"
    """No data, but not yet for enough intervals."""
    NO_DATA = "no_data"
    """No data for enough intervals: an alert of its own."""
    NO_DATA_HELD = "no_data_held"
    """No data says nothing about the value: the alert stays as it is."""
    MEASURED_AGAIN = "measured_again"
    """Data came back often enough: the no-data alert resolves."""
    REOPENED = "reopened"
    NO_LONGER_WATCHED = "no_longer_watched"
    """The configuration, or the machine, no longer has this target."""
