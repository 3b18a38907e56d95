"""Every code of a cleanup has its words in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.domain.cleanup.caches import CacheKind
from bot.domain.cleanup.plan import RESTORE
from bot.domain.cleanup.processes import Kind
from bot.domain.cleanup.reasons import Left, Risk
from bot.domain.cleanup.rules import Stage
from messages.catalog import load

ROOT = Path(__file__).parents[2]
_RAISED = re.compile(r'(OperationRefused|StepFailed|QuarantineUnusable)\(\s*"(\w+)"')


def raised() -> set[tuple[str, str]]:
    """The kind of refusal and the reason of everything that is raised by a literal."""
    files = [
        *(ROOT / "bot/engine/operations").glob("cleanup*.py"),
        *(ROOT / "bot/tools/cleanup").glob("*.py"),
    ]
    return {found for file in files for found in _RAISED.findall(file.read_text(encoding="utf-8"))}


def key_of(kind: str, reason: str) -> str:
    group = "refused" if kind == "OperationRefused" else "failed"
    return f"cleanup.{group}.{f'cleanup_{reason}' if kind == 'QuarantineUnusable' else reason}"


def test_the_search_finds_what_is_raised() -> None:
    assert {("OperationRefused", "cleanup_nothing"), ("QuarantineUnusable", "no_safe_move")} <= raised()
    assert len(raised()) > 12


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_code_has_its_words(language: str) -> None:
    texts = load(language)
    wanted = [
        *(key_of(*each) for each in raised()),
        *(f"cleanup.left.{each.value}" for each in Left),
        *(f"cleanup.risk.{each.value}" for each in Risk),
        *(f"cleanup.kind.{each.value}" for each in Kind),
        *(f"cleanup.cache.{each.value}" for each in CacheKind),
        *(f"cleanup.step.{each.step}" for each in Stage),
        *(f"cleanup.stage.{each.value}" for each in Stage),
        f"cleanup.undo.{RESTORE}",
    ]
    assert [key for key in wanted if key not in texts] == []
