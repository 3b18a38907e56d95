"""What all tests share: real databases, a real browser, and the rule that CI skips nothing."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from playwright.async_api import Browser, async_playwright
from sqlalchemy import create_engine

from bot.store.schema import upgrade
from tests.components import CHROMIUM, IN_CI, missing, postgres_programs
from tests.postgres import Cluster

if TYPE_CHECKING:
    from tests.backups import Templates

_numbers = itertools.count(1)
_TEMPLATE = "all_tables"
_KINDS = ("sqlite", pytest.param("postgres", marks=pytest.mark.postgres))

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


@pytest.fixture(scope="session")
def postgres_template(postgres_cluster: Cluster) -> Iterator[str]:
    """The name of a database with all tables and nothing in them, to be copied: hundreds of tests begin with
    one, and migrations take much longer."""
    with postgres_cluster.database(_TEMPLATE) as url:
        engine = create_engine(url)
        with engine.begin() as connection:
            upgrade(connection)
        engine.dispose()
        yield _TEMPLATE


@pytest.fixture
def postgres_url(postgres_cluster: Cluster, postgres_template: str) -> Iterator[str]:
    """A database of all tables for one test, as SQLAlchemy's asynchronous engine names it."""
    with postgres_cluster.database(f"test_{next(_numbers)}", postgres_template) as url:
        yield url


@pytest.fixture
def empty_postgres_url(postgres_cluster: Cluster) -> Iterator[str]:
    """The same without any table."""
    with postgres_cluster.database(f"test_{next(_numbers)}") as url:
        yield url


@pytest.fixture(params=_KINDS)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new database of each kind that the store runs on: the same tests, on both. Nothing is in its tables,
    if it has any yet."""
    return _store(request, tmp_path, "postgres_url")


@pytest.fixture(params=_KINDS)
def empty_store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The same, certainly without any table."""
    return _store(request, tmp_path, "empty_postgres_url")


def _store(request: pytest.FixtureRequest, folder: Path, postgres: str) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{folder / 'guardian.db'}"
    url: str = request.getfixturevalue(postgres)
    return url


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """A pair of empty repositories of restic's."""
    from tests.backups import Templates  # with an S3 server behind it, which few tests need

    return Templates.made(tmp_path_factory.mktemp("repositories"))


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
