"""Keeps one command running, for the doubles of systemctl and docker and for a home-made script: what systemd
and dockerd do for them. `python keeper.py FILE` reads its order from FILE.order and writes what is to FILE.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PAUSE = 0.05
"""seconds before it starts it again"""


def variables(path: Path) -> dict[str, str]:
    """An environment file as systemd reads it: comments left out, values in double quotes."""
    found = {}
    for line in path.read_text().splitlines():
        if line and not line.startswith(("#", ";")):
            name, _, value = line.partition("=")
            plain, quoted = "", value.removeprefix('"').removesuffix('"')
            letters = iter(quoted)
            for letter in letters:
                plain += next(letters) if letter == "\\" else letter
            found[name] = plain
    return found


def start(
    file: Path, command: Sequence[str], environment: Mapping[str, str], environment_file: Path | None
) -> None:
    """Have a keeper, and wait until it has started the command."""
    order = {"command": list(command), "environment": dict(environment),
             "environment_file": None if environment_file is None else str(environment_file)}  # fmt: skip
    file.with_suffix(".order").write_text(json.dumps(order))
    subprocess.Popen(
        [sys.executable, __file__, str(file)],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while look(file) is None:
        time.sleep(0.01)


def look(file: Path) -> dict[str, Any] | None:
    """What is kept; None when nothing is."""
    with suppress(OSError, ValueError):
        found: dict[str, Any] = json.loads(file.read_text())
        os.kill(found["keeper"], 0)
        return found
    return None


def stop(file: Path) -> bool:
    """End the keeper and what it keeps, and wait for it; whether there was any."""
    found = look(file)
    if found is None:
        return False
    os.kill(found["keeper"], signal.SIGTERM)
    while file.exists():
        time.sleep(0.01)
    return True


def main(file: Path) -> None:
    """Keep it running until asked to end."""
    order = json.loads(file.with_suffix(".order").read_text())
    ending = threading.Event()
    process: subprocess.Popen[bytes] | None = None

    def end(number: int, frame: object) -> None:
        ending.set()
        if process is not None and process.returncode is None:
            os.killpg(process.pid, signal.SIGTERM)

    signal.signal(signal.SIGTERM, end)
    restarts = 0
    while not ending.is_set():
        given = variables(Path(order["environment_file"])) if order["environment_file"] else {}
        process = subprocess.Popen(
            order["command"], env={**order["environment"], **given}, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        known = {
            "keeper": os.getpid(), "pid": process.pid, "restarts": restarts, "invocation": uuid.uuid4().hex,
            "began": time.clock_gettime(time.CLOCK_MONOTONIC), "began_at": datetime.now(UTC).isoformat(),
        }  # fmt: skip
        tell(file, known)
        if ending.is_set():
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()
        restarts += 1
        if not ending.is_set():
            tell(file, {**known, "pid": 0, "restarts": restarts})
            time.sleep(PAUSE)
    file.unlink()


def tell(file: Path, known: Mapping[str, object]) -> None:
    """Write down what is kept, whole or not at all."""
    new = file.with_suffix(".new")
    new.write_text(json.dumps(known))
    os.replace(new, file)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
