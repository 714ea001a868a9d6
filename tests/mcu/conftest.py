"""A whole MCU on loopback for each test that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from .others import Others
from .rig import Rig


@pytest.fixture
async def others() -> AsyncIterator[Others]:
    others = Others()
    yield others
    await others.stop()


@pytest.fixture
async def rig(tmp_path: Path, others: Others) -> AsyncIterator[Rig]:
    """Notifier and application server are there as well."""
    rig = Rig(tmp_path, **await others.start())
    await rig.start()
    yield rig
    await rig.stop()


@pytest.fixture
async def lonely(tmp_path: Path) -> AsyncIterator[Rig]:
    """Neither of them is."""
    rig = Rig(tmp_path)
    await rig.start()
    yield rig
    await rig.stop()
