"""A backup that somebody stops: what was made by then stays, and it reads as stopped."""

from __future__ import annotations

from bot.domain.backup.sources import Dump, Source, SourceKind
from bot.domain.operations.approval import Click, State
from bot.engine.clock import utc_now
from bot.engine.operations.backup.now import BackupNow
from bot.store.database import Database
from bot.tools.restic.started import Records
from messages.operation_facts import OperationAskedFacts
from messages.render import Voice
from tests.engine.operations.backup.conftest import Yard
from tests.engine.operations.jobs import BOB, open_yard
from tests.engine.support import SetClock, until
from tests.waiting import eventually


async def test_a_backup_that_is_stopped_reads_so_and_keeps_what_it_has_made(yard: Yard) -> None:
    hanging = Source("shop", SourceKind.DATABASE, dump=Dump(("sleep", "1000"), "shop.sql"))
    yard.sources = [yard.sources[0], hanging]
    database = await Database.open(f"sqlite+aiosqlite:///{yard.folder / 'operations.db'}")
    backup, chest = BackupNow(yard.vault), yard.folder / "chest"
    async with open_yard(database, chest, SetClock(utc_now()), operations={backup.name: backup}) as desk:
        asked = await desk.desk.ask(backup.name, {}, BOB, approved=True)
        assert isinstance(asked, OperationAskedFacts), asked
        number, records = asked.operation.id, Records(yard.folder / "started")
        await eventually(lambda: [each for each in records.all() if "--stdin" in each.words])
        await desk.desk.press(Click.STOP, number, "", BOB)
        stopped = await desk.reaches(number, State.STOPPED)
        assert [step.state.value for step in stopped.steps] == ["done", "done", "stopped"]
        await until(lambda: desk.thread(number)[-1] == "end")
        card = Voice("ko").message("operation", desk.card(number))
        assert card.text.endswith("– 중단됨")
        assert "9단계 중 2단계를 마쳤고" in str(card.as_payload())
    await database.close()
    assert [each.source for each in await yard.store.kept()] == ["configs"]
