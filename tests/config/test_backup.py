"""The section `backup`, by itself."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from pydantic import ValidationError

from bot.config.backup import BackupSecrets, BackupSettings
from bot.config.problems import ConfigurationInvalid
from bot.domain.backup.sources import SourceKind
from messages.catalog import load

GOOD = """
local: {path: /mnt/backup/guardian}
offsite: {s3: https://s3.example.com/bucket/guardian}
sources:
  shop:
    kind: database
    dump: {command: [pg_dump, --format=custom, shop], filename: shop.dump, variables: [PGPASSWORD]}
    schedule: 6h
  uploads: {kind: user_data, paths: [/srv/uploads], exclude: [/srv/uploads/cache]}
  etc: {kind: configs, paths: [/etc/shop]}
"""
SECRETS = {
    "GUARDIAN_BACKUP_PASSWORD": "one",
    "GUARDIAN_BACKUP_OFFSITE_PASSWORD": "two",
    "AWS_ACCESS_KEY_ID": "id",
    "AWS_SECRET_ACCESS_KEY": "key",
}


def settings(text: str = GOOD) -> BackupSettings:
    """What that YAML becomes."""
    return BackupSettings.model_validate(yaml.safe_load(text))


def test_defaults_are_the_documents() -> None:
    rules = settings().rules(Path("/state"), ZoneInfo("Asia/Seoul"))
    assert rules.keep == timedelta(days=90)
    assert rules.drill
    assert not settings().offsite.may_delete
    kinds = [(each.name, each.kind) for each in settings().sources_of()]
    assert kinds == [
        ("shop", SourceKind.DATABASE),
        ("uploads", SourceKind.USER_DATA),
        ("etc", SourceKind.CONFIGS),
    ]


def test_sources_of_the_same_times_are_one_run() -> None:
    planned = [(each.when, each.operation, each.request) for each in settings().scheduled()]
    assert planned == [
        (timedelta(hours=6), "backup", {"sources": ["shop"]}),
        ("0 3 * * *", "backup", {"sources": ["uploads", "etc"]}),
        ("30 5 * * *", "backup_verify", {}),
    ]


def test_secrets_go_to_restic_by_its_environment_and_show_nowhere() -> None:
    secrets = BackupSecrets.from_environment(settings(), SECRETS)
    local, offsite = secrets.repositories(settings())
    assert local.may_delete
    assert offsite.location == "s3:https://s3.example.com/bucket/guardian"
    assert offsite.secrets["AWS_SECRET_ACCESS_KEY"] == "key"
    assert "two" not in f"{secrets} {local} {offsite}"


def test_a_password_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("from a file\n")
    environment = {**SECRETS, "GUARDIAN_BACKUP_PASSWORD": "", "GUARDIAN_BACKUP_PASSWORD_FILE": str(file)}
    local, _ = BackupSecrets.from_environment(settings(), environment).repositories(settings())
    assert local.secrets == {"RESTIC_PASSWORD": "from a file"}


def test_everything_that_is_missing_is_told_at_once() -> None:
    with pytest.raises(ConfigurationInvalid) as invalid:
        BackupSecrets.from_environment(settings(), {})
    assert [each.values["variable"] for each in invalid.value.problems] == list(SECRETS)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("schedule: 6h", "schedule: often", "backup_times"),
        ("schedule: 6h", "schedule: 61 3 * * *", "backup_times"),
        ("schedule: 6h", "schedule: 0 3 * * 1", "backup_weekday"),
        ("schedule: 6h", "schedule: 5s", "duration_range"),
        ("[/srv/uploads]", "[srv/uploads]", "backup_path"),
        ("filename: shop.dump", "filename: ../shop.dump", "backup_filename"),
        ("paths: [/etc/shop]", "paths: []", "backup_source"),
        ("paths: [/etc/shop]", "paths: [/etc/shop], dump: {command: [x], filename: x}", "backup_source"),
        ("{s3: https://s3.example.com/bucket/guardian}", "{}", "backup_offsite"),
        ("{s3: https://s3.example.com/bucket/guardian}", "{s3: ftp://x}", "url_scheme"),
        ("kind: configs", "kind: config", "literal_error"),
    ],
)
def test_what_is_wrong_is_refused_by_a_code_that_has_words(old: str, new: str, code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        settings(GOOD.replace(old, new))
    assert [each["type"] for each in refused.value.errors()] == [code]
    if code.startswith("backup_"):
        assert f"config.{code}" in load("ko")


def test_a_weekday_by_its_name() -> None:
    assert settings(GOOD.replace("6h", "0 3 * * sun")).scheduled()[0].when == "0 3 * * sun"
