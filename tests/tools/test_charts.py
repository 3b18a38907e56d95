"""The room where charts are drawn: whatever happens to its worker costs a picture and nothing else."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import psutil
import pytest
from PIL import Image

from bot.tools.charts import ChartRoom
from messages.chart_facts import ChartFacts
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
FACTS = ChartFacts(
    "CPU 사용률 · web-1",
    "cpu_usage",
    "%",
    (("2025-11-29T05:00:00+00:00", 62.0), ("2025-11-29T05:01:00+00:00", 91.5)),
    (("warning", 70.0), ("critical", 85.0)),
)
NOTHING = ChartFacts("CPU 사용률", "cpu_usage", "%", ())
DEAF = (sys.executable, "-c", "import time; time.sleep(600)")
DYING = (sys.executable, "-c", "import sys; sys.stdin.readline(); sys.exit('no ink')")


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[ChartRoom]:
    room = ChartRoom(tmp_path, os.environ, timeout=60)
    yield room
    await room.close()


def pid_of(room: ChartRoom) -> int:
    assert room.pid is not None
    return room.pid


async def test_it_draws_in_one_worker_one_chart_after_the_other(room: ChartRoom) -> None:
    assert room.pid is None
    pictures = await asyncio.gather(*(room.draw(FACTS) for _ in range(3)))
    assert len({picture for picture in pictures}) == 1
    assert pictures[0] is not None
    with Image.open(BytesIO(pictures[0])) as picture:
        assert (picture.format, picture.size) == ("PNG", (1000, 320))
    workers = [child for child in psutil.Process().children() if "bot.tools.chart_worker" in child.cmdline()]
    assert [worker.pid for worker in workers] == [room.pid]


async def test_nothing_to_draw_is_no_picture_and_no_failure(room: ChartRoom) -> None:
    assert await room.draw(NOTHING) is None
    assert room.pid is not None


async def test_the_loop_goes_on_while_it_draws(room: ChartRoom) -> None:
    drawing = asyncio.create_task(room.draw(FACTS))
    turns = 0
    while not drawing.done():
        await asyncio.sleep(0.005)
        turns += 1
    assert turns > 5


async def test_a_worker_that_dies_costs_nothing_but_its_start(room: ChartRoom) -> None:
    assert await room.draw(FACTS)
    before = pid_of(room)
    os.kill(before, signal.SIGKILL)
    await eventually(lambda: not psutil.pid_exists(before))
    assert await room.draw(FACTS) is None
    assert await room.draw(FACTS)
    assert room.pid != before


async def test_facts_that_cannot_be_drawn_cost_their_own_picture(room: ChartRoom) -> None:
    broken = ChartFacts("CPU", "cpu_usage", "%", (("yesterday", 1.0),))
    assert await room.draw(broken) is None
    assert await room.draw(FACTS)


async def test_a_worker_that_ends_before_it_answers_is_no_picture(tmp_path: Path) -> None:
    room = ChartRoom(tmp_path, os.environ, worker=DYING)
    assert await room.draw(FACTS) is None
    assert room.pid is None


async def test_a_program_that_does_not_exist_is_no_picture(tmp_path: Path) -> None:
    room = ChartRoom(tmp_path, os.environ, worker=(str(tmp_path / "nothing"),))
    assert await room.draw(FACTS) is None


async def test_a_worker_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    room = ChartRoom(tmp_path, os.environ, timeout=0.2, worker=DEAF)
    drawing = asyncio.create_task(room.draw(FACTS))
    await eventually(lambda: room.pid is not None)
    pid = pid_of(room)
    assert await drawing is None
    assert not psutil.pid_exists(pid)


async def test_a_chart_given_up_half_way_is_not_taken_for_the_next(tmp_path: Path) -> None:
    room = ChartRoom(tmp_path, os.environ, worker=DEAF)
    drawing = asyncio.create_task(room.draw(FACTS))
    await eventually(lambda: room.pid is not None)
    pid = pid_of(room)
    drawing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await drawing
    assert room.pid is None
    assert not psutil.pid_exists(pid)


async def test_a_worker_with_nothing_to_do_ends(tmp_path: Path) -> None:
    room = ChartRoom(tmp_path, os.environ, timeout=60, idle=0.05)
    assert await room.draw(NOTHING) is None
    pid = pid_of(room)
    await eventually(lambda: not psutil.pid_exists(pid))
    assert room.pid is None
    assert await room.draw(FACTS)
    await room.close()


async def test_the_worker_is_told_no_secrets(tmp_path: Path) -> None:
    tell = "import os, sys; sys.exit(' '.join(sorted(os.environ)))"
    environment = {**os.environ, "SLACK_BOT_TOKEN": "not for the worker"}
    room = ChartRoom(tmp_path, environment, worker=(sys.executable, "-c", tell))
    assert await room.draw(FACTS) is None
    told = (tmp_path / "charts.log").read_text()
    assert "MPLCONFIGDIR" in told
    assert "SLACK_BOT_TOKEN" not in told


async def test_the_worker_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    code = f"""
import asyncio, os
from pathlib import Path
from bot.tools.charts import ChartRoom
from tests.tools.test_charts import FACTS

async def main():
    room = ChartRoom(Path({str(tmp_path)!r}), os.environ, timeout=60)
    assert await room.draw(FACTS)
    print(room.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    assert psutil.pid_exists(pid)
    parent.send_signal(signal.SIGKILL)
    await parent.wait()
    await eventually(lambda: not psutil.pid_exists(pid))


def test_the_guardian_itself_does_not_load_what_draws() -> None:
    code = (
        "import sys, bot.tools.charts, bot.engine.charts, bot.slack.files, messages.chart_frame;"
        "sys.exit(str({'matplotlib', 'numpy', 'PIL', 'koreanize_matplotlib'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert said.stderr.strip() == "set()"
