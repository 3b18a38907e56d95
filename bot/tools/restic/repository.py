"""A repository as restic reaches it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.backup.repositories import Place

_S3 = "s3:"


@dataclass(frozen=True, slots=True)
class Repository:
    """`secrets` are environment variables: RESTIC_PASSWORD or RESTIC_PASSWORD_FILE, and what S3 wants.
    `may_delete` is False where the storage takes new data only: a burglar with our keys can't delete either.
    """

    place: Place
    location: str
    """a path, or `s3:https://HOST/BUCKET/FOLDER`"""
    secrets: Mapping[str, str] = field(repr=False)
    may_delete: bool = False

    @property
    def path(self) -> str | None:
        """Where it is on this machine's file systems; None for S3."""
        return None if self.location.startswith(_S3) else self.location

    @property
    def server(self) -> str | None:
        """The server of an S3 repository, with its scheme; None for a path."""
        if self.path is not None:
            return None
        scheme, _, rest = self.location.removeprefix(_S3).rpartition("://")
        host = rest.partition("/")[0]
        return f"{scheme or 'https'}://{host}"

    def as_source(self) -> dict[str, str]:
        """The secrets by the names under which restic takes those of a repository to copy from."""
        return {name.replace("RESTIC_", "RESTIC_FROM_", 1): value for name, value in self.secrets.items()}
