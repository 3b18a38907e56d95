"""The part of the configuration for backups: `backup`.

What makes backups is imported where the section becomes it: it costs 1.5 MB, which is for those who have one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from bot.config.elsewhere import PlainName
from bot.config.problems import ConfigProblem, ConfigurationInvalid
from bot.config.secrets import read_secret
from bot.config.values import Duration, HttpUrl, Variable, between
from bot.config.watching import Section
from bot.domain.backup.gate import DEFAULT_WITHIN
from bot.domain.backup.repositories import Place
from bot.domain.backup.retention import KEEP
from bot.domain.backup.sources import DEFAULT_MAX_AGE, Dump, Source, SourceKind
from bot.domain.durations import parse_duration

if TYPE_CHECKING:
    from bot.engine.operations.backup.desk import Scheduled
    from bot.engine.operations.backup.vault import VaultRules
    from bot.tools.restic.repository import Repository
    from bot.tools.restic.running import Patience

_NUMBERED_DAY = re.compile(r"\d")
_LINE = re.compile(r"\S+( \S+){4}")


def _times(value: object) -> str | timedelta:
    """A crontab line, or an interval. Numbers for weekdays are refused: cron begins to count on Sunday,
    APScheduler on Monday, and neither says so."""
    text = " ".join(str(value).split())
    if not _LINE.fullmatch(text):
        try:
            interval = parse_duration(text)
        except ValueError:
            raise PydanticCustomError("backup_times", "no times", {"text": text[:80]}) from None
        return between("10m", "31d")(interval)
    from apscheduler.triggers.cron import CronTrigger

    if _NUMBERED_DAY.search(text.rpartition(" ")[2]):
        raise PydanticCustomError("backup_weekday", "numbered weekday", {"text": text[:80]})
    try:
        CronTrigger.from_crontab(text, timezone="UTC")
    except ValueError:
        raise PydanticCustomError("backup_times", "no times", {"text": text[:80]}) from None
    return text


Times = Annotated[
    str | timedelta,
    BeforeValidator(_times),
    WithJsonSchema({"type": "string", "description": "`0 3 * * *`, `0 3 * * mon`, or an interval: 6h"}),
]


def _absolute(value: str) -> str:
    if not value.startswith("/") or "\0" in value:
        raise PydanticCustomError("backup_path", "not absolute", {"text": value[:80]})
    return value


AbsolutePath = Annotated[str, AfterValidator(_absolute), Field(max_length=4000)]
Paths = Annotated[tuple[AbsolutePath, ...], Field(strict=False, max_length=200)]
Words = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(strict=False, min_length=1)]


def _filename(value: str) -> str:
    if not value or "/" in value or value.startswith(".") or "\0" in value:
        raise PydanticCustomError("backup_filename", "no file name", {"text": value[:80]})
    return value


class DumpSettings(Section):
    """A program whose output is the backup. It is run as it stands, without a shell."""

    command: Words = Field(description="Program and arguments, such as [pg_dump, --format=custom, shop].")
    filename: Annotated[str, AfterValidator(_filename)] = Field(
        description="What its output is called in the backup."
    )
    variables: Annotated[tuple[Variable, ...], Field(strict=False)] = Field(
        default=(), description="Environment variables that it is given, such as PGPASSWORD. No others are."
    )


class SourceSettings(Section):
    """One thing that is backed up: `paths` or `dump`."""

    kind: Literal["database", "configs", "code", "user_data"] = Field(
        description="One of the document's four kinds."
    )
    paths: Paths = Field(default=(), description="Absolute paths. Of `code`: Git working trees.")
    dump: DumpSettings | None = Field(default=None, description="A program whose output is the backup.")
    exclude: Paths = Field(default=(), description="Absolute paths below `paths` that are left out.")
    schedule: Times | None = Field(default=None, description="When. Default: `schedule` of the whole.")
    max_age: Annotated[Duration, AfterValidator(between("1h", "90d"))] = Field(
        default=DEFAULT_MAX_AGE, description="A newest backup that is older is late, and an alert."
    )

    @model_validator(mode="after")
    def _is_one_of_the_two(self) -> SourceSettings:
        if bool(self.paths) == (self.dump is not None):
            raise PydanticCustomError("backup_source", "paths or dump")
        return self


class LocalSettings(Section):
    """The repository on this machine."""

    path: AbsolutePath = Field(description="Its folder, on a disk of its own where possible.")
    variable: Variable = Field(
        default="GUARDIAN_BACKUP_PASSWORD",
        description="The environment variable with its password, or with _FILE behind: a file's name.",
    )


class OffsiteSettings(Section):
    """The second repository: `s3`, or `path` on another medium."""

    s3: HttpUrl | None = Field(default=None, description="https://HOST/BUCKET/FOLDER.")
    path: AbsolutePath | None = Field(default=None, description="A folder on another medium.")
    variable: Variable = Field(
        default="GUARDIAN_BACKUP_OFFSITE_PASSWORD",
        description="The environment variable with its password, or with _FILE behind: a file's name.",
    )
    key_id_variable: Variable = Field(
        default="AWS_ACCESS_KEY_ID", description="The variable with the name of the S3 key."
    )
    key_variable: Variable = Field(
        default="AWS_SECRET_ACCESS_KEY", description="The variable with the S3 key itself."
    )
    same_medium: Literal["refused", "allowed"] = Field(
        default="refused",
        description="Whether a backup counts as verified although both repositories are on one disk: for "
        "trying it out. The status says so all the same.",
    )
    may_delete: bool = Field(
        default=False,
        description="Whether our key may delete there. Better not: the storage's own rules end what is old.",
    )

    @model_validator(mode="after")
    def _is_one_of_the_two(self) -> OffsiteSettings:
        if (self.s3 is None) == (self.path is None):
            raise PydanticCustomError("backup_offsite", "s3 or path")
        return self


class BackupSettings(Section):
    """Backups 3-2-1: the data, a local repository, a second one off-site."""

    local: LocalSettings = Field(description="The repository on this machine.")
    offsite: OffsiteSettings = Field(description="The second repository, on another medium.")
    sources: dict[PlainName, SourceSettings] = Field(
        min_length=1, description="What is backed up, by name."
    )  # fmt: skip
    schedule: Times = Field(default="0 3 * * *", description="When: a crontab line, or an interval.")
    verification: Times | None = Field(
        default="30 5 * * *",
        description="When the newest ones are proven anew; null: only once made.",
    )
    drill: bool = Field(
        default=True, description="Whether the verification restores each newest backup whole, and times it."
    )
    keep: Annotated[Duration, AfterValidator(between("1d", "3660d"))] = Field(
        default=KEEP, description="How long backups are kept; the last verified one is kept for ever."
    )
    within: Annotated[Duration, AfterValidator(between("10m", "31d"))] = Field(
        default=DEFAULT_WITHIN, description="How old a verified backup may be of what other operations touch."
    )
    timeout: Annotated[Duration, AfterValidator(between("1m", "7d"))] = Field(
        default=timedelta(hours=6), description="How long one command of restic may take."
    )
    program: str = Field(default="restic", min_length=1, description="restic, 0.14 or later.")

    def sources_of(self) -> tuple[Source, ...]:
        """The sources, in the order of the configuration."""
        return tuple(
            Source(
                name=name,
                kind=SourceKind(each.kind),
                paths=each.paths,
                dump=None
                if each.dump is None
                else Dump(each.dump.command, each.dump.filename, each.dump.variables),
                exclude=each.exclude,
                max_age=each.max_age,
            )
            for name, each in self.sources.items()
        )

    def scheduled(self) -> tuple[Scheduled, ...]:
        """What is started when; sources that have the same times are one run."""
        from bot.engine.operations.backup.desk import planned

        together: dict[str | timedelta, list[str]] = {}
        for name, each in self.sources.items():
            together.setdefault(each.schedule or self.schedule, []).append(name)
        return planned(together, self.verification)

    def rules(self, folder: Path, zone: ZoneInfo) -> VaultRules:
        """How backups are handled; `folder` is the Guardian's own."""
        from bot.engine.operations.backup.vault import VaultRules

        return VaultRules(folder, zone, self.keep, self.drill, self.offsite.same_medium == "allowed")

    def patience(self) -> Patience:
        """How long restic may take."""
        from bot.tools.restic.running import Patience

        return Patience(self.timeout)


