"""What a cleanup does in its threads: finding out, and each kind of stage. All of it blocks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pydantic import JsonValue

from bot.domain.cleanup.caches import entry_of
from bot.domain.cleanup.plan import CacheListing, Facts, Listing
from bot.domain.cleanup.rules import FileRules, Root, Rules, Stage, cut_off
from bot.domain.cleanup.zombies import Parent, parents
from bot.domain.operations.plan import JsonObject
from bot.engine.operations.contract import OperationRefused, StepFailed, Stopped, Work
from bot.tools.cleanup import caches, lists, zombies
from bot.tools.cleanup.commands import Run
from bot.tools.cleanup.deep_scan import Held, held
from bot.tools.cleanup.in_use import InUse
from bot.tools.cleanup.journal import Header, JournalUnreadable
from bot.tools.cleanup.quarantine import Move, check, put
from bot.tools.cleanup.scan import RootUnusable, scan, write_lines
from bot.tools.cleanup.tally import QuarantineUnusable, Stop, Tally

Spans = tuple[datetime, datetime]
Saved = Mapping[bytes, int]
"""By a root's path: until when its files are in a backup (`saved_until`)."""

_SETTLED_SECONDS = 0.3
"""between two looks at zombies"""
FRESH_SECONDS = 1.0
"""how old a look at what is in use may be; the lease of each file is asked for at the very moment"""


