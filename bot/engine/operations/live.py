"""What a step has at hand while it is done, and what is known of it meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable

from messages.operation_facts import OperationProgressFacts


class LiveWork:
    """Keeps the `Work` contract. A step may run in a thread: each of these is one assignment, or handed to
    the loop by `attach`."""

    def __init__(self, run_id: int, token: int, step: int, attach: Callable[[str, str], None]) -> None:
        """`attach` may be called from any thread."""
        self._run_id = run_id
        self._token = token
        self._step = step
        self._attach = attach
        self._stopping = False
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
        return self._stopping

    def stop(self) -> None:
        """Somebody pressed 중단."""
        self._stopping = True

    def progress(self, done: int, total: int | None = None, unit: str = "") -> None:
        """As `Work` has it."""
        self._state = (done, total, unit)
        self.seen += 1

    def attach(self, name: str, text: str) -> None:
        """As `Work` has it."""
        self._attach(name, text)

    def facts(self) -> OperationProgressFacts | None:
        """How far it is; None while it has not said anything. The time left is what the rest takes if it goes
        on as until now."""
        if self._state is None:
            return None
        done, total, unit = self._state
        left: float | None = None
        if total is not None and 0 < done <= total:
            left = round((time.monotonic() - self._began) * (total - done) / done, 1)
        return OperationProgressFacts(self._step, done, total, unit, left)
