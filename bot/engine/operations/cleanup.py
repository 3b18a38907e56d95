"""The cleanup, as an operation: an exact list, quarantine by stages, and the way back until the purge."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import structlog

from bot.domain.cleanup.health import Measure, measures, suspects, told
from bot.domain.cleanup.plan import after_backup, is_empty, plan
from bot.domain.cleanup.rules import FILE_STAGES, Root, Rules, Stage, saved_until
from bot.domain.cleanup.scan import DeepScan
from bot.domain.operations.plan import JsonObject, Plan, Step
from bot.engine.clock import Clock, utc_now
from bot.engine.operations.cleanup_stages import (
    Saved,
    Watch,
    as_step_failures,
    brought_back,
    clean_caches,
    clean_files,
    clean_zombies,
    gather,
)
from bot.engine.operations.contract import OperationRefused, StepFailed, Work
from bot.engine.operations.health import Health
from bot.engine.threads import in_daemon_thread
from bot.tools.cleanup import baseline
from bot.tools.cleanup.commands import Run, runner
from bot.tools.cleanup.deep_scan import deep_scan
from bot.tools.cleanup.journal import JournalUnreadable
from bot.tools.cleanup.keeping import Kept, listing, purge, restore
from bot.tools.cleanup.scan import remove_lists
from bot.tools.cleanup.tally import QuarantineUnusable, Stop, Tally, Tick

log = structlog.get_logger(__name__)

T = TypeVar("T")

BackedUp = Callable[[Sequence[str], datetime | None], Awaitable[Mapping[str, datetime] | OperationRefused]]
"""Whether the roots have a recent verified backup: when it was taken that has each of them, or why they count
as having none. With the moment of a plan: the one that counted then."""
Troubles = Callable[[], Awaitable[frozenset[Measure]]]
"""All that the open alerts say is at critical just now."""

COMMAND_SECONDS = 300.0
_LISTS_FOR = timedelta(days=1)
"""lists are kept for as long as the quarantine, and at least so long"""


class Cleanup:
    """Keeps the contract of `Operation`. One thing is done at a time: a purge doesn't meet an undo."""

    name = "cleanup"

    def __init__(
        self,
        rules: Rules,
        subject: str,
        folder: Path,
        backed_up: BackedUp,
        troubles: Troubles,
        health: Health,
        clock: Clock = utc_now,
        run: Run | None = None,
    ) -> None:
        """`folder` is for the lists; `run` runs the tools of caches and supervisors."""
        self._rules = rules
        self._subject = subject
        self._folder = folder
        self._backed_up = backed_up
        self._troubles = troubles
        self._health = health
        self._clock = clock
        self._run = run or runner(COMMAND_SECONDS)
        self._turn = asyncio.Lock()

    async def deep_scan(self, request: JsonObject) -> DeepScan:
        """What the machine looks like just now. It is shown beside the plan and not bound by it. Raises
        OperationRefused."""
        rules, at = self._rules, self._clock()
        roots = rules.roots_of(self._stages(request))
        return await _in_thread(lambda stop: deep_scan(at, roots, rules.restart, rules.protected))

    async def plan(self, request: JsonObject, at: datetime) -> Plan:
        """The plan for the stages that `request` names (`{"stages": ["logs"]}`), for all without any. Raises
        OperationRefused."""
        stages = self._stages(request)
        saved = await self._backup_of(stages, at)
        facts = await _in_thread(
            lambda stop: gather(self._rules, stages, self._subject, at, self._folder, self._run, stop, saved)
        )
        if is_empty(facts):
            count = after_backup(facts)
            if count:
                raise OperationRefused("no_backup_since", count=count)
            raise OperationRefused("cleanup_nothing")
        return plan(facts)

    async def do(self, plan: Plan, step: Step, work: Work) -> JsonObject:
        """Do a stage: dry run, safety check, quarantine, health verified. Raises StepFailed, Stopped."""
        stage = _stage_of(step)
        try:
            saved = await self._backup_of((stage,))
        except OperationRefused as refusal:
            roots = ", ".join(root.shown for root in self._rules.roots_of((stage,)))
            raise StepFailed("cleanup_no_backup", roots=roots, why=refusal.reason) from None
        # A full disk may be the very reason for a cleanup: what counts is whether something came with it.
        bad, alerts = await self._bad_before(plan, work.run_id), await self._troubles()
        async with self._turn:
            result = await _in_thread(lambda stop: self._do(plan, stage, step, work, stop, saved))
        look = await self._health.look_until_sure(bad)
        now = await self._troubles()
        worse = {*suspects(look, bad), *(now - alerts)}
        if worse:
            raise StepFailed("cleanup_unwell", bad=measures(worse))
        return {**result, "health": dict(told(look, now))}

    async def _bad_before(self, plan: Plan, run: int) -> frozenset[Measure]:
        """What was bad before this run began its first stage."""
        path = baseline.path_of(self._folder, run, plan.hash)
        known = baseline.read(path)
        if known is not None:
            return known
        bad = frozenset((await self._health.look()).bad)
        try:
            baseline.write(path, bad)
        except OSError as error:
            # Then each stage is compared with what was before itself.
            log.warning("baseline_not_kept", run=run, detail=str(error))
        return bad

    async def undo(self, plan: Plan, step: Step, work: Work) -> JsonObject:
        """Bring back what a stage moved. Caches and zombies have nothing to bring back. Raises StepFailed
        when a file could not be: it stays in quarantine."""
        stage = _stage_of(step)
        if stage not in FILE_STAGES:
            return {}

        done = 0

        def tick(count: int) -> None:
            nonlocal done
            done += count
            work.progress(done, None, "file")

        return brought_back(await self._restore(work.run_id, (stage,), tick))

    async def undo_run(
        self, run_id: int, tick: Tick = lambda count: None, stop: Stop = lambda: False
    ) -> Tally:
        """Bring back all that a run moved (되돌리기); what could not be is counted by its reason and stays in
        quarantine. When `stop` says so it ends between two files. Raises StepFailed."""
        return await self._restore(run_id, FILE_STAGES, tick, stop)

    async def kept(self) -> tuple[Kept, ...]:
        """What is in quarantine, the oldest first."""
        async with self._turn:
            found = await _in_thread(lambda stop: self._kept())
        return tuple(sorted(found, key=lambda kept: (kept.moved_at, kept.run, kept.stage, kept.root)))

    async def purge(self, now: datetime) -> Tally:
        """Remove for good what has been in quarantine long enough, and lists that nobody needs any more. A
        root that cannot be reached keeps no other from it."""
        async with self._turn:
            return await _in_thread(lambda stop: self._purge(now))

    def _stages(self, request: JsonObject) -> tuple[Stage, ...]:
        names, known = request.get("stages"), self._rules.stages
        if not names:
            return known
        for name in names if isinstance(names, list) else [names]:
            if name not in known:
                raise OperationRefused("cleanup_stage", stage=str(name), known=[each.value for each in known])
        return tuple(stage for stage in known if stage in (names if isinstance(names, list) else [names]))

    async def _backup_of(self, stages: Sequence[Stage], at: datetime | None = None) -> Saved:
        """Until when the files of those stages are in a backup. Raises OperationRefused when there is none
        that will do."""
        roots = self._rules.roots_of(stages)
        if not roots:
            return {}
        found = await self._backed_up([root.shown for root in roots], at)
        if isinstance(found, OperationRefused):
            raise found
        return {root.path: saved_until(found[root.shown]) for root in roots}

    def _do(
        self, plan: Plan, stage: Stage, step: Step, work: Work, stop: Stop, saved: Saved
    ) -> JsonObject:  # fmt: skip
        def ends() -> bool:
            return stop() or work.stopping

        if stage is Stage.ZOMBIES:
            return clean_zombies(self._rules, step.params, self._run, ends)
        found = next((file for file in plan.files if file.sha256 == step.params.get("list")), None)
        if found is None:
            raise StepFailed("cleanup_list_lost", detail=stage.value)
        list_ = (found.path, found.sha256)
        if stage is Stage.CACHES:
            return clean_caches(self._rules, list_, self._run, work, ends)
        if stage not in self._rules.files:
            raise StepFailed("cleanup_roots_changed")
        now = self._clock()
        spans = (now, now + self._rules.quarantine_for)
        watch = Watch(self._rules.protected)
        return clean_files(self._rules.files[stage], stage, list_, plan.at, spans, work, watch, ends, saved)

    async def _restore(
        self, run_id: int, stages: Sequence[Stage], tick: Tick, stop: Stop = lambda: False
    ) -> Tally:
        def restored(halt: Stop) -> Tally:
            tally = Tally()
            for stage in stages:
                for root in self._rules.roots_of((stage,)):
                    tally.add(restore(root, run_id, tick, stage, lambda: halt() or stop()))
            return tally

        with as_step_failures():
            async with self._turn:
                return await _in_thread(restored)

    def _kept(self) -> list[Kept]:
        found: list[Kept] = []
        for root in self._roots():
            with _tolerated(root):
                found += listing(root)
        return found

    def _purge(self, now: datetime) -> Tally:
        tally = Tally()
        for root in self._roots():
            with _tolerated(root):
                tally.add(purge(root, now))
        remove_lists(self._folder, now - max(self._rules.quarantine_for, _LISTS_FOR))
        return tally

    def _roots(self) -> tuple[Root, ...]:
        return self._rules.roots_of(FILE_STAGES)


def _stage_of(step: Step) -> Stage:
    return next(stage for stage in Stage if stage.step == step.name)


@contextmanager
def _tolerated(root: Root) -> Iterator[None]:
    """A quarantine that cannot be reached costs a line in the log, and keeps nobody from the others."""
    try:
        yield
    except (QuarantineUnusable, JournalUnreadable, OSError) as error:
        log.warning("quarantine_unreachable", root=root.shown, detail=str(error))


async def _in_thread(call: Callable[[Stop], T]) -> T:
    """Run what blocks in a thread. When we are cancelled it is told to end between two files, and has ended
    when this raises: nothing is moved any more by somebody whom nobody waits for."""
    halt = threading.Event()
    running = in_daemon_thread(lambda: call(halt.is_set), "cleanup")
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        halt.set()
        await asyncio.wait([running])
        running.exception()  # looked at, so that nobody complains that nobody did
        raise
