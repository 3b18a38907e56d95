"""The command line as people use it: in a directory of its own, without this machine's settings."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.cli import main
from tests.stages import idle, slack, stage

__all__ = ["guardian", "idle", "slack", "stage"]


@dataclass(frozen=True)
class Result:
    """What a command did."""

    code: int
    out: str
    err: str


Guardian = Callable[..., Result]


@pytest.fixture
def guardian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Guardian:
    """Runs a command line in an empty directory with an empty environment."""
    variables = (
        "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_API_URL", "DATABASE_URL",
        "GUARDIAN_CONFIG", "XDG_STATE_HOME",
    )  # fmt: skip
    for variable in variables:
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(f"{variable}_FILE", raising=False)
    monkeypatch.setenv("GUARDIAN_STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Result:
        code = main(list(arguments))
        out, err = capsys.readouterr()
        return Result(code, out, err)

    return run
