"""Every bench runs, with the real programs, and gives figures that can be true. How fast is no question."""

from __future__ import annotations

import asyncio
import json
import math
import sys
from pathlib import Path

import pytest

from bench.__main__ import BENCHES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", BENCHES)
async def test_it_runs_and_its_figures_can_be_true(name: str, tmp_path: Path) -> None:
    arguments = [sys.executable, "-m", "bench", name, "--quick", "--results", str(tmp_path)]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*arguments, cwd=ROOT, stdout=pipe, stderr=pipe)
    said, complaints = await process.communicate()
    assert process.returncode == 0, complaints.decode()

    result = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))
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
