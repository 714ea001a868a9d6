"""What unit tests of the doctor share: a place of made-up ports, and small servers that answer as they are told."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import trustme
from aiohttp import web

from confero.config import ServiceConfig
from confero.lab.doctor.patient import Patient
from confero.lab.doctor.place import PAGE, Place, Row, Spot

HOST = "127.0.0.1"
NAME = "meet.test"


def place(
    spots: Mapping[Row, Spot] | None = None,
    *,
    inside: bool = True,
    configs: Mapping[str, ServiceConfig] | None = None,
    **more: Any,
) -> Place:
    """Nobody answers at the page's port unless ``spots`` says otherwise."""
    return Place(NAME, inside, {PAGE: Spot(HOST, 1), **(spots or {})}, configs or {}, **more)


@contextlib.asynccontextmanager
async def patient(of: Place, **more: Any) -> AsyncIterator[Patient]:
    one = Patient(of, **more)
    try:
        yield one
    finally:
        await one.close()


@contextlib.asynccontextmanager
async def serving(routes: Mapping[str, Callable[..., Any]], tls: ssl.SSLContext | None = None) -> AsyncIterator[Spot]:
    """An HTTP server whose handlers stand under their paths; GET and POST alike."""
    app = web.Application()
    for path, handler in routes.items():
        app.router.add_route("*", path, handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0, ssl_context=tls)
    await site.start()
    try:
        yield Spot(HOST, runner.addresses[0][1])
    finally:
        await runner.cleanup()


def says(body: Any, status: int = 200, **headers: str) -> Callable[[web.Request], Any]:
    """A handler that answers this JSON."""

    async def handle(_: web.Request) -> web.Response:
        return web.json_response(body, status=status, headers=headers)

    return handle


def shows(text: str, status: int = 200, **headers: str) -> Callable[[web.Request], Any]:
    """A handler that answers this page."""

    async def handle(_: web.Request) -> web.Response:
        return web.Response(text=text, status=status, content_type="text/html", headers=headers)

    return handle


def certificate(*names: str, **dates: Any) -> tuple[trustme.CA, ssl.SSLContext]:
    """An authority of its own, and a server's context with its certificate. ``dates``: as trustme takes them."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(names or (NAME,)), **dates).configure_cert(context)
    return authority, context


def write_ca(authority: trustme.CA, folder: Path) -> Path:
    path = folder / "ca.pem"
    path.write_bytes(authority.cert_pem.bytes())
    return path


class Datagrams(asyncio.DatagramProtocol):
    """A UDP server: ``answer`` gives a reply or None."""

    def __init__(self, answer: Callable[[bytes], bytes | None]) -> None:
        self._answer = answer
        self.transport: asyncio.DatagramTransport
        self.heard: list[bytes] = []

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.heard.append(data)
        reply = self._answer(data)
        if reply is not None:
            self.transport.sendto(reply, addr)

    @property
    def spot(self) -> Spot:
        host, port = self.transport.get_extra_info("sockname")
        return Spot(host, port)


@contextlib.asynccontextmanager
async def datagrams(answer: Callable[[bytes], bytes | None]) -> AsyncIterator[Datagrams]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(lambda: Datagrams(answer), local_addr=(HOST, 0))
    try:
        yield server
    finally:
        transport.close()


@contextlib.asynccontextmanager
async def streams(answer: Callable[[bytes], bytes | None], tls: ssl.SSLContext | None = None) -> AsyncIterator[Spot]:
    """A TCP server: each piece is answered; empty bytes end the connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                reply = answer(data)
                if reply == b"":
                    break
                writer.write(reply or b"")
        writer.close()

    server = await asyncio.start_server(serve, HOST, 0, ssl=tls)
    async with server:
        yield Spot(*server.sockets[0].getsockname()[:2])
