"""A systemctl: `python systemctl.py FOLDER …`. It knows the commands of the Guardian and no others, and
answers as systemctl(1) describes. FOLDER/unit.json has what a unit file would: the template of a name,
`ExecStart` and `EnvironmentFile`, in which %i is the instance.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import sys
import time
from pathlib import Path
from typing import NoReturn

sys.path.insert(0, str(Path(__file__).parents[4]))

from tests.tools.releases.doubles import keeper


def die(status: int, words: str) -> NoReturn:
    sys.stderr.write(words + "\n")
    sys.exit(status)


def show(file: Path, wanted: str) -> None:
    found = keeper.look(file)
    resting = "failed" if file.with_suffix(".failed").exists() else "inactive"
    running = found is not None and found["pid"] != 0
    properties = {
        "ActiveState": "active" if running else "activating" if found else resting,
        "SubState": "running" if running else "auto-restart" if found else "dead",
        "MainPID": str(found["pid"]) if found else "0",
        "NRestarts": str(found["restarts"]) if found else "0",
        "ExecMainStartTimestampMonotonic": str(int(found["began"] * 1e6)) if found else "0",
        "InvocationID": found["invocation"] if found else "",
        "LoadState": "loaded",
    }
    # In an order of its own, as the real one does, and those it doesn't know are left out.
    for name, value in properties.items():
        if name in wanted.split(","):
            sys.stdout.write(f"{name}={value}\n")


def restart(folder: Path, file: Path, unit: dict[str, object], instance: str) -> None:
    environment_file = Path(str(unit["EnvironmentFile"]).replace("%i", instance))
    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # systemd does one job of a unit at a time
        keeper.stop(file)
        if not environment_file.exists():
            file.with_suffix(".failed").touch()
            die(1, f"Job for {file.stem} failed because of unavailable resources or another system error.")
        command = unit["ExecStart"]
        assert isinstance(command, list)
        keeper.start(file, command, {"PATH": os.environ["PATH"]}, environment_file)


def main(folder: Path, words: list[str]) -> None:
    unit = json.loads((folder / "unit.json").read_text())
    words = [word for word in words if word not in ("--no-ask-password", "--user")]
    command, name = words[0], words[-1]
    instance = re.fullmatch(str(unit["name"]).replace("%i", r"(\w+)"), name)
    file = folder / f"{name}.json"
    if instance is None:
        if command == "show":
            sys.stdout.write("MainPID=0\nLoadState=not-found\nActiveState=inactive\nSubState=dead\n")
            return
        die(5, f"Failed to {command} {name}: Unit {name} not found.")
    match words[:-1]:
        case ["show", "--property", wanted]:
            show(file, wanted)
        case ["reset-failed"]:
            file.with_suffix(".failed").unlink(missing_ok=True)
        case ["restart"]:
            restart(folder, file, unit, instance[1])
        case ["stop"]:
            keeper.stop(file)
        case ["hang"]:
            time.sleep(600)
        case _:
            die(1, f"Unknown command verb '{command}'.")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
