"""A MariaDB for the whole run, made when the first test asks for it; and application servers on free ports."""

from __future__ import annotations

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


@pytest.fixture
async def make_site(tmp_path: Path) -> AsyncIterator[SiteMaker]:
    made: list[Site] = []

    async def make(notifier_url: str = "http://127.0.0.1:9", **settings: Any) -> Site:
        site = Site(tmp_path, notifier_url)
        await site.start(**settings)
        made.append(site)
        return site

    yield make
    for site in made:
        await site.stop()


@pytest.fixture
async def site(make_site: SiteMaker) -> Site:
    """With an MCU that is registered."""
    made: Site = await make_site()
    await made.mcu.register(made.internal_url)
    return made
