"""A MariaDB for the whole run, made when the first test asks for it; and application servers on free ports."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .mariadb import MariaDb
from .site import Site


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDb]:
    server = MariaDb()
    try:
        server.start()
        yield server
    finally:
        server.stop()


SiteMaker = Callable[..., Any]


@pytest.fixture(scope="session")
def used_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an application server leaves behind: database and certificates. Tests start from a copy, which is quicker."""
    folder = tmp_path_factory.mktemp("used")
    asyncio.run(_use(Site(folder)))
    return folder


async def _use(site: Site) -> None:
    await site.start()
    await site.stop()


@pytest.fixture
async def make_site(tmp_path: Path, used_state: Path) -> AsyncIterator[SiteMaker]:
    made: list[Site] = []
    shutil.copytree(used_state, tmp_path, dirs_exist_ok=True)

    async def make(notifier_url: str = "http://127.0.0.1:9", **settings: Any) -> Site:
        site = Site(tmp_path, notifier_url)
        await site.start(**settings)
        made.append(site)
        return site

    yield make
    for site in made:
        await site.stop()


@pytest.fixture
async def site(make_site: SiteMaker) -> AsyncIterator[Site]:
    """With an MCU that lives, however long a busy machine takes for the test."""
    made: Site = await make_site()
    async with made.mcu.living(made.internal_url):
        yield made
