"""The site through a front door: the same page, the client's own address, and the limits of its own listener."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from confero.appserver.config import AppserverConfig
from confero.clock import SystemClock
from confero.config import ConfigError, load
from confero.runtime.giving import Giver
from confero.runtime.handover import Flags, Handed

from ..support.waiting import until
from .conftest import SiteMaker
from .site import Site

PAGE = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
WHO = b"GET /who HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class Door:
    """Whoever hands connections over."""

    def __init__(self, folder: Path) -> None:
        self.told: list[bool] = []
        self.giver = Giver(folder / "appserver.sock", SystemClock(), lambda _, taken: self.told.append(taken))
        self._listening = socket.create_server(("127.0.0.1", 0))

    async def connect(self, source: str = "127.0.0.1") -> socket.socket:
        """A client's end of a TCP connection that was handed over."""
        client = socket.create_connection(self._listening.getsockname(), 5, (source, 0))
        ours, address = self._listening.accept()
        self.giver.give(ours, Handed("https", address))
        return client

    def close(self) -> None:
        self.giver.close()
        self._listening.close()


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    made = Door(tmp_path / "handover")
    yield made
    made.close()


async def test_the_site_is_served(make_site: SiteMaker, door: Door, tmp_path: Path) -> None:
    site: Site = await make_site(https_listen=True, handover_dir=tmp_path / "handover")
    client = await door.connect()
    client.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=client, ssl=site.trust, server_hostname="localhost")
    writer.write(PAGE)
    answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 200 ") and b"<html" in answer
    writer.close()
    assert door.told == [True]


async def test_without_a_listener_of_its_own(make_site: SiteMaker, door: Door, tmp_path: Path) -> None:
    settings = {"https_port": 0, "handover_dir": tmp_path / "handover"}
    app = (await make_site(**settings)).app
    assert len(app.doors.all) == 2
    config = AppserverConfig(state_dir=tmp_path, https_listen=False, handover_dir=tmp_path / "handover")
    assert config.https_listen is False


def test_somehow_it_must_be_reached() -> None:
    with pytest.raises(ConfigError, match="nobody gets here"):
        load(AppserverConfig, service="appserver", env={"CONFERO_APPSERVER_HTTPS_LISTEN": "false"})


async def test_tls_may_have_ended_before(make_site: SiteMaker, door: Door, tmp_path: Path) -> None:
    """Inside of it there is HTTPS all the same, and the client is who the giver says."""
    seen: list[tuple[str | None, str]] = []

    async def who(request: web.Request) -> web.Response:
        seen.append((request.remote, request.scheme))
        return web.Response(text="x")

    site: Site = await make_site(handover_dir=tmp_path / "handover")
    handed = site.app.doors.handed
    assert handed is not None
    site.app.site.app.router._frozen = False
    site.app.site.app.router.add_get("/who", who)
    ours, client = socket.socketpair()
    door.giver.give(ours, Handed("tls", ("2001:db8::7", 4711), Flags.TLS_ENDED))
    client.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=client)
    writer.write(WHO)
    assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
    writer.close()
    assert seen == [("2001:db8::7", "https")]


async def test_sources_are_bounded_here_too(make_site: SiteMaker, door: Door, tmp_path: Path) -> None:
    await make_site(handover_dir=tmp_path / "handover", max_connections_per_source=2)
    clients = [await door.connect() for _ in range(3)]
    other = await door.connect("127.0.0.2")
    clients[2].setblocking(False)
    await until(lambda: ended(clients[2]))
    assert not any(map(ended, [*clients[:2], other]))
    for client in (*clients, other):
        client.close()


def ended(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


async def test_while_it_drains_the_door_keeps_who_comes(make_site: SiteMaker, door: Door, tmp_path: Path) -> None:
    site: Site = await make_site(handover_dir=tmp_path / "handover")
    first = await door.connect()
    first.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=first, ssl=site.trust, server_hostname="localhost")
    await site.app.drain()
    late = await door.connect()
    await until(lambda: len(door.giver) == 1)
    assert not ended(late), "it waits for the successor"
    writer.write(PAGE)
    assert (await reader.read()).startswith(b"HTTP/1.1 "), "who is there already is served"
    writer.close()
    late.close()


async def test_the_client_that_trusts_nobody(make_site: SiteMaker, door: Door, tmp_path: Path) -> None:
    """A handshake that fails gives its place back."""
    site: Site = await make_site(handover_dir=tmp_path / "handover")
    handed = site.app.doors.handed
    assert handed is not None
    client = await door.connect()
    client.setblocking(False)
    with pytest.raises(ssl.SSLError):
        await asyncio.open_connection(sock=client, ssl=ssl.create_default_context(), server_hostname="localhost")
    await until(lambda: handed._connections.count == 0)
    async with aiohttp.ClientSession() as http, http.get(site.url, ssl=site.trust) as response:
        assert response.status == 200
