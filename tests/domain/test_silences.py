"""Silences and what they are asked for with (alerts.md, Resolve, reopen, silence)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.domain.alerts.covers import CoverKind
from bot.domain.levels import Level
from bot.domain.matcher_notation import MatcherInvalid, parse
from bot.domain.silences import (
    LONGEST,
    CoverFault,
    Silence,
    Wanted,
    fault_of,
    wanted_silence,
    wanted_window,
)
from tests.factories import T0, at

SEOUL = ZoneInfo("Asia/Seoul")
HOUR = timedelta(hours=1)


def silence(**changes: object) -> Silence:
    values: dict[str, object] = {
        "id": 3,
        "matcher": parse("service=shop, level<=critical"),
        "starts_at": T0,
        "ends_at": T0 + HOUR,
        "owner": "U1",
        "reason": "배포",
        "created_at": T0,
    }
    return Silence(**(values | changes))  # type: ignore[arg-type]  # the fields of Silence


@pytest.mark.parametrize(
    ("seconds", "active", "over"),
    [(-1, False, False), (0, True, False), (3599, True, False), (3600, False, True)],
)
def test_it_holds_from_its_start_until_before_its_end(seconds: int, active: bool, over: bool) -> None:
    assert (silence().is_active(at(seconds)), silence().is_over(at(seconds))) == (active, over)


def test_a_lifted_one_never_holds() -> None:
    lifted = silence(lifted_at=T0, lifted_by="U2")
    assert (lifted.is_active(at(5)), lifted.is_over(at(5))) == (False, True)


def test_it_covers_what_its_matcher_matches() -> None:
    shop = {"service": "shop"}
    assert silence().covers(shop, Level.CRITICAL, at(1))
    assert not silence().covers(shop, Level.EMERGENCY, at(1))
    assert not silence().covers({}, Level.CRITICAL, at(1))
    assert not silence().covers(shop, Level.CRITICAL, at(3600))
    cover = silence().cover(Level.ERROR)
    assert (cover.kind, cover.ref, cover.by, cover.why) == (CoverKind.SILENCE, "3", "U1", "배포")
    assert (cover.until, cover.level) == (T0 + HOUR, Level.ERROR)


@pytest.mark.parametrize(
    ("starts", "ends", "reason", "fault"),
    [
        (T0, T0 + LONGEST, "x", None),
        (T0, T0 + LONGEST + timedelta(seconds=1), "x", CoverFault.TOO_LONG),
        (T0 + HOUR, T0 + HOUR + LONGEST, "x", None),
        (T0 - HOUR, T0, "x", CoverFault.IN_THE_PAST),
        (T0, T0 - HOUR, "x", CoverFault.IN_THE_PAST),
        (T0, T0, "x", CoverFault.IN_THE_PAST),
        (T0 + 2 * HOUR, T0 + HOUR, "x", CoverFault.NO_LENGTH),
        (T0, T0 + HOUR, "", CoverFault.NO_REASON),
        (T0, T0 + HOUR, " \n", CoverFault.NO_REASON),
        (T0, T0 + HOUR, "x" * 301, CoverFault.REASON_TOO_LONG),
    ],
)
def test_it_refuses(starts: datetime, ends: datetime, reason: str, fault: CoverFault | None) -> None:
    assert fault_of(starts, ends, reason, T0, LONGEST) is fault


@pytest.mark.parametrize(
    ("text", "hours", "reason"),
    [
        ("service=shop for 2h 배포 v42", 2, "배포 v42"),
        ("service=shop 2시간 배포", 2, "배포"),
        ("service=shop, level<=error 2시간 동안 배포", 2, "배포"),
        ('target="a for 9h" for 2h a=b', 2, "a=b"),
        ("* 1h x", 1, "x"),
        ("service=shop until 2026-03-01 21:00 x", 3, "x"),
        ("service=shop for 2h", 2, ""),
    ],
)
def test_what_somebody_types(text: str, hours: int, reason: str) -> None:
    now = datetime(2026, 3, 1, 9, tzinfo=UTC)
    wanted = wanted_silence(text, "U1", now, SEOUL)
    assert isinstance(wanted, Wanted)
    assert (wanted.starts_at, wanted.ends_at - now, wanted.reason) == (now, timedelta(hours=hours), reason)


def test_without_a_time_or_a_matcher_it_is_refused() -> None:
    assert wanted_silence("service=shop 배포", "U1", T0, SEOUL) is CoverFault.NO_END
    assert wanted_window("service=shop 2h", "U1", T0, SEOUL) is CoverFault.NO_TIMES
    window = wanted_window("service=shop now 2h 배포", "U1", T0, SEOUL)
    assert isinstance(window, Wanted)
    assert window.ends_at == T0 + 2 * HOUR
    for text in ("", "for 2h x", "service~shop for 2h x"):
        with pytest.raises(MatcherInvalid):
            wanted_silence(text, "U1", T0, SEOUL)
