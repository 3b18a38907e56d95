"""The room where charts are drawn: a process that is there only while there is something to draw."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from bot.tools.processes import Child, ChildFailed
from messages.chart_facts import ChartFacts

log = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 10.0
"""for one chart, the worker's start included"""
IDLE_SECONDS = 30.0
"""after the last chart the worker ends, and its 60 MB are free again"""

WORKER = (sys.executable, "-m", "bot.tools.chart_worker")
_PASSED_ON = ("PATH", "PYTHONPATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")
"""of our environment; tokens are none of the worker's business"""


class ChartRoom:
    """Draws one chart at a time in a worker that is started when needed. What goes wrong there costs the
    chart and nothing else."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        *,
        timeout: float = TIMEOUT_SECONDS,
        idle: float = IDLE_SECONDS,
        worker: Sequence[str] = WORKER,
    ) -> None:
        """`folder` is for the worker's log and its list of fonts; times in seconds."""
        self._log = folder / "charts.log"
        passed_on = {name: environment[name] for name in _PASSED_ON if name in environment}
        self._environment = {**passed_on, "MPLCONFIGDIR": str(folder / "matplotlib")}
        self._timeout = timeout
        self._idle = idle
        self._worker = tuple(worker)
        self._child: Child | None = None
        self._turn = asyncio.Lock()
        self._leaving: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The worker's process id; None while there is none."""
        return None if self._child is None else self._child.pid

    async def draw(self, facts: ChartFacts) -> bytes | None:
        """The chart as a PNG. None when there is nothing to draw, or when the worker failed, died or took
        too long, which the log tells."""
        request = json.dumps(facts.as_json(), ensure_ascii=False).encode()
        async with self._turn:
            self._stay()
            try:
                async with asyncio.timeout(self._timeout):
                    if self._child is None:
                        self._child = await Child.start(self._worker, self._environment, self._log)
                    picture = await self._child.ask(request)
            except (ChildFailed, TimeoutError, OSError) as error:
                log.warning("chart_not_drawn", detail=str(error) or type(error).__name__)
                await self._end()
                return None
            except BaseException:
                # Given up in the middle: its answer, if it still came, would be taken for the next one's.
                await self._end()
                raise
            self._leaving = asyncio.create_task(self._leave())
        return picture or None

    async def close(self) -> None:
        """End the worker."""
        async with self._turn:
            self._stay()
            await self._end()

    def _stay(self) -> None:
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None

    async def _leave(self) -> None:
        await asyncio.sleep(self._idle)
        async with self._turn:
            self._leaving = None
            await self._end()

    async def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            with suppress(ProcessLookupError):
                await child.stop(0.2)
