"""A site, and browsers that visit it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from ..browser import Browser
from ..site import Site


@pytest.fixture
async def browsers(site: Site) -> AsyncIterator[Callable[[], Browser]]:
    made: list[Browser] = []

    def make() -> Browser:
        made.append(Browser(site))
        return made[-1]

    yield make
    for browser in made:
        await browser.close()


@pytest.fixture
async def browser(browsers: Callable[[], Browser]) -> Browser:
    return browsers()
