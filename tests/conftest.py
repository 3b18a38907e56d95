"""What all tests share: real databases, a real browser, and the rule that CI skips nothing."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from playwright.async_api import Browser, async_playwright

from tests.components import CHROMIUM, IN_CI, missing, postgres_programs
from tests.postgres import Cluster

_numbers = itertools.count(1)

# How long an example takes is the machine's affair, and not what is tested.
settings.register_profile("guardian", deadline=None)
settings.load_profile("guardian")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped test is a failed one: a green run must mean that everything ran."""
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longreprtext}"
    return report


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """A PostgreSQL server of our own, listening on a socket in a temporary folder only."""
    programs = postgres_programs()
    if programs is None:
        missing("PostgreSQL", "apt-get install postgresql")
    with Cluster.started(programs) as cluster:
        yield cluster


@pytest.fixture
def postgres_url(postgres_cluster: Cluster) -> Iterator[str]:
    """An empty database for one test, as SQLAlchemy's asynchronous engine names it."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(postgres_cluster.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield postgres_cluster.url(name)
    with psycopg.connect(postgres_cluster.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new empty database of each kind that the store runs on: the same tests, on both."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'guardian.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser."""
    if CHROMIUM is None:
        missing("Chromium", "apt-get install chromium")
    return CHROMIUM


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """A browser for one test, without a window, that talks to nobody but the page it is given.

    One a test: its connection belongs to the test's own event loop.
    """
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox",  # root, as in most CI containers, has no sandbox to offer
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        )
        try:
            yield browser
        finally:
            await browser.close()
