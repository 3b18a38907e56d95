"""A repository that is damaged, and one that is lost: what people read and type in Slack until it is well."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.config.backup import BackupSecrets, BackupSettings
from bot.config.outside import OutsideSecrets
from bot.workspace.model import Message
from tests.backups import ELSEWHERE, PASSWORD, Templates, damage, fill, local
from tests.people import OPS, words
from tests.stage import Stage
from tests.waiting import eventually

PATIENCE = 240.0
"""seconds for a run of restic's commands, which only a failure takes"""


@dataclass
class Keeper:
    """A Guardian with two repositories and files to back up."""

    stage: Stage
    folder: Path

    @property
    def disk(self) -> Path:
        """The local repository."""
        return self.folder / "disk"

    @property
    def photo(self) -> Path:
        """What matters."""
        return self.folder / "files" / "photo.jpg"

    async def card(self, line: str, state: str, *, approved: bool = False) -> str:
        """Type a command, and approve its plan where that is wanted; what its card says first and in that
        state."""
        before = {each.ts for each in self.stage.posts(OPS)}
        answer = await self.stage.person().types(f"/guardian backup {line}")

        def made() -> Message | None:
            cards = [each for each in self.stage.posts(OPS) if each.attachments and each.ts not in before]
            return cards[0] if cards else None

        card = await eventually(made, PATIENCE)
        first = words(card)
        if approved:
            assert "승인 대기" in first, words(answer)
            await self.stage.person().presses(card, "op_approve")

        def reached() -> str:
            current = self.stage.current(card)
            return first + words(current) if current.text.endswith(f"– {state}") else ""

        return await eventually(reached, PATIENCE)

    async def status(self) -> str:
        """What `/guardian backup` says."""
        return words(await self.stage.person().types("/guardian 백업"))


@pytest.fixture
async def keeper(idle: Stage, tmp_path: Path, templates: Templates) -> Keeper:
    """On watch, with a first backup that is verified."""
    keeper = Keeper(idle, tmp_path)
    shutil.copytree(templates.local, keeper.disk)
    shutil.copytree(templates.offsite, tmp_path / "elsewhere")
    fill(keeper.photo.parent, [("photo.jpg", b"a photo that nobody has twice")])
    section = {
        "local": {"path": str(keeper.disk)},
        "offsite": {"path": str(tmp_path / "elsewhere"), "same_medium": "allowed"},
        "sources": {"files": {"kind": "user_data", "paths": [str(keeper.photo.parent)]}},
    }
    idle.changed(backup=BackupSettings.model_validate(section))
    idle.outside = OutsideSecrets(backup=BackupSecrets(SecretStr(PASSWORD), SecretStr(ELSEWHERE)))
    await idle.start()
    await keeper.card("now", "완료")
    assert "백업 완료, 검증됨" in await keeper.status()
    return keeper


async def test_damage_is_found_and_the_file_restored_from_the_second_repository(keeper: Keeper) -> None:
    damage(local(keeper.disk))
    assert "손상" in await keeper.card("verify", "일부만 완료")
    assert "손상됨 (로컬 저장소)" in await keeper.status()
    alert = words(await keeper.stage.card("백업 손상 (로컬 저장소)"))
    assert "files · files" not in alert

    back = keeper.folder / "back"
    told = await keeper.card(f"복원 files {back} 출처 외부", "완료", approved=True)
    assert "외부 저장소에서" in told
    restored = back / str(keeper.photo).lstrip("/")
    assert restored.read_bytes() == keeper.photo.read_bytes()
    assert "복구 시간" in await keeper.status()


async def test_a_lost_repository_is_made_anew_and_filled_again(keeper: Keeper) -> None:
    shutil.rmtree(keeper.disk)
    status = await keeper.status()
    assert "저장소를 찾을 수 없습니다: 로컬 저장소" in status
    assert "/guardian backup replace local" in status
    told = await keeper.card("교체 로컬", "완료", approved=True)
    assert str(keeper.disk) in told

    back = keeper.folder / "back"
    await keeper.card(f"restore files {back}", "완료", approved=True)
    assert (back / str(keeper.photo).lstrip("/")).read_bytes() == keeper.photo.read_bytes()
    await keeper.card("now", "완료")
    assert "백업 완료, 검증됨" in await keeper.status()
