"""What people do in a simulation: `--ack`, `--silence`, and the column `event` of a series."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from bot.cli.series_moments import Moments, NoMoment
from bot.domain.matcher_notation import MatcherInvalid, parse
from bot.domain.matchers import Matcher, exactly
from bot.domain.time_notation import leading_end, leading_span

_ACK = re.compile(r"\s*#?(\d{1,9})\s*@\s*([^=]+?)\s*=\s*(\S.*?)\s*")
NOBODY = "@somebody"
"""Who did it, where nothing says so."""


class ActionKind(StrEnum):
    """The words of the column `event`."""

    ACK = "ack"
    RESOLVE = "resolve"
    WRITE = "write"
    SILENCE = "silence"
    LIFT = "lift"


@dataclass(frozen=True, slots=True)
class Action:
    """Somebody does something at a moment: to the alert of that number, or to the newest open one of that
    metric and target (empty: of any). A silence has its matcher and its end."""

    at: datetime
    kind: ActionKind
    by: str
    alert_id: int | None = None
    metric: str = ""
    target: str = ""
    matcher: Matcher | None = None
    until: datetime | None = None


class ActionInvalid(ValueError):
    """A text is no action: `code` is the key of the sentence that says so, `values` what that names."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values: Mapping[str, object] = values


def acknowledgement(text: str, moments: Moments, earliest: datetime) -> Action:
    """What `--ack ID@TIME=WHO` says. Raises ActionInvalid."""
    match = _ACK.fullmatch(text)
    if match is None:
        raise ActionInvalid("cli.simulate.bad_ack", text=text)
    try:
        at = moments.after(match[2], earliest)
    except NoMoment:
        raise ActionInvalid("cli.simulate.bad_ack_moment", text=match[2]) from None
    return Action(at, ActionKind.ACK, match[3], int(match[1]))


def silence(text: str, earliest: datetime, zone: ZoneInfo) -> Action:
    """What `--silence "22:00-23:30 MATCHER"` says. Raises ActionInvalid."""
    span = leading_span(text, earliest, zone)
    if span is None or not span.rest:
        raise ActionInvalid("cli.simulate.bad_silence", text=text)
    matcher = _matcher(span.rest)
    return Action(span.starts_at, ActionKind.SILENCE, NOBODY, matcher=matcher, until=span.ends_at)


def from_row(text: str, at: datetime, by: str, metric: str, target: str, zone: ZoneInfo) -> Action:
    """What the column `event` says: `ack`, `resolve`, `write`, `silence 2h [MATCHER]`, `lift`.

    Raises ActionInvalid.
    """
    word, _, rest = text.strip().partition(" ")
    try:
        kind = ActionKind(word.casefold())
    except ValueError:
        known = ", ".join(each.value for each in ActionKind)
        raise ActionInvalid("cli.simulate.bad_event", text=word, known=known) from None
    who = by.strip() or NOBODY
    if kind is not ActionKind.SILENCE:
        if rest.strip():
            raise ActionInvalid("cli.simulate.event_surplus", text=rest.strip(), word=word)
        return Action(at, kind, who, metric=metric, target=target)
    span = leading_end(rest, at, zone)
    if span is None:
        raise ActionInvalid("cli.simulate.event_silence", text=text.strip())
    if span.rest:
        matcher = _matcher(span.rest)
    elif metric:
        matcher = exactly({"metric": metric, **({"target": target} if target else {})})
    else:
        raise ActionInvalid("cli.simulate.event_silence", text=text.strip())
    return Action(at, kind, who, matcher=matcher, until=span.ends_at)


def _matcher(text: str) -> Matcher:
    try:
        return parse(text)
    except MatcherInvalid as invalid:
        raise ActionInvalid(f"config.matcher_{invalid.fault.value}", **invalid.values) from None
