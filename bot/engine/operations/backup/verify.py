"""`/guardian backup verify`: prove the newest backups anew, and practise restoring them."""

from __future__ import annotations

import asyncio
from datetime import datetime

from bot.domain.backup.plans import VERIFY, verify_plan
from bot.domain.backup.snapshots import Taken
from bot.domain.operations.plan import JsonObject, Plan, Step
from bot.engine.operations.backup import proving, restoring
from bot.engine.operations.backup.now import chosen, place_and_share
from bot.engine.operations.backup.vault import Vault
from bot.engine.operations.contract import OperationRefused, StepFailed, Work
from bot.tools import backup_files as files


class VerifyBackups:
    """An `Operation`. The request may have `sources`, a list of names; all that have a backup without it."""

    name = VERIFY

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def plan(self, request: JsonObject, at: datetime) -> Plan:
        """Raises OperationRefused: no such source, or no backup of any."""
        sources = chosen(await self._vault.sources(), request.get("sources"))
        found: list[Taken] = []
        for source in sources:
            # Whole by then: one that was under way must not make it another plan when its turn has come.
            kept = [each for each in await self._vault.store.kept(source.name) if each.made_at <= at]
            found += kept[-1:]
        if not found:
            raise OperationRefused("no_snapshot", source=", ".join(each.name for each in sources), known="")
        vault = self._vault
        return vault.planned(verify_plan(found, at, vault.day(at), vault.rules.drill))

    async def do(self, plan: Plan, step: Step, work: Work) -> JsonObject:
        """Raises StepFailed, Stopped."""
        if step.name == "backup_check":
            place, share = place_and_share(step)
            await proving.check(self._vault, place, share, await self._all(plan), work)
            return {"share": share}
        source = str(step.params["source"])
        taken = next((each for each in await self._all(plan) if each.source == source), None)
        if taken is None:
            raise StepFailed("snapshot_gone", said="", place=None)
        if step.name == "backup_prove":
            judged = await proving.prove(self._vault, (await self._vault.sources())[source], taken, work)
            if not judged.verified:
                raise proving.not_verified(source, judged)
            return {"verified": True, "snapshot": taken.snapshot[:8]}
        return await self._drill(taken, work)

    async def undo(self, plan: Plan, step: Step, work: Work) -> JsonObject:
        """Nothing was changed."""
        return {}

    async def _drill(self, taken: Taken, work: Work) -> JsonObject:
        """Restore all of it into a folder of ours, time it, and remove it again."""
        folder = self._vault.rules.folder / "drills" / f"drill-{work.run_id}"
        await restoring.clear(self._vault, folder)
        try:
            await asyncio.to_thread(folder.parent.mkdir, mode=0o700, parents=True, exist_ok=True)
            if taken.size > await asyncio.to_thread(files.free_bytes, folder.parent):
                raise StepFailed("no_room_to_drill", source=taken.source, needed=taken.size)
            try:
                restored = await restoring.restore(self._vault, taken, folder, None, work)
            finally:
                await asyncio.to_thread(files.remove_tree, folder)
        except OSError as error:
            raise StepFailed("file_error", said=error.strerror or str(error)) from error
        if restored.first_failed is not None:
            raise StepFailed(
                "drill_needed_second",
                source=taken.source,
                why=restored.first_failed,
                seconds=restored.seconds,
            )
        return {"seconds": restored.seconds, "size": taken.size, "place": restored.place.value}

    async def _all(self, plan: Plan) -> list[Taken]:
        snapshots = plan.shown.get("snapshots")
        names = set(map(str, snapshots.values())) if isinstance(snapshots, dict) else set()
        return [each for each in await self._vault.store.kept() if each.snapshot in names]
