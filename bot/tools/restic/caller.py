"""How restic is called: which program, with which environment and options, and where its traces are kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bot.tools.restic.errors import Damaged, NoRepository, RepositoryLocked
from bot.tools.restic.outcome import Outcome
from bot.tools.restic.repository import Repository
from bot.tools.restic.running import Call, Patience, never
from bot.tools.restic.started import Records

PASSED_ON = ("PATH", "HOME", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""of our environment; restic needs no more, and gets the secrets of its repositories beside"""
_S3_OPTIONS = ("-o", "s3.retries=4")
"""The library below restic tries so often by itself; restic goes on after that, which `Patience` ends."""
_LOOKS_SECONDS = 0.2


class Caller:
    """Makes calls of restic and runs them."""

    def __init__(
        self, program: str, folder: Path, environment: Mapping[str, str], patience: Patience | None = None
    ) -> None:
        """`folder`: ours, for restic's cache and the records of what we have started."""
        self._program = program
        self._base = {
            **{name: environment[name] for name in PASSED_ON if name in environment},
            "RESTIC_CACHE_DIR": str(folder / "cache"),
            "RESTIC_PROGRESS_FPS": "2",
            "LC_ALL": "C",
        }
        self.patience = patience or Patience()
        self.records = Records(folder / "started")

    def call(
        self,
        repository: Repository,
        words: Sequence[str],
        sink: Callable[[bytes], None],
        stopping: Callable[[], bool] = never,
        beside: Mapping[str, str] | None = None,
    ) -> Call:
        """A call on that repository; `beside`: further secrets."""
        options = () if repository.server is None else _S3_OPTIONS
        environment = {**self._base, **(beside or {}), **repository.secrets}
        arguments = [self._program, *options, *words]
        return Call(arguments, environment, self.patience, self.records, sink, stopping)

    def long_call(
        self,
        repository: Repository,
        words: Sequence[str],
        made: Outcome,
        beside: Mapping[str, str] | None = None,
    ) -> Call:
        """One that says how far it is."""
        call = self.call(repository, words, made, made.watch.stopping, beside)
        made.moved = call.moved
        return call

    async def ask(
        self, repository: Repository, words: Sequence[str], beside: Mapping[str, str] | None = None
    ) -> bytes:
        """What it answers."""
        answer = bytearray()
        await self.run(repository, self.call(repository, words, answer.extend, beside=beside))
        return bytes(answer)

    async def answer(self, words: Sequence[str]) -> bytes:
        """What it answers without any repository."""
        answer = bytearray()
        call = Call([self._program, *words], self._base, self.patience, self.records, answer.extend)
        await call.run()
        return bytes(answer)

    async def goes(self, living: Callable[[], object]) -> bool:
        """Wait a little until `living`, which blocks, answers with nothing: what a killed Guardian has left
        behind is being ended by its keeper. Whether it did."""
        loop = asyncio.get_running_loop()
        give_up = loop.time() + self.patience.orphans.total_seconds()
        while await asyncio.to_thread(living):
            if loop.time() >= give_up:
                return False
            await asyncio.sleep(_LOOKS_SECONDS)
        return True

    @staticmethod
    async def run(repository: Repository, call: Call) -> None:
        """Run it to its end. Raises ResticError."""
        try:
            await call.run()
        except RepositoryLocked as error:
            error.values["location"] = repository.location
            raise
        except Damaged as error:
            # A medium that goes away in the middle looks like data that is gone.
            if repository.path is None or await asyncio.to_thread((Path(repository.path) / "config").exists):
                raise
            raise NoRepository(error.said) from None
