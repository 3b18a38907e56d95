"""`guardian doctor`: what is missing, and how to get it."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from bot.cli.examinations import install
from tests.cli.conftest import Result
from tests.ports import free_port
from tests.process import Process, configuration
from tests.waiting import eventually

Guardian = Callable[..., Result]


def configure(text: str) -> None:
    Path("guardian.yaml").write_text(f"language: en\n{text}", encoding="utf-8")


def _is_open(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def test_a_machine_with_everything_is_fine_and_nothing_is_left_behind(
    guardian: Guardian, tmp_path: Path
) -> None:
    configure(f"health: {{port: {free_port()}}}")
    result = guardian("doctor")
    assert result.code == 0, result.out
    assert "Nothing that is needed is missing." in result.out
    assert f"State directory {tmp_path / 'state'}: writable" in result.out
    assert [path.name for path in tmp_path.iterdir()] == ["guardian.yaml"]


def test_a_port_that_is_taken_is_a_problem(guardian: Guardian) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        configure(f"health: {{port: {port}}}")
        result = guardian("doctor")
    assert result.code == 1
    assert f"✗ Port {port} on 127.0.0.1 can't be used" in result.out
    assert "1 thing is missing." in result.out


async def test_beside_a_running_guardian_its_own_port_is_no_problem(
    guardian: Guardian, tmp_path: Path
) -> None:
    health = free_port()
    settings = {**configuration(tmp_path, health), "language": "en"}
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    process = Process(tmp_path, settings, kept, ("run", "--trial", "--port", str(free_port())))
    await process.start()
    try:
        await eventually(lambda: _is_open(health))
        beside = guardian("doctor")
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            (tmp_path / "guardian.yaml").write_text(f"{yaml.safe_dump(settings)}webhooks: {{port: {port}}}\n")
            taken = guardian("doctor")
    finally:
        await process.terminate()
    assert beside.code == 0, beside.out
    assert f"✓ A Guardian with this configuration is running already (process {process.pid})" in beside.out
    assert "is used by the Guardian that is running (health)" in beside.out
    assert "Nothing that is needed is missing." in beside.out
    assert taken.code == 1
    assert f"✗ Port {port} on 127.0.0.1 can't be used" in taken.out
    assert "running already" not in guardian("doctor").out


def test_a_state_directory_that_cannot_be_is_a_problem(guardian: Guardian) -> None:
    Path("file").touch()
    configure(f"state_directory: file/state\nhealth: {{port: {free_port()}}}")
    result = guardian("doctor")
    assert result.code == 1
    assert "can't be written" in result.out


def test_a_database_that_does_not_answer_is_a_problem(
    guardian: Guardian, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(f"health: {{port: {free_port()}}}")
    monkeypatch.setenv("DATABASE_URL", f"postgresql://guardian:geheim@127.0.0.1:{free_port()}/guardian")
    result = guardian("doctor")
    assert result.code == 1
    assert "does not answer" in result.out
    assert "geheim" not in result.out


def test_missing_tokens_are_a_note_and_wrong_ones_a_problem(
    guardian: Guardian, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(f"health: {{port: {free_port()}}}")
    assert "- For a real Slack these are not set: SLACK_BOT_TOKEN, SLACK_APP_TOKEN" in guardian("doctor").out
    monkeypatch.setenv("SLACK_BOT_TOKEN", "geheim")
    result = guardian("doctor")
    assert result.code == 1
    assert "✗ Of the wrong kind or unreadable: SLACK_BOT_TOKEN" in result.out
    assert "geheim" not in result.out


_BACKUP = """
backup:
  program: {program}
  local: {{path: /srv/local}}
  offsite: {{path: /mnt/offsite}}
  sources: {{files: {{kind: user_data, paths: [/srv/files]}}}}
"""


def restic(tmp_path: Path, says: str) -> str:
    """A program that says which restic it is; its path."""
    program = tmp_path / "some-restic"
    program.write_text(f"#!/bin/sh\necho '{says}'\n", encoding="utf-8")
    program.chmod(0o755)
    return str(program)


@pytest.fixture
def passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """What opens the repositories."""
    for variable in ("GUARDIAN_BACKUP_PASSWORD", "GUARDIAN_BACKUP_OFFSITE_PASSWORD"):
        monkeypatch.setenv(variable, "geheim-geheim")


@pytest.mark.usefixtures("passwords")
@pytest.mark.parametrize(
    ("says", "code", "told"),
    [
        ("restic 0.14.0 compiled with go1.19.8 on linux/amd64", 0, "✓ restic 0.14.0 (for backups"),
        ("restic 0.17.3-dev (compiled manually)", 0, "✓ restic 0.17.3-dev (for backups"),
        ("restic 1.0.0", 0, "✓ restic 1.0.0 (for backups"),
        ("restic 0.9.6 compiled with go1.12", 1, "✗ restic 0.9.6 is too old for backups"),
        ("another program", 1, "(another program). Without it"),
    ],
)
def test_backups_need_a_restic_that_is_new_enough(
    guardian: Guardian, tmp_path: Path, says: str, code: int, told: str
) -> None:
    program = restic(tmp_path, says)
    configure(f"health: {{port: {free_port()}}}{_BACKUP.format(program=program)}")
    result = guardian("doctor")
    assert told in result.out
    assert result.code == code, result.out
    assert "geheim" not in result.out


@pytest.mark.usefixtures("passwords")
def test_without_restic_backups_are_a_problem_and_it_says_how_to_install_it(
    guardian: Guardian, tmp_path: Path
) -> None:
    configure(f"health: {{port: {free_port()}}}{_BACKUP.format(program=tmp_path / 'none')}")
    result = guardian("doctor")
    assert result.code == 1
    assert f"✗ No restic: {tmp_path / 'none'}. Without it" in result.out
    how = install("restic", "restic")
    assert f"    Install it: {how}\n" in result.out if how else "Install it:" not in result.out


def test_without_backups_no_restic_is_a_note(
    guardian: Guardian, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(f"health: {{port: {free_port()}}}")
    monkeypatch.setenv("PATH", str(tmp_path))
    result = guardian("doctor")
    assert "- No restic: restic. Without it" in result.out
    assert result.code == 0, result.out


def test_it_speaks_korean(guardian: Guardian) -> None:
    assert "상태 디렉터리" in guardian("doctor").out
