"""A home-made script that runs a service: `python shopctl.py FOLDER start|stop|status|usage|known …`. With
FOLDER/terse, its status tells by its exit status alone.
"""

from __future__ import annotations

import fcntl
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[4]))

from tests.tools.releases.doubles import keeper

SERVICE = str(Path(__file__).parents[1] / "service.py")


def main(folder: Path, words: list[str]) -> int:
    match words:
        case ["known", revision]:
            return 0 if (folder / "releases" / revision).is_dir() else 1
        case ["start", slot, revision, "--marker", marker, address]:
            with (folder / f"{slot}.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if keeper.look(folder / f"{slot}.json") is not None:
                    sys.stderr.write(f"slot {slot} is in use\n")
                    return 1
                host, port = address.split(":")
                given = {"GUARDIAN_REVISION": revision, "GUARDIAN_SLOT": slot, "GUARDIAN_MARKER": marker,
                         "RELEASES": str(folder / "releases"), "HOST": host, "PORT": port}  # fmt: skip
                keeper.start(folder / f"{slot}.json", [sys.executable, SERVICE], given, None)
                (folder / f"{slot}.what").write_text(json.dumps({"revision": revision, "marker": marker}))
        case ["stop", slot]:
            keeper.stop(folder / f"{slot}.json")
        case ["status", slot]:
            found = keeper.look(folder / f"{slot}.json")
            if found is None:
                return 3
            if not (folder / "terse").exists():
                what = json.loads((folder / f"{slot}.what").read_text())
                status = {**what, "alive": found["pid"] != 0, "restarts": found["restarts"],
                          "started_at": found["began_at"]}  # fmt: skip
                sys.stdout.write(json.dumps(status) + "\n")
        case ["usage", slot]:
            found = keeper.look(folder / f"{slot}.json")
            if found is None or not found["pid"]:
                return 1
            import psutil  # takes longer than all else, and is seldom needed

            process = psutil.Process(found["pid"])
            cpu = sum(process.cpu_times()[:2]) * 10
            sys.stdout.write(json.dumps({"cpu": cpu, "memory": process.memory_percent()}) + "\n")
        case _:
            sys.stderr.write(f"what is {words}?\n")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
