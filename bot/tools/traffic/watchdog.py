"""Takes a canary's traffic back to Blue when the Guardian no longer renews its lease:
`python -m bot.tools.traffic.watchdog FOLDER [--linger SECONDS] [--detach]`.

A program of its own, so that it outlives the Guardian, and a small one: no database, no Slack. It tells what
it does in lines of JSON on standard error. Exit status: 0 ended, 1 the folder is gone, 2 wrong arguments,
3 another one watches.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bot.tools.listening import accepts
from bot.tools.traffic.contract import TrafficFailed
from bot.tools.traffic.drivers import Divertible, driver_of
from bot.tools.traffic.leases import (
    Fence,
    Lease,
    Rolled,
    lease_file,
    read_file,
    read_rolled,
    rolled_file,
    runs,
    sync_folder,
    write_file,
)

LOOK = 0.25
"""seconds between two looks at the folder"""
_UNSEEN = 1.0
"""seconds at most that count between two looks: while we stood still, so may the Guardian have"""
_STUCK = 5.0
"""seconds that a Guardian may be at the traffic although its lease has lapsed, before we act all the same"""
_PAUSES = (0.1, 0.25, 0.5, 1.0, 2.0)
"""seconds between tries, the last one for ever"""
_GREEN_ASKED = 3
"""times before Green is believed to be gone as well"""
_STAYS = 1.0
"""seconds between two looks at a Blue that is not there"""
_STAYS_TOLD = 60
"""looks after which that is said once more"""
_TAKING = 2.0
"""seconds in which others who only look may be in the way of taking the folder"""
ENDED, GONE, ANOTHER = 0, 1, 3


def say(event: str, **values: object) -> None:
    """A line about what happens. Nothing stops because nobody takes it."""
    line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **values}
    with suppress(OSError, ValueError):
        sys.stderr.write(json.dumps(line, ensure_ascii=False) + "\n")
        sys.stderr.flush()


@dataclass(slots=True)
class _Seen:
    """A file of a lease, as it was last seen."""

    content: bytes | None = None
    lease: Lease | None = None
    waited: float = 0.0
    """seconds that we have watched it without a change"""
    garbage: str = ""
    acting: asyncio.Task[None] | None = None


@dataclass(slots=True)
class Watchdog:
    """Watches one folder, whose place it holds."""

    folder: Path
    clock: Callable[[], float] = time.monotonic
    _seen: dict[str, _Seen] = field(default_factory=dict)
    _looked: float | None = None
    _unreadable: str = ""

    async def watch(self, stopping: asyncio.Event, linger: float | None, place: Fence) -> None:
        """Until `stopping`, or the place is ours no longer; with `linger` also when there has been no lease
        for so many seconds."""
        alone = 0.0
        while not stopping.is_set() and place.holds():
            elapsed = self.look()
            alone = 0.0 if self._seen else alone + elapsed
            if linger is not None and not self._seen and alone >= linger:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await stopping.wait()

    async def end(self) -> None:
        """Leave what is being done; another one will begin it anew."""
        acting = [seen.acting for seen in self._seen.values() if seen.acting is not None]
        for task in acting:
            task.cancel()
        await asyncio.gather(*acting, return_exceptions=True)

    def look(self) -> float:
        """Look at every lease, and begin to act where one has lapsed. The seconds that this counted."""
        now = self.clock()
        elapsed = 0.0 if self._looked is None else min(now - self._looked, _UNSEEN)
        self._looked = now
        try:
            there = set(runs(self.folder))
        except OSError as error:
            if str(error) != self._unreadable:
                self._unreadable = str(error)
                say("folder_unreadable", folder=str(self.folder), detail=self._unreadable)
            return 0.0
        self._unreadable = ""
        for run in [run for run, seen in self._seen.items() if run not in there and seen.acting is None]:
            del self._seen[run]
            say("ended", run=run)
        for run in sorted(there):
            self._look_at(run, self._seen.setdefault(run, _Seen()), elapsed)
        return elapsed

    def _look_at(self, run: str, seen: _Seen, elapsed: float) -> None:
        if seen.acting is not None:
            return
        seen.waited += elapsed
        try:
            content = read_file(lease_file(self.folder, run))
            if content is None:  # it ended in this moment; the next look will say so
                return
            if content != seen.content:
                # A file that is spoilt renews nothing: what was last good goes on and lapses.
                lease = Lease.read(content, run)
                if seen.lease is None:
                    say("watching", run=run, seconds=lease.seconds, b=lease.b)
                seen.content, seen.lease, seen.waited, seen.garbage = content, lease, 0.0, ""
                return
        except (OSError, ValueError) as error:
            if str(error) != seen.garbage:
                seen.garbage = str(error)
                say("garbage", run=run, detail=seen.garbage[:300])
        if seen.lease is not None and seen.content is not None and seen.waited >= seen.lease.seconds:
            rollback = _Rollback(self.folder, seen.lease, seen.content, seen.waited)
            seen.acting = asyncio.create_task(self._act(seen.lease, seen, rollback))

    async def _act(self, lease: Lease, seen: _Seen, rollback: _Rollback) -> None:
        say("lapsed", run=lease.run, counter=lease.counter, waited=round(seen.waited, 3))
        try:
            await rollback.carry_out()
        except Exception as error:  # noqa: BLE001 - whatever it was: it has to be tried again
            say("failed", run=lease.run, detail=repr(error)[:300])
            seen.waited = lease.seconds - _PAUSES[-1]
        finally:
            seen.acting = None


@dataclass(slots=True)
class _Rollback:
    """One lapsed lease, until its traffic is back or it turns out to be renewed or ended."""

    folder: Path
    lease: Lease
    content: bytes
    waited: float
    tries: int = 0
    before: int | None = None
    problem: str = ""
    stayed: int = 0
    """looks in a row at which Blue was not there"""
    revoked: bool = False
    """the lease is lost, whoever has the fence: nothing of the Guardian's counts any more"""

    async def carry_out(self) -> None:
        """Returns when nothing is left to do."""
        driver = driver_of(self.lease.traffic)
        began = time.monotonic()
        fence: Fence | None = None
        try:
            while True:
                fence = fence or Fence.try_take(self.folder, self.lease.run)
                if self._is_over(fence):
                    return
                stuck = fence is None and not self.revoked and time.monotonic() - began >= _STUCK
                if (fence is not None or self.revoked or stuck) and await self._stays(driver):
                    if fence is not None:  # nothing was done: a Guardian that comes back may go on
                        fence.release()
                        fence, began = None, time.monotonic()
                    await asyncio.sleep(_STAYS)
                    continue
                if stuck:
                    # A Guardian that is at the traffic for so long is stuck, and may move again at any time.
                    # It finds then that it has lost the lease; until it has left the fence, the traffic is
                    # taken back again and again.
                    self.revoked = self._write_down(None)
                if fence is not None or self.revoked:
                    share = await self._try(driver)
                    if share is not None and fence is not None and self._write_down(share):
                        return
                await asyncio.sleep(_PAUSES[min(self.tries, len(_PAUSES) - 1)])
        finally:
            if fence is not None:
                fence.release()

    async def _stays(self, driver: Divertible) -> bool:
        """Whether traffic is left where it is for now: nobody is at Blue, and somebody at Green, who carries
        some of it. How well they answer is not asked."""
        known = self.lease.blue_and_green
        if known is None or await accepts(known[0]) or not await accepts(known[1], _GREEN_ASKED):
            self.stayed = 0
            return False
        with suppress(TrafficFailed):  # who can't be asked may carry it
            if await driver.share() == self.lease.b:
                self.stayed = 0
                return False
        if self.stayed % _STAYS_TOLD == 0:
            say("stays", run=self.lease.run, blue=str(known[0]), green=str(known[1]), looks=self.stayed)
        self.stayed += 1
        return True

    def _is_over(self, fence: Fence | None) -> bool:
        """Whether the lease ended, was renewed, or was acted on already."""
        run = self.lease.run
        rolled = read_rolled(self.folder, run)
        if rolled is not None and rolled.share is not None:
            if fence is not None:  # one of us was ended between the two; nobody renews it any more
                lease_file(self.folder, run).unlink(missing_ok=True)
            return True
        self.revoked = self.revoked or rolled is not None
        if self.revoked:
            return False
        try:
            now = read_file(lease_file(self.folder, run))
            if now is not None and now != self.content:
                Lease.read(now, run)
                say("renewed", run=run)
                return True
        except (OSError, ValueError):
            return False  # spoilt: nothing was renewed
        if now is None:
            say("ended", run=run)
        return now is None

    async def _try(self, driver: Divertible) -> int | None:
        """One try; the share that is there after it, None when it is not what it should be."""
        self.tries += 1
        try:
            if self.tries == 1:
                with suppress(TrafficFailed):
                    self.before = await driver.share()
            await driver.divert(self.lease.b)
            share = await driver.share()
            return share if share == self.lease.b else None
        except TrafficFailed as failed:
            if str(failed) != self.problem or self.tries % 30 == 0:
                self.problem = str(failed)
                say(
                    "trying", run=self.lease.run, tries=self.tries, reason=failed.reason, detail=failed.detail
                )
            return None

    def _write_down(self, share: int | None) -> bool:
        """For the Guardian; whether it could be. With a share: it is over, and so is the lease."""
        its = self.lease
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        rolled = Rolled(its.run, at, its.counter, round(self.waited, 3), self.before, share, self.tries)
        try:
            write_file(rolled_file(self.folder, its.run), rolled.written(), lasting=True)
            if share is not None:
                lease_file(self.folder, its.run).unlink(missing_ok=True)
                sync_folder(self.folder)
        except OSError as error:
            self._complain("folder", str(error))
            return share is None  # who is stuck is not waited for because of a disk that is full
        event = "revoked" if share is None else "rolled"
        say(event, run=its.run, share=share, share_before=self.before, tries=self.tries)
        return True

    def _complain(self, reason: str, detail: str) -> None:
        """Once, and again now and then."""
        if detail != self.problem or self.tries % 30 == 0:
            self.problem = detail
            say("trying", run=self.lease.run, tries=self.tries, reason=reason, detail=detail)


