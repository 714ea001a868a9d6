"""The whole system for end-to-end tests: ``confero up`` on the documented ports of loopback addresses of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from confero.lab.members.loopback import gather_loopback
from confero.lab.stack import Stack

from ..support.figures import record_figure

__all__ = ["record_figure", "stack"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """One for each file: on 127.0.NETWORK.x, by the file's ``NETWORK``, or all of it on its ``HOST``; with its ``SETTINGS``."""
    gather_loopback()
    state: Path = tmp_path_factory.mktemp("state")
    network = getattr(request.module, "NETWORK", None)
    settings = getattr(request.module, "SETTINGS", None)
    place = {"host": request.module.HOST} if network is None else {"network": network}
    running = Stack(state, settings=settings, **place)
    await running.start()
    yield running
    await running.stop()
    tail = running.output[-6000:]
    assert "Traceback" not in running.output, tail
