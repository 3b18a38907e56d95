"""Every code about backups has its words, and every sentence can be said with what comes with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.backup.repositories import MediaFault, MediumKind, Place
from bot.domain.backup.sources import SourceKind
from bot.domain.backup.status import SourceState
from bot.domain.backup.verification import DAMAGE, Part
from bot.engine.operations.backup.taking import NotCopied
from bot.tools.restic.answers import AnswerUnreadable
from bot.tools.restic.errors import ResticError
from messages.catalog import load
from messages.example_alerts import BACKUP as ALERT
from messages.example_backup import BACKUP
from messages.render import Voice


def kinds(of: type[ResticError]) -> set[type[ResticError]]:
    """A kind of error with all below it."""
    return {of}.union(*map(kinds, of.__subclasses__()))


REASONS = sorted({each.reason for each in kinds(ResticError) | {AnswerUnreadable, NotCopied}})


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_code_has_its_words(language: str) -> None:
    texts = load(language)
    wanted = [
        *(f"backup.kind.{each.value}" for each in SourceKind),
        *(f"backup.place.{each.value}" for each in Place),
        *(f"backup.medium.{each.value}" for each in MediumKind),
        *(f"backup.state.{each.value}" for each in SourceState),
        *(f"backup.part.{each.value}" for each in Part),
        *(f"backup.reason.{each}" for each in DAMAGE | {fault.value for fault in MediaFault}),
        *(f"backup.failed.{each}" for each in REASONS),
        *(f"backup.short.{each}" for each in REASONS),
    ]
    assert [key for key in wanted if key not in texts] == []


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("place", [None, "local"])
def test_a_backup_that_is_not_verified_says_what_of_it(language: str, place: str | None) -> None:
    said = Voice(language).slack_phrase(
        "backup.failed.not_verified", source="shop", part="copy", place=place, why="not_copied", more=2
    )
    assert "shop" in said
    assert "backup." not in said


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("state", ["damaged", "failed", "none", "late", "unverified", "good"])
def test_an_alert_names_its_source_once(language: str, state: str) -> None:
    voice = Voice(language)
    title = voice.phrase(f"backup.alert.{state}", places=["local", "offsite"])
    facts = replace(ALERT, title=title, target="files-of-ours")
    assert voice.message("alert", facts.as_json()).text.count("files-of-ours") == 1
    assert ("(" in title) is (state == "damaged")


@pytest.mark.parametrize("state", list(BACKUP["backup"]))
def test_the_documents_line_is_said_of_what_is_verified_and_of_nothing_else(state: str) -> None:
    facts = BACKUP["backup"][state]
    said = Voice("ko").message("backup", facts.as_json()).text
    assert ("백업 완료, 검증됨" in said) is (state == "verified")
