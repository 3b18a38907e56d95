"""되돌리기: bring back what a cleanup moved, as an operation of its own."""

from __future__ import annotations

from datetime import datetime

from bot.domain.operations.plan import JsonObject, OnFailure, Plan, Step
from bot.engine.operations.cleanup import Cleanup
from bot.engine.operations.cleanup_stages import brought_back
from bot.engine.operations.contract import OperationRefused, StepFailed, Stopped, Work

NAME = "cleanup_undo"


class CleanupUndo:
    """Keeps the contract of `Operation`. It has nothing to undo itself: what could not be brought back stays
    in quarantine, and a second try finds the rest."""

    name = NAME

    def __init__(self, cleanup: Cleanup, subject: str) -> None:
        self._cleanup = cleanup
        self._subject = subject

    async def plan(self, request: JsonObject, at: datetime) -> Plan:
        """Bring back what is in quarantine from the run that `request` names (`{"run": 12}`). Raises
        OperationRefused."""
        run = request.get("run")
        kept = [each for each in await self._cleanup.kept() if each.run == run]
        if not isinstance(run, int) or not kept:
            raise OperationRefused("cleanup_nothing_kept", run=run if isinstance(run, int) else 0)
        count, size = sum(each.count for each in kept), sum(each.bytes for each in kept)
        step = Step("restore_run", {"run": run, "count": count, "bytes": size})
        return Plan(self.name, self._subject, at, (step,), {}, on_failure=OnFailure.STOP)

    async def do(self, plan: Plan, step: Step, work: Work) -> JsonObject:
        """Bring everything back that can be. Raises StepFailed when something could not, and Stopped between
        two files: what came back stays, and the rest is in quarantine with its records."""
        run, total = step.params["run"], step.params["count"]
        if not isinstance(run, int) or not isinstance(total, int):
            raise StepFailed("cleanup_list_lost", detail="run")
        done = 0

        def tick(count: int) -> None:
            nonlocal done
            done += count
            work.progress(min(done, total), total, "file")

        tick(0)
        tally = await self._cleanup.undo_run(run, tick, lambda: work.stopping)
        if tally.stopped:
            kept = sum(each.count for each in await self._cleanup.kept() if each.run == run)
            raise Stopped({"restored": tally.done, "bytes": tally.bytes, "kept": kept})
        return brought_back(tally)

    async def undo(self, plan: Plan, step: Step, work: Work) -> JsonObject:
        """Nothing to undo."""
        return {}
