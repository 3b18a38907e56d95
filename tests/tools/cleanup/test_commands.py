"""Commands have an end, and a group of their own that goes with them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psutil
import pytest

from bot.tools.cleanup.commands import CommandFailed, run_command, runner


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", code]


def test_what_it_said() -> None:
    assert runner(60)(python("print('한글')")).out == "한글\n"


def test_its_last_words_when_it_fails() -> None:
    with pytest.raises(CommandFailed) as failed:
        run_command(python("import sys; sys.exit('no such image')"), 60)
    assert failed.value.detail == "no such image"
    assert not failed.value.absent


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(CommandFailed) as failed:
        run_command(["no-such-program-of-ours"], 60)
    assert failed.value.absent


def test_one_that_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(tmp_path / 'new')!r}, 'w').write(str(child.pid))\n"
        f"import os; os.rename({str(tmp_path / 'new')!r}, {str(tmp_path / 'pid')!r})\n"
        "child.wait()\n"
    )
    seconds = 0.5
    while not (tmp_path / "pid").exists():
        seconds *= 2  # on a slow machine it may not even have started in that time
        with pytest.raises(CommandFailed) as failed:
            run_command(python(code), seconds)
        assert "took longer" in failed.value.detail
    pid = int((tmp_path / "pid").read_text())
    try:
        assert psutil.Process(pid).wait(60) is None
    except psutil.NoSuchProcess:
        pass  # gone already


def test_our_secrets_are_none_of_its_business(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "not for others")
    said = run_command(python("import os; print(sorted(os.environ))"), 60).out
    assert "SLACK_BOT_TOKEN" not in said
    assert "PATH" in said
    assert os.environ["SLACK_BOT_TOKEN"]
