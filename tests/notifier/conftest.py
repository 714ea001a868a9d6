"""A notifier on a free port between a pretended application server and MCU."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from confero.models import UserGrant
from confero.notifier.app import NotifierApp
from confero.notifier.config import NotifierConfig

from ..support.browser import Browser
from ..support.fake_mcu import FakeMcu
from .fakes import SECRET, FakeAppServer, grant


class Stack:
    """The notifier and what is around it; ``token`` makes a good one."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self.appserver = FakeAppServer()
        self.mcu = FakeMcu(secret=SECRET)
        self.http: aiohttp.ClientSession
        self.notifier: NotifierApp
        self._port = 0

    async def start(self, **settings: Any) -> None:
        await self.appserver.start()
        await self.mcu.start()
        self.http = aiohttp.ClientSession()
        await self.start_notifier(**settings)

    async def start_notifier(self, **settings: Any) -> None:
        config = NotifierConfig(
            http_port=self._port,
            appserver_url=self.appserver.url,
            secret=SecretStr(SECRET.decode()),
            state_dir=self._state_dir,
            **settings,
        )
        self.notifier = NotifierApp(config)
        await self.notifier.start()
        assert self.notifier.listener is not None
        self._port = self.notifier.listener.port

    async def stop(self) -> None:
        await self.notifier.stop()
        await self.http.close()
        await self.mcu.stop()
        await self.appserver.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def token(self, participant: str = "alice", room: str = "lobby", **changes: Any) -> str:
        token = f"token-of-{participant}-for-{room}"
        self.appserver.grants[token] = grant(participant, room, **({"mcu_url": self.mcu.url} | changes))
        return token

    def user_token(self, user: str = "u_alice") -> str:
        token = f"token-of-user-{user}"
        self.appserver.grants[token] = UserGrant(user=user, expires=time.time() + 600)
        return token

    def browser(self) -> Browser:
        return Browser(self.http, self.url)

    async def join(self, participant: str = "alice", room: str = "lobby") -> Browser:
        browser = self.browser()
        await browser.hello(self.token(participant, room))
        return browser


StackMaker = Callable[..., Any]


@pytest.fixture
async def make_stack(tmp_path: Path) -> AsyncIterator[StackMaker]:
    made: list[Stack] = []

    async def make(**settings: Any) -> Stack:
        stack = Stack(tmp_path)
        await stack.start(**settings)
        made.append(stack)
        return stack

    yield make
    for stack in made:
        await stack.stop()


@pytest.fixture
async def stack(make_stack: StackMaker) -> Stack:
    made: Stack = await make_stack()
    return made
