"""Everything that looks at a release before it carries production: gate 1 and gate 2, for a site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from bot.domain.deploy.addresses import Address
from bot.domain.deploy.checks import Asked, ByCommand
from bot.domain.deploy.measures import Counted, Latencies
from bot.domain.deploy.preflight import Answer, Unseen
from bot.domain.deploy.slots import Slot
from bot.engine.deploy.checkouts import Checkouts
from bot.engine.deploy.checks import Done, Stopping, as_json, run_checks, run_trials
from bot.engine.deploy.site import Site
from bot.tools.commands import never
from bot.tools.git_checkout import CheckoutFailed
from bot.tools.releases.health import HealthRules, check, session_of
from bot.tools.releases.requests import send


class Inspection:
    """Runs the checks of gate 1, and the tests of gate 2 against Green alone."""

    def __init__(self, environment: Mapping[str, str], checkouts: Checkouts) -> None:
        """`environment`: where the variables are that checks are given. `checkouts`: where what they look at
        is laid out."""
        self._environment = environment
        self._checkouts = checkouts

    async def before(
        self, site: Site, revision: str, commit: str | None, stopping: Stopping = never
    ) -> tuple[Done, ...]:
        """The document's six, in its order. Where the service has a repository they look at `commit`, the
        full hash of the revision's, laid out beside whatever the repository has checked out."""
        repository = site.service.repository
        commands = any(isinstance(rule, ByCommand) for rule in site.service.preflight.values())
        if repository is None or not commands:
            return await self._checked(site, revision, None, stopping)
        if commit is None:
            return await self._checked(site, revision, Unseen("no_commit"), stopping)
        try:
            async with self._checkouts.of(repository, commit, stopping) as folder:
                return await self._checked(site, revision, str(folder), stopping)
        except CheckoutFailed as failed:
            return await self._checked(site, revision, Unseen(failed.reason, failed.values), stopping)

    async def _checked(
        self, site: Site, revision: str, folder: str | Unseen | None, stopping: Stopping
    ) -> tuple[Done, ...]:
        values = _values(site, revision)
        return await run_checks(
            site.service.preflight, values, folder, environment=self._environment, stopping=stopping
        )

    async def green(
        self, site: Site, slot: Slot, revision: str, stopping: Stopping = never
    ) -> tuple[Done, ...]:
        """The document's four kinds of tests, in its order."""
        return await run_trials(
            site.service.verification,
            {**_values(site, revision), "slot": slot.value},
            site.environment.addresses[slot],
            ask=_ask,
            send=_send,
            environment=self._environment,
            stopping=stopping,
        )


def failed_of(done: Sequence[Done]) -> tuple[Done, ...]:
    """Those that keep a deployment from going on: what failed, and what checked nothing."""
    return tuple(each for each in done if not each.result.verdict.is_good)


def told_of(done: Sequence[Done]) -> list[JsonValue]:
    """The results, for a card."""
    return [dict(each) for each in as_json(done)]


def _values(site: Site, revision: str) -> dict[str, str]:
    return {"revision": revision, "service": site.service.name, "environment": site.environment.name}


async def _ask(address: str, asked: Asked, seconds: float) -> Answer:
    rules = HealthRules(asked.path, asked.statuses, asked.contains or "", timeout=seconds)
    async with session_of(1, seconds) as session:
        problem = await check(Address.of(address), rules, session)
    if problem is None:
        return Answer(asked.path)
    return Answer(asked.path, problem.name, dict(problem.values))


async def _send(
    address: str, paths: Sequence[str], count: int, per_second: float, seconds: float, stopping: Stopping
) -> tuple[Counted, Latencies]:
    return await send(Address.of(address), paths, count, per_second, seconds, stopping)
