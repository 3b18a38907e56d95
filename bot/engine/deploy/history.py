"""What the repository of a service tells: which commit a revision is, what comes with it, what there is."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from pydantic import JsonValue

from bot.domain.deploy.notes import Direction, ReleaseNotes, Tag
from bot.domain.deploy.risk import Size
from bot.domain.deploy.service import Service
from bot.engine.operations.contract import OperationRefused
from bot.tools.git_history import HistoryUnknown, release_notes, resolve, tags

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Notes:
    """Release notes, as plans use them."""

    notes: ReleaseNotes

    @property
    def size(self) -> Size | None:
        """How much changes; None where there is nothing to compare with."""
        its = self.notes
        if its.files is None:
            return None
        return Size(its.coming + its.going, its.files, (its.insertions or 0) + (its.deletions or 0))

    @property
    def backwards(self) -> bool:
        """Whether an older revision replaces a newer one."""
        return self.notes.direction is Direction.BACKWARDS

    def as_json(self) -> dict[str, JsonValue]:
        """For the card."""
        its = self.notes
        return {
            "count": its.coming,
            "going": its.going,
            "backwards": self.backwards,
            "committed_at": its.commit_at.isoformat(),
            "files": its.files or 0,
            "insertions": its.insertions or 0,
            "deletions": its.deletions or 0,
            "commits": [
                {"id": each.short, "at": each.at.isoformat(), "author": each.author, "subject": each.subject}
                for each in its.commits
            ],
        }


class History:
    """Asks repositories. A service without one has no notes, and its revisions are what people type."""

    async def resolve(self, service: Service, revision: str) -> str | None:
        """The commit of a revision; None where no repository tells. Raises OperationRefused for a revision
        that the repository does not have."""
        if service.repository is None:
            return None
        try:
            return await resolve(service.repository, revision)
        except HistoryUnknown as unknown:
            if unknown.reason == "unknown_revision":
                known: list[JsonValue] = [tag.name for tag in (await self.tags(service))[:10]]
                raise OperationRefused("deploy_revision_unknown", revision=revision, known=known) from None
            log.warning("repository_not_read", service=service.name, reason=unknown.reason, **unknown.values)
            raise OperationRefused("deploy_repository", service=service.name, **unknown.values) from None

    async def notes(self, service: Service, old: str | None, new: str) -> Notes | None:
        """What comes with a revision; None where no repository tells."""
        if service.repository is None:
            return None
        try:
            return Notes(await release_notes(service.repository, old, new))
        except HistoryUnknown as unknown:
            # The release that is there may be older than the repository's memory: notes are no condition.
            log.info("no_release_notes", service=service.name, reason=unknown.reason)
            return None

    async def tags(self, service: Service) -> list[Tag]:
        """The newest revisions that have names; none where no repository tells."""
        if service.repository is None:
            return []
        try:
            return await tags(service.repository)
        except HistoryUnknown as unknown:
            log.info("no_tags", service=service.name, reason=unknown.reason)
            return []