class Watch:
    """What is in use, looked at again when the last look is too old."""

    def __init__(self, names: Sequence[str], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._names = tuple(names)
        self._monotonic = monotonic
        self._last: tuple[float, Held] | None = None

    def look(self) -> Held:
        """Who is protected and what is held, at most FRESH_SECONDS ago."""
        now = self._monotonic()
        if self._last is None or now - self._last[0] > FRESH_SECONDS:
            self._last = (now, held(self._names))
        return self._last[1]

    def use(self) -> InUse:
        """What is held."""
        return self.look().use


def gather(
    rules: Rules,
    stages: Sequence[Stage],
    subject: str,
    at: datetime,
    folder: Path,
    run: Run,
    stop: Stop,
    saved: Saved,
) -> Facts:
    """What the plan is made of; only lists in `folder` are written. Raises OperationRefused, ScanStopped."""
    now = held(rules.protected)
    files: dict[Stage, Listing] = {}
    listing: CacheListing | None = None
    try:
        for stage in stages:
            if stage in rules.files:
                files[stage] = scan(rules.files[stage], at, now.use, folder, stop, saved=saved)
        if Stage.CACHES in stages and rules.caches is not None:
            found = caches.find(rules.caches, run)
            path, digest = write_lines((entry.line for entry in found.entries), folder)
            listing = CacheListing(path, digest, found.entries, found.absent)
    except RootUnusable as unusable:
        raise OperationRefused("cleanup_root", root=unusable.root, detail=unusable.detail) from None
    except OSError as error:
        raise OperationRefused("cleanup_files", detail=error.strerror or str(error)) from None
    return Facts(
        subject=subject,
        at=at,
        quarantine_for=rules.quarantine_for,
        files=files,
        roots={stage: [root.shown for root in rules.files[stage].roots] for stage in files},
        caches=listing,
        zombies=_parents(rules) if Stage.ZOMBIES in stages else None,
        unseen=now.use.unseen > 0,
    )


def clean_files(
    rules: FileRules, stage: Stage, list_: tuple[str, str], at: datetime, spans: Spans,
    work: Work, watch: Watch, stop: Stop, saved: Saved,
) -> JsonObject:  # fmt: skip
    """Dry run and quarantine of the files in the list (`list_`: its path and hash). `spans`: when they are
    moved, and until when they are kept. Raises StepFailed, Stopped."""
    with as_step_failures():
        path = lists.read(*list_)
        if lists.strangers(rules.roots, path):
            raise StepFailed("cleanup_roots_changed")
        wanted = [
            (root, _move(rules, stage, root, list_[1], at, spans, work.run_id, saved))
            for root in rules.roots
            if any(True for _ in lists.below(root, path))
        ]
        tried, moved = Tally(), Tally()
        for root, move in wanted:
            tried.add(check(root, lists.below(root, path), move, watch.use(), lambda count: None, stop))
        total, done = tried.done, 0

        def tick(count: int) -> None:
            nonlocal done
            done += count
            work.progress(min(done, total), total, "file")

        tick(0)
        for root, move in wanted:
            if not moved.stopped and not tried.stopped:
                moved.add(put(root, lists.below(root, path), move, watch.use, tick, stop))
    active: list[JsonValue] = [kind.value for kind in watch.look().active]
    result: JsonObject = {
        "dry_run": tried.done,
        "moved": moved.done,
        "bytes": moved.bytes,
        "left": left_of(moved),
        "partial": active,
        "until": spans[1].isoformat(),
    }
    if tried.stopped or moved.stopped:
        raise Stopped(result)
    return result


def clean_caches(rules: Rules, list_: tuple[str, str], run: Run, work: Work, stop: Stop) -> JsonObject:
    """Remove what the list names. Raises StepFailed, Stopped."""
    if rules.caches is None:
        raise StepFailed("cleanup_roots_changed")
    try:
        with lists.read(*list_).open("rb") as file:
            approved = [entry_of(line) for line in file]
    except (lists.ListLost, ValueError, OSError) as error:
        raise StepFailed("cleanup_list_lost", detail=str(error)) from None
    done = 0

    def tick(count: int) -> None:
        nonlocal done
        done += count
        work.progress(done, len(approved), "cache_entry")

    removed = caches.remove(rules.caches, approved, run, tick, stop)
    if removed.failed:
        work.attach("caches-failed.txt", "\n".join(removed.failed) + "\n")
    failed: list[JsonValue] = list(removed.failed[:10])
    result: JsonObject = {"removed": removed.done, "gone": removed.gone, "failed": failed}
    if removed.stopped:
        raise Stopped(result)
    if removed.failed and not removed.done:
        raise StepFailed("cleanup_caches", detail=removed.failed[0])
    return result


def clean_zombies(rules: Rules, params: JsonObject, run: Run, stop: Stop) -> JsonObject:
    """Ask the supervisors that the plan names. Raises StepFailed, Stopped."""
    present = _parents(rules)
    asked = zombies.ask(_approved(params), present, run, stop)
    reported: list[JsonValue] = [_report(each) for each in present if each.restart is None]
    restarted: list[JsonValue] = list(asked.restarted)
    failed: list[JsonValue] = list(asked.failed)
    result: JsonObject = {
        "restarted": restarted,
        "reported": reported,
        "gone": asked.gone,
        "failed": failed,
    }
    if stop():
        raise Stopped(result)
    if asked.failed and not asked.restarted:
        raise StepFailed("cleanup_restart", detail=asked.failed[0])
    return result


def _move(
    rules: FileRules, stage: Stage, root: Root, digest: str, at: datetime, spans: Spans, run: int,
    saved: Saved,
) -> Move:  # fmt: skip
    header = Header(run, stage, root.path, *spans)
    return Move(header, digest, cut_off(rules, at), rules.age_by, rules.in_use_respected, saved[root.path])


def _parents(rules: Rules) -> tuple[Parent, ...]:
    """The parents whose zombies are there at two looks: a process that has just ended is one for a moment."""
    seen = zombies.dead()
    if not seen:
        return ()
    time.sleep(_SETTLED_SECONDS)
    now = held(rules.protected)
    lasting = [each for each in now.processes if not each.zombie or each.pid in seen]
    return parents(lasting, now.protected, rules.restart)


def _report(parent: Parent) -> dict[str, JsonValue]:
    return {
        "pid": parent.pid,
        "name": parent.name,
        "zombies": len(parent.zombies),
        "supervisor": parent.supervisor,
        "protected": parent.protected,
    }


def _approved(params: JsonObject) -> list[Parent]:
    found = params.get("parents")
    return [_parent(each) for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def _parent(each: Mapping[str, JsonValue]) -> Parent:
    restart, started, pid = each["restart"], each["started"], each["pid"]
    if not isinstance(pid, int) or not isinstance(started, int | float):
        raise StepFailed("cleanup_list_lost", detail="zombies")
    command = tuple(map(str, restart)) if isinstance(restart, list) else None
    return Parent(pid, str(each["name"]), started, (), None, command)


@contextmanager
def as_step_failures() -> Iterator[None]:
    """What keeps files from being moved, or from coming back, as a step's failure."""
    try:
        yield
    except lists.ListLost as lost:
        raise StepFailed("cleanup_list_lost", detail=str(lost)) from None
    except QuarantineUnusable as unusable:
        raise StepFailed(f"cleanup_{unusable.reason}", root=unusable.root, detail=unusable.detail) from None
    except JournalUnreadable as unreadable:
        raise StepFailed("cleanup_journal", detail=str(unreadable)) from None
    except OSError as error:
        raise StepFailed("cleanup_files", detail=error.strerror or str(error)) from None


def brought_back(tally: Tally) -> JsonObject:
    """Figures of what came back. Raises StepFailed when something could not: it stays in quarantine."""
    if tally.left:
        kept = tally.left.total()
        raise StepFailed("cleanup_not_restored", restored=tally.done, kept=kept, left=left_of(tally))
    return {"restored": tally.done, "bytes": tally.bytes}


def left_of(tally: Tally) -> dict[str, JsonValue]:
    """What was left, by reason, as facts."""
    return {reason.value: count for reason, count in sorted(tally.left.items()) if count}
