"""A docker: `python docker.py FOLDER …`. It knows the commands of the Guardian and no others, and answers as
the real one does. An image `shop:TAG` is here when FOLDER/releases/TAG is; a container is a process of the
service, which listens where its port would be published.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import re
import socket
import sys
import time
import uuid
from pathlib import Path
from typing import Any, NoReturn

sys.path.insert(0, str(Path(__file__).parents[4]))

from tests.tools.releases.doubles import keeper

SERVICE = str(Path(__file__).parents[1] / "service.py")
BEGAN = "0001-01-01T00:00:00Z"


def die(status: int, words: str) -> NoReturn:
    sys.stderr.write(words + "\n")
    sys.exit(status)


class Book:
    """The containers, each a file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.containers = folder / "containers"
        self.containers.mkdir(parents=True, exist_ok=True)

    def all(self) -> dict[str, dict[str, Any]]:
        return {file.stem: json.loads(file.read_text()) for file in self.containers.glob("*.container")}

    def get(self, word: str) -> tuple[str, dict[str, Any]]:
        for identity, container in self.all().items():
            if word in (identity, container["name"]):
                return identity, container
        die(1, f"Error response from daemon: No such container: {word}")

    def keep(self, identity: str) -> Path:
        return self.containers / f"{identity}.json"

    def has(self, image: str) -> bool:
        if re.fullmatch(r"[a-z]+:[\w][\w.-]{0,127}", image) is None:
            die(1, f"invalid reference format: {image}")
        return (self.folder / "releases" / image.partition(":")[2]).is_dir()

    def show(self, identity: str, container: dict[str, Any]) -> dict[str, object]:
        found = keeper.look(self.keep(identity))
        running = found is not None and found["pid"] != 0
        status = "running" if running else "restarting" if found else container["status"]
        return {
            "Id": identity,
            "Created": "2026-11-29T12:00:00.123456789Z",
            "State": {
                "Status": status, "Running": bool(found), "Restarting": status == "restarting",
                "Paused": False, "Pid": found["pid"] if found else 0, "ExitCode": 0,
                "StartedAt": found["began_at"].replace("+00:00", "789Z") if found else BEGAN,
            },
            "Image": "sha256:" + "a" * 64,
            "Name": "/" + container["name"],
            "RestartCount": found["restarts"] if found else 0,
            "HostConfig": {"NanoCpus": 0, "RestartPolicy": {"Name": "unless-stopped"}},
            "Config": {"Labels": container["labels"], "Image": container["image"]},
        }  # fmt: skip


def run(book: Book, words: list[str]) -> None:
    reader = argparse.ArgumentParser(exit_on_error=True)
    reader.add_argument("--detach", action="store_true", required=True)
    for name in ("--name", "--restart", "--pull", "--publish"):
        reader.add_argument(name, required=True)
    for name in ("--label", "--env", "--network"):
        reader.add_argument(name, action="append", default=[])
    reader.add_argument("image")
    asked = reader.parse_args(words)
    if not book.has(asked.image):
        die(125, f"docker: Error response from daemon: No such image: {asked.image}")
    with (book.containers / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if any(asked.name == each["name"] for each in book.all().values()):
            die(125, f'docker: Error response from daemon: Conflict. The container name "/{asked.name}" is '
                     "already in use. You have to remove (or rename) that container.")  # fmt: skip
        identity = uuid.uuid4().hex * 2
        labels = dict(each.split("=", 1) for each in asked.label)
        container = {"name": asked.name, "labels": labels, "image": asked.image, "status": "created"}
        (book.containers / f"{identity}.container").write_text(json.dumps(container))
    host, port, _ = asked.publish.rsplit(":", 2)
    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((host, int(port)))
        except OSError:
            die(125, f"{identity}\ndocker: Error response from daemon: driver failed programming external "
                     f"connectivity on endpoint {asked.name}: Bind for {host}:{port} failed: port is already "
                     "allocated.")  # fmt: skip
    given = {"PATH": os.environ["PATH"], "HOST": host, "PORT": port}
    for each in asked.env:
        name, known, value = each.partition("=")
        if known or name in os.environ:
            given[name] = value if known else os.environ[name]
    keeper.start(book.keep(identity), [sys.executable, SERVICE], given, None)
    sys.stdout.write(identity + "\n")


def stats(book: Book, word: str) -> None:
    identity, container = book.get(word)
    found = keeper.look(book.keep(identity))
    cpu = memory = 0.0
    if found is not None and found["pid"]:
        import psutil  # takes longer than all else, and is seldom needed

        process = psutil.Process(found["pid"])
        before = process.cpu_times()
        time.sleep(0.2)
        after = process.cpu_times()
        # The real one looks for a second; this one tells all since the start when nothing moved meanwhile.
        moved = sum(after[:2]) - sum(before[:2])
        cpu = 100 * (moved / 0.2 if moved else sum(after[:2]) / max(0.2, time.time() - process.create_time()))
        memory = process.memory_percent()
    line = {"ID": identity[:12], "Name": container["name"], "MemUsage": "18MiB / 3.8GiB",
            "CPUPerc": f"{cpu:.2f}%", "MemPerc": f"{memory:.2f}%", "PIDs": "1"}  # fmt: skip
    sys.stdout.write(json.dumps(line) + "\n")


def main(folder: Path, words: list[str]) -> None:
    if (folder / "down").exists():
        die(
            1,
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is it running?",
        )
    book = Book(folder)
    match words:
        case ["image", "ls", "--quiet", "--no-trunc", "--filter", wanted]:
            if book.has(wanted.removeprefix("reference=")):
                sys.stdout.write("sha256:" + "a" * 64 + "\n")
        case ["container", "ls", "--all", "--quiet", "--no-trunc", "--filter", wanted]:
            pattern = wanted.removeprefix("name=")
            for identity, container in book.all().items():
                if re.search(pattern, "/" + container["name"]):
                    sys.stdout.write(identity + "\n")
        case ["container", "inspect", *ids]:
            found = [book.show(*book.get(word)) for word in ids]
            sys.stdout.write(json.dumps(found, indent=4) + "\n")
        case ["run", *rest]:
            run(book, rest)
        case ["stop", "-t", seconds, word] if seconds.isdecimal():
            identity, container = book.get(word)
            keeper.stop(book.keep(identity))
            (book.containers / f"{identity}.container").write_text(
                json.dumps({**container, "status": "exited"})
            )
            sys.stdout.write(word + "\n")
        case ["rm", word]:
            identity, _ = book.get(word)
            if keeper.look(book.keep(identity)) is not None:
                die(1, f"Error response from daemon: cannot remove container {word}: container is running")
            (book.containers / f"{identity}.container").unlink()
            sys.stdout.write(word + "\n")
        case ["stats", "--no-stream", "--format", "{{json .}}", word]:
            stats(book, word)
        case ["info", "--format", "{{.NCPU}}"]:
            sys.stdout.write(f"{os.cpu_count()}\n")
        case _:
            die(125, f"docker: unknown command: docker {' '.join(words)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
