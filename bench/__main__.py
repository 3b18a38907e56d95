"""`python -m bench [NAME…] [--quick]`: run the benches, print a table, keep the figures in bench/results."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from bench import (
    ack,
    backup,
    card,
    cleanup,
    desk,
    judge,
    judging,
    many,
    operations,
    rest,
    rollback,
    start,
    storm,
    traffic,
)
from bench.figures import Figure, Result, table

BENCHES: dict[str, Callable[[bool], Awaitable[Result]]] = {
    bench.NAME: bench.measure
    for bench in (
        ack,
        card,
        many,
        rest,
        start,
        judging,
        desk,
        storm,
        operations,
        cleanup,
        backup,
        judge,
        traffic,
        rollback,
    )
}
RESULTS = Path(__file__).parent / "results"


def main(arguments: list[str] | None = None) -> int:
    """Run the benches that are asked for, all by default. 0, aims met or not: the table says which."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", metavar="NAME", nargs="*", help=", ".join(BENCHES))
    parser.add_argument("--quick", action="store_true", help="a second or two each: does it run at all?")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER", help="where the JSON goes")
    asked = parser.parse_args(arguments)
    unknown = [name for name in asked.names if name not in BENCHES]
    if unknown:
        parser.error(f"no bench named {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    figures: list[Figure] = []
    for name in asked.names or BENCHES:
        began = time.monotonic()
        result = asyncio.run(_run(name, asked.quick))
        print(f"{name}: {result.method} ({time.monotonic() - began:.0f} s)", file=sys.stderr, flush=True)
        _keep(result, asked.results)
        figures += result.figures
    print(table(figures))
    return 0


async def _run(name: str, quick: bool) -> Result:
    return await BENCHES[name](quick)


def _keep(result: Result, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "bench": result.name,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cores": os.cpu_count(),
            "processor": platform.machine(),
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        "method": result.method,
        "figures": [figure.as_json() for figure in result.figures],
        "runs": result.runs,
    }
    file = folder / f"{result.name}.json"
    file.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
