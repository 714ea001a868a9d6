"""TURN servers on loopback addresses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from .house import House

HouseMaker = Callable[..., Any]


@pytest.fixture
async def make_house(tmp_path: Path) -> AsyncIterator[HouseMaker]:
    made: list[House] = []

    async def make(**settings: Any) -> House:
        house = House(tmp_path)
        made.append(house)
        await house.start(**settings)
        return house

    yield make
    for house in made:
        await house.stop()


@pytest.fixture
async def house(make_house: HouseMaker) -> House:
    made: House = await make_house()
    return made
