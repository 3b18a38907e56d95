"""`guardian run --trial`: what keeps it from starting, and who can read what it writes."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.process import Process, configuration
from tests.waiting import eventually


def trial(folder: Path, port: int, language: str = "ko") -> Process:
    settings = {**configuration(folder, free_port()), "language": language}
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return Process(folder, settings, kept, ("run", "--trial", "--port", str(port)))


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("ko", "포트 {port}번을 다른 프로그램이 쓰고 있습니다."), ("en", "Another program uses port {port}.")],
)
async def test_a_taken_port_is_said_in_the_readers_language_with_the_way_out(
    tmp_path: Path, language: str, sentence: str
) -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        port = int(door.getsockname()[1])
        process = trial(tmp_path, port, language)
        await process.start()
        assert await process.wait() == 2
    said = process.said()
    assert sentence.format(port=port) in said
    assert 'make run ARGS="--port ' in said
    assert "choose another one" not in said
    assert "Traceback" not in said


async def test_what_it_writes_is_nobody_elses(tmp_path: Path) -> None:
    process = trial(tmp_path, free_port())
    await process.start()
    try:
        await eventually(lambda: "Ctrl+C" in process.said())
        state = tmp_path / "state"
        await eventually(lambda: (state / "guardian.db-wal").exists())
        modes: dict[Path, int] = {}
        for path in (state, *state.rglob("*")):
            with contextlib.suppress(FileNotFoundError):  # SQLite removes its journals again
                modes[path] = stat.S_IMODE(path.stat().st_mode)
    finally:
        await process.terminate()
    assert {"guardian.db", "workspace.sqlite3", "workspace.log", "manifest.yaml"} <= {p.name for p in modes}
    # What a release writes is as that service's group has it, in a folder that nobody else comes into.
    releases = state / "deploy" / "releases"
    inside = {path for path in modes if releases in path.parents}
    assert {path.name: oct(modes[path]) for path in modes.keys() - inside if modes[path] & 0o077} == {}


async def test_a_directory_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    state.chmod(0o750)
    process = trial(tmp_path, free_port())
    await process.start()
    try:
        await eventually(lambda: (state / "guardian.db").exists())
        assert stat.S_IMODE(state.stat().st_mode) == 0o750
        assert stat.S_IMODE((state / "guardian.db").stat().st_mode) == 0o600
    finally:
        await process.terminate()
