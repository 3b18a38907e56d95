"""What can be told of the image without an engine to build it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bot.config.settings import HealthSettings

ROOT = Path(__file__).parent.parent


def instructions() -> list[tuple[str, str]]:
    """Each instruction of the Dockerfile and its argument, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines if line.strip())]


def of(name: str) -> list[str]:
    return [rest for instruction, rest in instructions() if instruction == name]


@contextmanager
def health_port(status: int) -> Iterator[int]:
    """A server that answers GET /health with `status`; yields its port."""

    class Health(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health" else 404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the test's output stays readable."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Health) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def check_health(port: int) -> bool:
    """Run the image's health check, with a proxy in the environment that must not be asked."""
    _, _, command = of("HEALTHCHECK")[0].partition(" CMD ")
    program, *arguments = json.loads(command)
    assert program == "python"
    environment = os.environ | {"GUARDIAN_HEALTH_PORT": str(port), "http_proxy": "http://127.0.0.1:1"}
    done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, check=False)
    return done.returncode == 0


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_the_health_check_believes_the_status(status: int, healthy: bool) -> None:
    with health_port(status) as port:
        assert check_health(port) is healthy


def test_nobody_listening_is_not_healthy() -> None:
    with health_port(200) as port:
        pass
    assert not check_health(port)


def test_the_health_check_asks_the_port_that_is_the_default() -> None:
    (settings,) = [rest for rest in of("ENV") if "GUARDIAN_HEALTH_PORT" in rest]
    assert f"GUARDIAN_HEALTH_PORT={HealthSettings().port}" in settings.split()


def test_it_does_not_run_as_root_and_keeps_its_state_in_a_volume() -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", of("USER")[-1])
    (volume,) = of("VOLUME")
    (settings,) = [rest for rest in of("ENV") if "GUARDIAN_STATE_DIRECTORY" in rest]
    assert f"GUARDIAN_STATE_DIRECTORY={volume}" in settings.split()
    assert json.loads(of("ENTRYPOINT")[0]) + json.loads(of("CMD")[0]) == ["guardian", "run"]


def test_the_builder_gets_what_is_copied_and_nothing_else() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {word for rest in of("COPY") if "--from" not in rest for word in rest.split()[:-1]}
    assert copied == allowed


def test_no_secret_is_in_the_image() -> None:
    assert not re.search(r"(TOKEN|SECRET|PASSWORD)", (ROOT / "Dockerfile").read_text())
