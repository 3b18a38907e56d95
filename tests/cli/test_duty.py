"""What `guardian check` notes of on-call schedules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bot.cli.duty import duty_notes
from bot.cli.speech import Speaker
from bot.config import load
from tests.cli.conftest import Result

Guardian = Callable[..., Result]

ALLOWED = """\
schedules:
  office:
    gaps: allowed
    overlaps: allowed
    rotations:
      - {people: ["@a"], every: daily, hours: "09:00-18:00", days: [mon], start: 2026-01-05}
      - {people: ["@b"], every: daily, hours: "17:00-20:00", days: [mon], start: 2026-01-05}
  later:
    rotations: [{people: ["@a"], every: weekly, start: 2026-01-12}]
"""


def notes(folder: Path, language: str) -> list[str]:
    path = folder / "guardian.yaml"
    path.write_text(ALLOWED, encoding="utf-8")
    now = datetime(2026, 1, 6, 3, tzinfo=UTC)
    return list(duty_notes(Speaker(language), load(path, {}), now))


def test_gaps_and_overlaps_to_come_are_noted_with_the_first(tmp_path: Path) -> None:
    office, overlap, later = notes(tmp_path, "ko")
    assert "office 당직표에는 앞으로 30일 동안 당직이 없는 때가 5번" in office
    assert "처음: 2026-01-06 12:00 ~ 2026-01-12 09:00" in office
    assert "순번 0, 1 시간이 겹칩니다. 처음: 2026-01-12 17:00 ~ 2026-01-12 18:00" in overlap
    assert "later" in later
    assert "2026-01-12 09:00" in later
    assert "nobody on call 5 times, first from 2026-01-06 12:00" in notes(tmp_path, "en")[0]


def test_they_are_part_of_the_check(guardian: Guardian) -> None:
    Path("guardian.yaml").write_text(ALLOWED, encoding="utf-8")
    result = guardian("check")
    assert result.code == 0
    assert "office 당직표" in result.out
