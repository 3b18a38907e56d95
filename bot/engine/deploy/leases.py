"""A canary's lease: while it is renewed the watchdog keeps still, and when it lapses traffic goes back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from bot.engine.deploy.site import Site


class Lease(Protocol):
    """One that is being renewed."""

    @property
    def lost(self) -> bool:
        """Whether the watchdog has taken traffic back."""
        ...

    async def renew(self) -> None:
        """Renew it now. Raises StepFailed (`watchdog`) when it is lost."""
        ...


class Leases(Protocol):
    """Those of this Guardian."""

    def kept(self, run: int, site: Site, b: int) -> AbstractAsyncContextManager[Lease]:
        """Renew a run's lease meanwhile. It goes on afterwards, until `end` or until it lapses. `b`: the
        share of slot b that means that all is back at Blue."""
        ...

    def end(self, run: int) -> None:
        """The canary is over: nothing is to be taken back any more."""
        ...


class Unwatched:
    """No watchdog."""

    lost = False

    async def renew(self) -> None:
        """There is nothing to renew."""

    @asynccontextmanager
    async def kept(self, run: int, site: Site, b: int) -> AsyncIterator[Lease]:
        """As `Leases` has it."""
        yield self

    def end(self, run: int) -> None:
        """As `Leases` has it."""
