"""The whole system for end-to-end tests: ``confero up`` on the documented ports of loopback addresses of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from confero.lab.members.loopback import gather_loopback
from confero.lab.stack import Stack

NETWORK = 41


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    gather_loopback()
    state: Path = tmp_path_factory.mktemp("state")
    running = Stack(state, network=NETWORK)
    await running.start()
    yield running
    await running.stop()
    tail = running.output[-6000:]
    assert "Traceback" not in running.output, tail
