"""The example of docs/notifications.md, as it stands there: it hears what changes, through a broken connection too."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import aiohttp

from ...support.waiting import until
from ..browser import Browser
from ..test_smoke import House
from .test_news import house  # noqa: F401 - a fixture

PAGE = Path(__file__).resolve().parents[3] / "docs" / "notifications.md"


def example() -> Any:
    """The function of the page."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, str(PAGE), "exec"), names)
    return names["listen"]


async def test_the_example_loses_nothing(house: House) -> None:  # noqa: F811
    ada = Browser(house.site)
    await ada.sign_up("ada")
    key = (await ada.ask("POST", "me/keys", {"name": "Example", "scopes": ["rooms:read"]}))[1]["key"]
    heard: list[dict[str, Any]] = []
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=house.site.trust)) as http:
        listening = asyncio.ensure_future(example()(http, house.site.url, key, heard.append))  # noqa: TID251 - a test's own
        await until(lambda: len(house.site.app.herald.online) == 1)
        for number in range(3):
            assert (await ada.ask("POST", "rooms", {"name": f"Room {number}"}))[0] == 201
            await until(lambda: len(heard) == number + 2)  # noqa: B023 - awaited at once
            if number == 1:
                house.site.app.passing.drain()
        listening.cancel()
    await ada.close()
    assert [event["type"] for event in heard] == ["welcome", "changed", "changed", "changed"]
    assert [event["seq"] for event in heard[1:]] == [1, 2, 3]