@dataclass(frozen=True, slots=True)
class BackupSecrets:
    """What opens the repositories."""

    local: SecretStr
    offsite: SecretStr
    key_id: SecretStr | None = None
    key: SecretStr | None = None

    def all(self) -> Iterator[SecretStr]:
        """Every secret there is, for the logs to mask."""
        yield from (each for each in (self.local, self.offsite, self.key) if each is not None)

    @classmethod
    def from_environment(cls, settings: BackupSettings, environment: Mapping[str, str]) -> BackupSecrets:
        """What these settings need. Raises ConfigurationInvalid with all that is missing or unreadable."""
        wanted = {
            "backup.local.variable": settings.local.variable,
            "backup.offsite.variable": settings.offsite.variable,
        }
        if settings.offsite.s3 is not None:
            wanted["backup.offsite.key_id_variable"] = settings.offsite.key_id_variable
            wanted["backup.offsite.key_variable"] = settings.offsite.key_variable
        found: dict[str, SecretStr] = {}
        problems: list[ConfigProblem] = []
        for path, variable in wanted.items():
            try:
                secret = read_secret(environment, variable)
            except ConfigurationInvalid as invalid:
                problems += invalid.problems
                continue
            if secret is None:
                problems.append(ConfigProblem(path, None, "variable_missing", {"variable": variable}))
            else:
                found[path] = secret
        if problems:
            raise ConfigurationInvalid(problems)
        return cls(*(found.get(path) for path in wanted))  # type: ignore[arg-type]  # the first two are there

    def repositories(self, settings: BackupSettings) -> tuple[Repository, Repository]:
        """The local repository, and the one off-site."""
        from bot.tools.restic.repository import Repository

        local = Repository(Place.LOCAL, settings.local.path, _password(self.local), may_delete=True)
        secrets = _password(self.offsite)
        if self.key_id is not None and self.key is not None:
            secrets |= {
                "AWS_ACCESS_KEY_ID": self.key_id.get_secret_value(),
                "AWS_SECRET_ACCESS_KEY": self.key.get_secret_value(),
            }
        offsite = settings.offsite
        location = offsite.path if offsite.s3 is None else f"s3:{offsite.s3}"
        return local, Repository(Place.OFFSITE, str(location), secrets, offsite.may_delete)


def _password(secret: SecretStr) -> dict[str, str]:
    return {"RESTIC_PASSWORD": secret.get_secret_value()}
