"""The whole system for end-to-end tests: ``confero up`` on the documented ports of loopback addresses of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from pathlib import Path

import pytest
import pytest_asyncio

from confero.lab.members.loopback import gather_loopback
from confero.lab.stack import Stack

from ..support.figures import record_figure

__all__ = ["record_figure", "stack"]

SHOWN = 12_000
"""Characters of the services' log, from its end."""


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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails shows what the services have said."""
    report = yield
    running = getattr(item, "funcargs", {}).get("stack")
    if report.failed and isinstance(running, Stack):
        report.sections.append(("services", running.output[-SHOWN:]))
    return report
