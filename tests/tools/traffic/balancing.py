"""A balancer's commands as somebody may have written them: share, shift, metrics and cut of a real HAProxy.

`balancing.py WHAT SOCKET MAP [VALUE]`: it knows nothing of the Guardian.
"""

from __future__ import annotations

import csv
import json
import re
import socket
import sys
from pathlib import Path


def ask(address: str, line: str) -> str:
    """HAProxy's answer."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        connection.sendall(line.encode() + b"\n")
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


def share(address: str, file: str) -> object:
    """The share of slot b."""
    found = re.search(r'value="(\d+)"', ask(address, f"get map {file} shop"))
    if found is None:
        sys.exit("no share")
    return {"b": int(found[1])}


def shift(address: str, file: str, percent: str) -> object:
    """File and map."""
    Path(file).write_text(f"shop {percent}\n")
    return ask(address, f"set map {file} shop {percent}").strip()


def metrics(address: str) -> object:
    """Both slots."""
    rows = list(csv.DictReader(ask(address, "show stat").removeprefix("# ").splitlines()))
    epoch = re.search(r"Pid: (\d+)", ask(address, "show info"))
    found = {}
    for slot in ("a", "b"):
        own, whole = (
            next(row for row in rows if (row["pxname"], row["svname"]) == (f"shop_{slot}", name))
            for name in ("app", "BACKEND")
        )
        errors = max(int(whole["hrsp_5xx"]), int(own["econ"]) + int(own["eresp"])) + int(own["wretr"])
        found[slot] = {
            "requests": int(whole["req_tot"]),
            "errors": errors,
            "epoch": epoch[1] if epoch else "",
            "in_flight": int(own["scur"]),
            "durations": [{"up_to_ms": 10, "count": int(own["hrsp_2xx"])}],
        }
    return found


def cut(address: str, slot: str) -> object:
    """The sessions of a slot."""
    own = next(
        row
        for row in csv.DictReader(ask(address, f"show stat shop_{slot} 4 -1").removeprefix("# ").splitlines())
        if row["svname"] == "app"
    )
    ask(address, f"shutdown sessions server shop_{slot}/app")
    return {"cut": int(own["scur"])}


def main(what: str, address: str, file: str, value: str = "") -> None:
    """Do one thing and print the answer."""
    answer = {
        "share": lambda: share(address, file),
        "shift": lambda: shift(address, file, value),
        "metrics": lambda: metrics(address),
        "cut": lambda: cut(address, value),
    }[what]()
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
