"""What `check` and `doctor` say of variables that the configuration needs."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Result
from tests.ports import free_port

Guardian = Callable[..., Result]


def configure() -> None:
    Path("guardian.yaml").write_text(
        "language: en\n"
        f"health: {{port: {free_port()}}}\n"
        f"webhooks: {{port: {free_port()}}}\n"
        "second_way: {apprise: {sms: {variable: OUR_SMS}}}\n",
        encoding="utf-8",
    )


def test_missing_variables_are_a_note_for_check_and_a_problem_for_doctor(
    guardian: Guardian, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure()
    checked = guardian("check")
    assert checked.code == 0
    assert "not set here: GUARDIAN_WEBHOOK_SECRET, OUR_SMS" in checked.out
    examined = guardian("doctor")
    assert examined.code == 1
    assert (
        "✗ The configuration needs environment variables that are not set: GUARDIAN_WEBHOOK_SECRET, OUR_SMS"
        in (examined.out)
    )
    monkeypatch.setenv("GUARDIAN_WEBHOOK_SECRET", "geheim-geheim")
    monkeypatch.setenv("OUR_SMS", "json://geheim")
    assert "OUR_SMS" not in guardian("check").out
    examined = guardian("doctor")
    assert examined.code == 0, examined.out
    assert "✓ What webhooks, watchdog, second way and backups need is set" in examined.out
    assert "geheim" not in examined.out


def test_a_secret_that_is_too_short_is_refused(guardian: Guardian, monkeypatch: pytest.MonkeyPatch) -> None:
    configure()
    monkeypatch.setenv("GUARDIAN_WEBHOOK_SECRET", "geheim")
    result = guardian("check")
    assert result.code == 2
    assert "GUARDIAN_WEBHOOK_SECRET is too short" in result.out + result.err
    assert "geheim" not in result.out + result.err
    assert "✗ Unreadable or of no use: GUARDIAN_WEBHOOK_SECRET" in guardian("doctor").out
