"""The least that moves traffic: HAProxy's own call, and nothing that is written down.

At SOCKET, MAP's KEY is 50 and goes to 0, ROUNDS times; over when BACKEND has nothing under way any more. Then
it takes each of SHARES for SECONDS.
"""

from __future__ import annotations

import json
import socket
import sys
import time

_REST = 0.3
"""seconds before each and after it: whoever watches the share looks less often than this program acts"""


def _ask(path: str, command: str) -> str:
    with socket.socket(socket.AF_UNIX) as door:
        door.settimeout(30)
        door.connect(path)
        door.sendall(command.encode() + b"\n")
        answer = b""
        while chunk := door.recv(65536):
            answer += chunk
    return answer.decode()


def _under_way(path: str, backend: str) -> int:
    names, *rows = (line.split(",") for line in _ask(path, "show stat").lstrip("# ").splitlines() if line)
    for row in rows:
        values = dict(zip(names, row, strict=False))
        if (values["pxname"], values["svname"]) == (backend, "BACKEND"):
            return int(values["scur"])
    raise ValueError(f"no backend {backend}")


def _run(
    path: str, share: str, backend: str, rounds: int, seconds: float, shares: list[str]
) -> dict[str, list[float]]:
    began_at: list[float] = []
    over: list[float] = []
    for _ in range(rounds):
        _ask(path, f"set map {share} 50")
        time.sleep(_REST)
        began_at.append(time.monotonic())
        _ask(path, f"set map {share} 0")
        while _under_way(path, backend):
            time.sleep(0.001)
        over.append(time.monotonic())
        time.sleep(_REST)
    began = time.monotonic()
    for each in shares:
        _ask(path, f"set map {share} {each}")
        time.sleep(seconds)
    whole = time.monotonic() - began
    _ask(path, f"set map {share} 0")
    return {"began_at": began_at, "over_at": over, "whole": [whole]}


if __name__ == "__main__":
    path, file, key, backend, rounds, seconds, *shares = sys.argv[1:]
    print(json.dumps(_run(path, f"{file} {key}", backend, int(rounds), float(seconds), shares)))
