"""Whom a policy names: `@handle`, `U024BE7LH`, `schedule:primary`, `group:@handle`, `#ops`, `apprise:sms`."""

from __future__ import annotations

import re

from bot.domain.alerts.ladder import Target, TargetKind

TARGET_PATTERN = (
    r"^(@\S{1,80}|[UW][A-Z0-9]{5,20}|#\S{1,80}|(schedule|apprise):\S.{0,99}"
    r"|group:(@\S{1,80}|S[A-Z0-9]{5,20}))$"
)
"""For editors (JSON Schema)."""

_USER = re.compile(r"[UW][A-Z0-9]{5,20}")
_GROUP = re.compile(r"S[A-Z0-9]{5,20}|@[^\s@]{1,80}")
_HANDLE = re.compile(r"@[^\s@<>|]{1,80}")
_CHANNEL = re.compile(r"#([^\W_][\w-]{0,79}|[CG][A-Z0-9]{7,})")
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,100}")


def parse_target(text: str) -> Target:
    """The target that `text` names; ValueError if it names none."""
    text = text.strip()
    if _HANDLE.fullmatch(text) or _USER.fullmatch(text):
        return Target(TargetKind.PERSON, text)
    channel = _CHANNEL.fullmatch(text)
    if channel is not None and (text == text.lower() or re.fullmatch("#[CG][A-Z0-9]{7,}", text)):
        return Target(TargetKind.CHANNEL, channel[1])
    kind, separator, name = text.partition(":")
    name = name.strip()
    if separator and kind == TargetKind.GROUP.value and _GROUP.fullmatch(name):
        return Target(TargetKind.GROUP, name)
    if separator and kind in (TargetKind.SCHEDULE.value, TargetKind.APPRISE.value) and _NAME.fullmatch(name):
        return Target(TargetKind(kind), name)
    raise ValueError(text)
