"""Draws charts in a process of its own, because drawing takes 60 MB and a second to begin with.

A line of JSON (`messages.chart_facts.ChartFacts`) on standard input is a request. The answer on standard
output is a length of four bytes, big-endian, and so many bytes: a PNG, or none when there is no value to
draw. What cannot be drawn ends the worker, with the reason on standard error: the next chart gets a new one.
It ends with its standard input, and so with the program that started it, however that ends.
"""

from __future__ import annotations

import contextlib
import os
import sys

from pydantic import TypeAdapter

from messages.chart_facts import ChartFacts
from messages.charts import render

_NICER = 10
"""The watch goes before its pictures."""


def main() -> None:
    """Answer every line of standard input."""
    os.nice(_NICER)
    facts = TypeAdapter(ChartFacts)
    # Nothing else may get into the answers, whatever a library prints.
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    with contextlib.suppress(BrokenPipeError):
        for request in sys.stdin.buffer:
            picture = render(facts.validate_json(request)) or b""
            out.write(len(picture).to_bytes(4) + picture)
            out.flush()


if __name__ == "__main__":
    main()
