"""The whole system for tests against other people's programs: ``confero up`` on loopback addresses of its own.

With ``-n2`` files that listen to sound take turns in one lane, those that mostly wait for timers in another beside it: two run at
once, but never two that listen.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from xdist.scheduler import LoadScopeScheduling

from confero.lab.members.loopback import gather_loopback
from confero.lab.stack import Stack

LISTENS = ("attended", "hearing", "linphone", "mixed", "nat", "proxy", "registering", "transfers")
"""Files that are in the first lane, ``test_sip_<name>.py``."""


class TwoLanes(LoadScopeScheduling):
    """Two units of work, for two workers (``-n2``)."""

    def _split_scope(self, nodeid: str) -> str:
        file = Path(nodeid.partition("::")[0]).stem
        return "listens" if file.removeprefix("test_sip_") in LISTENS else "waits"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> TwoLanes:
    """In place of what ``--dist`` says."""
    return TwoLanes(config, log)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, monkeymodule: pytest.MonkeyPatch
) -> AsyncIterator[Stack]:
    """One for each file, on 127.0.NETWORK.x by the file's ``NETWORK``, with the settings of its ``SETTINGS``."""
    gather_loopback()
    for name, value in getattr(request.module, "SETTINGS", {}).items():
        monkeymodule.setenv(name, value)
    state: Path = tmp_path_factory.mktemp("state")
    running = Stack(state, network=request.module.NETWORK)
    await running.start()
    yield running
    await running.stop()
    (state / "output").write_text(running.output)
    tail = running.output[-6000:]
    assert "Traceback" not in running.output, tail


@pytest.fixture(scope="module")
def monkeymodule() -> pytest.MonkeyPatch:
    """Settings for as long as a file's tests run."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch
