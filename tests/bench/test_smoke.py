"""Every bench runs, with the real programs, and gives figures that can be true. How fast is no question."""

from __future__ import annotations

import asyncio
import json
import math
import os
import sys
from pathlib import Path

from bench.__main__ import BENCHES

ROOT = Path(__file__).parents[2]


async def test_all_run_and_their_figures_can_be_true(tmp_path: Path) -> None:
    # Few at once: a bench waits half a minute for its program to start, which all of them together may take
    # on a slow machine. All to their end, also when one fails: a bench left behind would be in the way of the
    # tests that follow.
    gate = asyncio.Semaphore(os.cpu_count() or 1)

    async def run(name: str) -> None:
        async with gate:
            await _run(name, tmp_path)

    found = await asyncio.gather(*(run(name) for name in BENCHES), return_exceptions=True)
    failed = [each for each in found if isinstance(each, Exception)]
    if failed:
        raise ExceptionGroup("benches that failed", failed)


async def _run(name: str, folder: Path) -> None:
    arguments = [sys.executable, "-m", "bench", name, "--quick", "--results", str(folder)]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*arguments, cwd=ROOT, stdout=pipe, stderr=pipe)
    said, complaints = await process.communicate()
    assert process.returncode == 0, complaints.decode()

    result = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    assert result["bench"] == name
    assert result["figures"]
    for figure in result["figures"]:
        assert figure["what"] in said.decode()
        for whose in ("floor", "guardian"):
            value = figure[whose]
            assert math.isfinite(value), figure
            # In a second at rest the clock may have counted nothing, or more before than afterwards, and it
            # counts a processor's time in hundredths; of what may go wrong or be sent there may be none.
            none = ("% core", "messages", "alerts", "clicks", "failed", "% of canaries")
            may_be_none = figure["unit"] in none
            assert value > 0 or may_be_none or (value == 0 and figure["what"].endswith("CPU")), figure