async def _watch(folder: Path, linger: float | None, place: Fence | None) -> int:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    say("begins", folder=str(folder), pid=os.getpid())
    while place is not None:
        watchdog = Watchdog(folder)
        try:
            await watchdog.watch(stopping, linger, place)
            await watchdog.end()
            if not place.holds():  # whoever makes the folder anew finds that nobody watches it
                say("folder_gone", folder=str(folder))
                return GONE
        finally:
            place.release()
        # Whoever wrote a lease before the place was free took it for watched: so look once more.
        again = not stopping.is_set() and any(True for _ in runs(folder))
        place = Fence.try_watch(folder) if again else None
    say("ends", folder=str(folder))
    return ENDED


def _place(folder: Path) -> Fence | None:
    """The place of the watchdog, unless another one has it. Nothing else happens before."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    latest = time.monotonic() + _TAKING
    while (place := Fence.try_watch(folder)) is None and time.monotonic() < latest:
        time.sleep(0.05)
    return place


def main(arguments: list[str] | None = None) -> int:
    """Watch until SIGTERM."""
    parser = argparse.ArgumentParser(prog="guardian-watchdog", description=(__doc__ or "").split(":")[0])
    parser.add_argument("folder", type=Path, help="where the leases are")
    parser.add_argument(
        "--linger", type=float, metavar="SECONDS", help="end when there was no lease for so long"
    )
    parser.add_argument("--detach", action="store_true", help="go on in a process that nobody waits for")
    asked = parser.parse_args(arguments)
    if asked.detach:
        if os.fork():
            os._exit(0)
        os.setsid()
    folder = asked.folder.resolve()
    place = _place(folder)
    if place is None:
        say("another", folder=str(folder))
        return ANOTHER
    return asyncio.run(_watch(folder, asked.linger, place))


if __name__ == "__main__":
    raise SystemExit(main())
