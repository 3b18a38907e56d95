"""What a step has at hand while it is done (`Work`, `Guided`), and what is known of it meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from bot.domain.operations.plan import JsonObject
from messages.operation_facts import OperationProgressFacts


class LiveWork:
    """Keeps the `Work` contract. A step may run in a thread: each of these is one assignment, or handed to
    the loop by `attach`."""

    def __init__(
        self,
        run_id: int,
        token: int,
        step: int,
        attach: Callable[[str, str], None],
        call: Callable[[str, JsonObject], None] = lambda what, detail: None,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        """`attach` may be called from any thread. `told`: the step has said something that nobody should wait
        for."""
        self._run_id = run_id
        self._token = token
        self._step = step
        self._attach = attach
        self._call = call
        self._told = told
        self.stopped_by: str | None = None
        """who pressed 중단"""
        self.is_past_return = False
        """whether what is being done cannot be stopped any more"""
        self._held_by: str | None = None
        self._let_go_by: tuple[str, ...] = ()
        self._pressed = asyncio.Event()
        self._detail: JsonObject = {}
        self._controls: tuple[str, ...] = ()
        self._began = time.monotonic()
        self._state: tuple[int, int | None, str] | None = None
        self.seen = 0
        """how often progress was told"""

    @property
    def run_id(self) -> int:
        """As `Work` has it."""
        return self._run_id

    @property
    def token(self) -> int:
        """As `Work` has it."""
        return self._token

    @property
    def stopping(self) -> bool:
        """As `Work` has it."""
        return self.stopped_by is not None

    def stop(self, by: str) -> None:
        """Somebody pressed 중단."""
        self.stopped_by = by
        self._pressed.set()

    def past_return(self) -> None:
        """As `Work` has it."""
        self.is_past_return = True

    def hold(self, by: str) -> None:
        """Somebody wants it to stay where it is."""
        self._held_by = by
        self._pressed.set()

    def go(self, by: str) -> None:
        """Somebody wants it to go on."""
        self._held_by = None
        self._let_go_by = (*self._let_go_by, by)
        self._pressed.set()

    @property
    def guided(self) -> LiveWork:
        """As `Work` has it."""
        return self

    @property
    def held_by(self) -> str | None:
        """As `Guided` has it."""
        return self._held_by

    @property
    def let_go_by(self) -> tuple[str, ...]:
        """As `Guided` has it."""
        return self._let_go_by

    async def wait(self, seconds: float) -> None:
        """As `Guided` has it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._pressed.wait()
        self._pressed.clear()

    def progress(self, done: int, total: int | None = None, unit: str = "") -> None:
        """As `Work` has it."""
        self._state = (done, total, unit)
        self.seen += 1

    def attach(self, name: str, text: str) -> None:
        """As `Work` has it."""
        self._attach(name, text)

    def tell(self, detail: JsonObject, controls: Sequence[str] = ()) -> None:
        """As `Guided` has it."""
        offered = self._controls != tuple(controls)
        self._detail, self._controls = detail, tuple(controls)
        self.seen += 1
        if offered:
            self._told()

    def call(self, what: str, detail: JsonObject) -> None:
        """As `Guided` has it."""
        self._call(what, detail)

    def facts(self) -> OperationProgressFacts | None:
        """How far it is; None while it has not said anything. The time left is what the rest takes if it goes
        on as until now."""
        if self._state is None and not self._detail:
            return None
        done, total, unit = self._state or (0, None, "")
        left: float | None = None
        if total is not None and 0 < done <= total:
            left = round((time.monotonic() - self._began) * (total - done) / done, 1)
        return OperationProgressFacts(self._step, done, total, unit, left, self._detail, self._controls)
