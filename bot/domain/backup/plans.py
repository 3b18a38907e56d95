"""The plans of the operations: making backups, proving them, restoring one, replacing a lost repository."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from bot.domain.backup.repositories import Medium, Place
from bot.domain.backup.snapshots import Taken
from bot.domain.backup.sources import Source
from bot.domain.backup.subset import SHARES, share_of
from bot.domain.operations.plan import OnFailure, Plan, Step

NOW, VERIFY, RESTORE, REPLACE = "backup", "backup_verify", "backup_restore", "backup_replace"
"""The operations' names."""
SUBJECT = "backup"
"""One run at a time works on the repositories."""
REMOVE_RESTORED = "backup_remove_restored"


@dataclass(frozen=True, slots=True)
class Lost:
    """A repository that is not where it was. `count`: its backups, `left`: how many of these the other one
    has. `medium`: what is in its place now."""

    place: Place
    id: str
    location: str
    count: int
    left: int
    medium: Medium


def backup_plan(
    sources: Sequence[Source], new: Sequence[Place], at: datetime, day: datetime, may_forget: bool
) -> Plan:
    """Each source is saved and copied; then, once for all of them, the repositories are checked, because a
    check reads a repository and not a source; then each is proven by its canary; then old ones go. `new`: the
    repositories that are made first. `day`: `at` where the users live."""
    steps = [Step("backup_init", {"place": place.value}) for place in new]
    for source in sources:
        steps.append(Step("backup_take", {"source": source.name, "kind": source.kind.value}))
        steps.append(Step("backup_copy", {"source": source.name}))
    steps += _proving([each.name for each in sources], day)
    if may_forget:
        steps.append(Step("backup_retention"))
    shown: dict[str, JsonValue] = {"sources": [each.name for each in sources]}
    # What fails for one source is no reason to leave the others without a backup, and a backup that was made
    # and not proven is no harm: no step has anything to undo, and the next one is done all the same.
    return Plan(NOW, SUBJECT, at, tuple(steps), shown, on_failure=OnFailure.UNDO_STEP)


def verify_plan(taken: Sequence[Taken], at: datetime, day: datetime, drill: bool) -> Plan:
    """The newest backup of each source is proven anew; with `drill` each is restored whole, and timed."""
    steps = _proving([each.source for each in taken], day)
    if drill:
        steps += [Step("backup_drill", {"source": each.source}) for each in taken]
    shown: dict[str, JsonValue] = {"snapshots": {each.source: each.snapshot for each in taken}}
    return Plan(VERIFY, SUBJECT, at, tuple(steps), shown, on_failure=OnFailure.UNDO_STEP)


def restore_plan(taken: Taken, target: str, include: str | None, place: Place | None, at: datetime) -> Plan:
    """From that repository, or from whichever can give it, the local one first. Restored beside the target,
    compared, and only then put in its place: what is at `target` is whole."""
    what: dict[str, JsonValue] = {
        "source": taken.source,
        "snapshot": taken.snapshot,
        "target": target,
        "include": include,
        "place": None if place is None else place.value,
    }
    steps = (
        Step("backup_restore", what, undo=REMOVE_RESTORED),
        Step("backup_place", {"target": target}),
    )
    shown: dict[str, JsonValue] = {"taken_at": taken.taken_at.isoformat(), "size": taken.size}
    # Of another source, or to another place, it is another plan: both may wait for approval.
    topic = f"{taken.source} → {target}"
    return Plan(RESTORE, SUBJECT, at, steps, shown, on_failure=OnFailure.UNDO_ALL, topic=topic)


def replace_plan(lost: Lost, at: datetime) -> Plan:
    """What the lost repository had counts as gone, and a new one is made in its place. The next backup fills
    it: what can still be restored meanwhile is in the other one."""
    place = lost.place.value
    steps = (
        Step("backup_give_up", {"place": place, "id": lost.id, "count": lost.count}),
        Step("backup_init", {"place": place}),
    )
    shown: dict[str, JsonValue] = {
        "lost": place,
        "id": lost.id[:10],
        "count": lost.count,
        "left": lost.left,
        "location": lost.location,
        "medium": lost.medium.kind.value,
        "units": list[JsonValue](sorted(lost.medium.units)),
    }
    return Plan(REPLACE, SUBJECT, at, steps, shown, on_failure=OnFailure.STOP, topic=place)


def _proving(sources: Sequence[str], day: datetime) -> list[Step]:
    share = f"{share_of(day.date())}/{SHARES}"
    steps = [Step("backup_check", {"place": place.value, "share": share}) for place in Place]
    return [*steps, *(Step("backup_prove", {"source": name}) for name in sources)]
