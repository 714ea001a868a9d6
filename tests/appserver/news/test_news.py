"""Pages of an account hear of what changes, through both servers: from the request that changes something to the event."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ...support.browser import Browser as Events
from ...support.waiting import until
from ..browser import Browser
from ..test_smoke import House


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path, 0.2)
    await made.start()
    yield made
    await made.stop()


class Page:
    """Somebody signed in, with a page that listens."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.browser = Browser(house.site)
        self.user = ""
        self.events: Events

    async def begin(self, login: str) -> Page:
        self.user = (await self.browser.sign_up(login))["id"]
        await self.listen()
        return self

    async def token(self) -> str:
        status, found = await self.browser.ask("POST", "me/events")
        assert status == 200, found
        token: str = found["token"]
        return token

    async def listen(self) -> None:
        self.events = self.house.browser()
        welcome = await self.events.hello(await self.token())
        assert welcome["user"] == self.user
        await until(lambda: self.user in self.house.site.app.herald.online)

    async def news(self) -> tuple[str, str | None]:
        """What has changed, where; presence is passed over."""
        event = await self.events.event("changed")
        return event["what"], event["room"]

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        status, found = await self.browser.ask(method, path, body)
        assert status < 300, found
        return found


@pytest.fixture
async def pages(house: House) -> AsyncIterator[tuple[Page, Page]]:
    ada, bob = await Page(house).begin("ada"), await Page(house).begin("bob")
    yield ada, bob
    await ada.browser.close()
    await bob.browser.close()


async def test_a_room_its_members_and_its_end(pages: tuple[Page, Page]) -> None:
    ada, bob = pages
    room = (await ada.ask("POST", "rooms", {"name": "Planning"}))["id"]
    assert await ada.news() == ("rooms", None)
    await ada.ask("PUT", f"rooms/{room}/members/{bob.user}", {"role": "guest"})
    assert await ada.news() == await bob.news() == ("members", room)
    await ada.ask("PATCH", f"rooms/{room}", {"name": "Plans"})
    assert await ada.news() == await bob.news() == ("rooms", room)
    await ada.ask("DELETE", f"rooms/{room}/members/{bob.user}")
    assert await bob.news() == ("members", room)
    await ada.news()
    await ada.ask("DELETE", f"rooms/{room}")
    assert await ada.news() == ("rooms", room)


async def test_who_comes_into_a_room_is_news_for_its_owner(house: House, pages: tuple[Page, Page]) -> None:
    ada, _ = pages
    room = (await ada.ask("POST", "rooms", {"name": "Planning"}))["id"]
    await ada.news()
    joined = await house.site.join("Guest", room)
    assert await ada.news() == ("lobby", room)
    guest = house.browser()
    await guest.hello(joined["token"])
    assert await ada.news() == ("live", room)


async def test_presence_among_those_who_share_a_room(pages: tuple[Page, Page]) -> None:
    ada, bob = pages
    room = (await ada.ask("POST", "rooms", {"name": "Planning"}))["id"]
    await ada.ask("PUT", f"rooms/{room}/members/{bob.user}", {"role": "guest"})
    await bob.news()
    bob.events.vanish()
    while (gone := await ada.events.event("presence"))["online"]:
        pass  # that bob has come, if they shared the room before that was told
    assert gone["user"] == bob.user
    await bob.listen()
    back = await ada.events.event("presence")
    assert (back["user"], back["online"]) == (bob.user, True)


async def test_signing_out_ends_it(house: House, pages: tuple[Page, Page]) -> None:
    ada, bob = pages
    token = await ada.token()
    await ada.ask("DELETE", "session")
    assert await ada.events.close_code() == 4403
    assert (await bob.events.ask("ping"))["type"] == "ok"
    await house.browser().hello(token)  # a token that is held lasts its ten minutes, as long as the account is open


async def test_a_closed_account_hears_nothing_more(house: House, pages: tuple[Page, Page]) -> None:
    ada, _ = pages
    token = await ada.token()
    root = Browser(house.site)
    await root.set_up()
    assert (await root.ask("PATCH", f"users/{ada.user}", {"enabled": False}))[0] == 200
    await root.close()
    assert await ada.events.close_code() == 4403
    late = house.browser()
    await late.connect()
    await late.send({"type": "hello", "token": token})
    assert await late.close_code() == 4401


async def test_the_token_is_for_whoever_is_signed_in(house: House) -> None:
    stranger = Browser(house.site)
    assert (await stranger.ask("POST", "me/events"))[0] == 401
    await stranger.close()
    joined = await house.site.join()
    async with aiohttp.ClientSession() as http:
        headers = {"Authorization": f"Bearer {joined['token']}"}
        async with http.post(f"{house.site.url}/api/v1/me/events", headers=headers, ssl=house.site.trust) as response:
            assert response.status == 403
