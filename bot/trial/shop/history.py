"""How the shop came to be: commits that a Git repository of its own tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Commit:
    """One change of the shop's code. The sources of `release` are taken over with it, when it has any."""

    subject: str
    author: tuple[str, str]
    """name and address"""
    before: timedelta
    """how long before the trial was first started"""
    release: str | None = None
    tag: str | None = None


_DOYUN = "이도윤", "doyun.lee@example.com"
_SEOYEON = "박서연", "seoyeon.park@example.com"
_MINJUN = "최민준", "minjun.choi@example.com"

COMMITS = (
    Commit("상점 문을 엽니다: 화면, 상품 목록, 상태", _MINJUN, timedelta(days=9), "v1", "v1"),
    Commit("변경 기록을 남기기 시작합니다", _DOYUN, timedelta(hours=20)),
    Commit(
        "화면을 초록색으로 바꾸고 제목을 '오늘의 상품'으로 고칩니다",
        _SEOYEON,
        timedelta(hours=5),
        "v2",
        "v2",
    ),
    Commit("상품마다 남은 재고를 보여 줍니다", _DOYUN, timedelta(hours=3)),
    Commit("재고를 기억해 두어 창고에 덜 묻습니다", _DOYUN, timedelta(hours=2, minutes=50), "v3", "v3"),
    Commit("재고 표시를 되돌리고 인기 상품을 먼저 보여 줍니다", _MINJUN, timedelta(hours=2), "v4", "v4"),
    Commit(
        "창고 상태까지 보고 건강한지 답합니다",
        _SEOYEON,
        timedelta(minutes=40),
        "v5",
        "v5",
    ),
)
"""Oldest first."""

REVISIONS = tuple(commit.tag for commit in COMMITS if commit.tag is not None)
"""Every release, oldest first."""
