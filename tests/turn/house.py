"""A TURN server on a loopback address, with a certificate; aioice is its client, and an echo its peer."""

from __future__ import annotations

import asyncio
import ssl
import time
from pathlib import Path
from typing import Any, cast

import aiohttp
import trustme
from aioice.turn import TurnTransport, create_turn_endpoint
from pydantic import SecretStr

from confero.clock import SystemClock
from confero.models.turn import TurnTransport as Via
from confero.protocols.turn import issue
from confero.tokens import service_token, turn_secret
from confero.turn.app import TurnApp
from confero.turn.config import TurnConfig

SECRET = b"a secret of the turn server's tests 1"
SERVER, PEER, STRANGER = "127.0.77.1", "127.0.77.2", "127.0.77.3"
PEER_PORTS = "21000-29999"


class Echo(asyncio.DatagramProtocol):
    """A peer that answers everything; ``heard`` is from whom it came."""

    def __init__(self) -> None:
        self.heard: list[tuple[bytes, tuple[str, int]]] = []
        self.transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.heard.append((data, addr))
        self.transport.sendto(b"echo " + data, addr)

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.transport.get_extra_info("sockname")[:2]
        return str(host), int(port)


class Receiver(asyncio.DatagramProtocol):
    """The client's end of a relayed address."""

    def __init__(self) -> None:
        self.got: asyncio.Queue[tuple[bytes, tuple[str, int]]] = asyncio.Queue()
        self.lost = asyncio.Event()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.got.put_nowait((data, addr))

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()


class Talk:
    """An allocation of aioice's client."""

    def __init__(self, transport: TurnTransport, receiver: Receiver) -> None:
        self.transport = transport
        self.receiver = receiver

    @property
    def relayed(self) -> tuple[str, int]:
        host, port = self.transport.get_extra_info("sockname")
        return str(host), int(port)

    async def ask(self, echo: Echo, data: bytes = b"hello", seconds: float = 5.0) -> bytes:
        """What the peer says back. Raises TimeoutError."""
        self.transport.sendto(data, echo.address)
        got, _ = await asyncio.wait_for(self.receiver.got.get(), seconds)
        return got

    async def close(self) -> None:
        self.transport.close()
        await asyncio.wait_for(self.receiver.lost.wait(), 10)


class House:
    """``start`` takes settings of ``TurnConfig``."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self.authority = trustme.CA()
        self.app: TurnApp
        self._echoes: list[Echo] = []
        self._logins: dict[str, tuple[str, str]] = {}

    async def start(self, **settings: Any) -> None:
        self.certify(self.authority)
        values: dict[str, Any] = {
            "bind": [SERVER],
            "udp_port": 0,
            "tcp_port": 0,
            "http_port": 0,
            "threads": 2,
            "appserver_url": "http://127.0.77.9:9",
            "reach": [f"{PEER}:{PEER_PORTS}"],
        }
        config = TurnConfig(state_dir=self.state_dir, secret=SecretStr(SECRET.decode()), **(values | settings))
        self.app = TurnApp(config)
        await self.app.start()

    def certify(self, authority: trustme.CA) -> None:
        """A certificate where the application server would put it."""
        folder = self.state_dir / "tls"
        folder.mkdir(exist_ok=True)
        leaf = authority.issue_cert(SERVER, "turn.example")
        (folder / "leaf.key").write_bytes(leaf.private_key_pem.bytes())
        (folder / "leaf.pem").write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))

    async def stop(self) -> None:
        for echo in self._echoes:
            echo.transport.close()
        await self.app.stop()

    def port(self, via: Via) -> int:
        return self.app.udp_port if via == "udp" else self.app.tcp_port

    def credentials(self, user: str = "alice", ttl_s: float = 600.0) -> tuple[str, str]:
        return issue(turn_secret(SECRET), user, time.time() + ttl_s)

    def login(self, user: str) -> tuple[str, str]:
        """The same credentials each time: a client's connections belong together by their name (RFC 6062 section 5.4), in
        which is the second of its issue.
        """
        if user not in self._logins:
            self._logins[user] = self.credentials(user)
        return self._logins[user]

    @property
    def trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context

    async def allocate(
        self, via: Via = "udp", user: str = "alice", password: str = "", lifetime: int = 600, host: str = SERVER
    ) -> Talk:
        """Raises aioice's TransactionFailed, ConnectionError, TimeoutError."""
        name, right = self.credentials(user)
        transport, receiver = await asyncio.wait_for(
            create_turn_endpoint(
                Receiver,
                (host, self.port(via)),
                name,
                password or right,
                lifetime=lifetime,
                ssl=self.trust if via == "tls" else None,
                transport="udp" if via == "udp" else "tcp",
            ),
            10,
        )
        return Talk(transport, receiver)

    async def echo(self, host: str = PEER, low: int = 21_000) -> Echo:
        """On the first port from ``low`` on that is free."""
        loop = asyncio.get_running_loop()
        for port in range(low, low + 100):
            try:
                _, made = await loop.create_datagram_endpoint(Echo, local_addr=(host, port))
            except OSError:
                continue
            self._echoes.append(made)
            return made
        raise AssertionError(f"no free port of {host}")

    async def get(self, path: str, *, caller: str = "lab", method: str = "GET") -> Any:
        """JSON of the control port, or text; the status where it is no success."""
        token = service_token(caller, "turn", secret=SECRET, now=SystemClock().wall())
        assert self.app.listener is not None
        async with (
            aiohttp.ClientSession() as http,
            http.request(
                method, self.app.listener.url + path, headers={"Authorization": f"Bearer {token}"}
            ) as response,
        ):
            if response.status >= 300:
                return response.status
            return await response.json() if "json" in response.content_type else await response.text()

    async def metric(self, name: str, **labels: str) -> float:
        """A value of /metrics; labels in the order in which they are rendered."""
        wanted = f"confero_turn_{name}"
        if labels:
            wanted += "{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "}"
        for line in str(await self.get("/metrics")).splitlines():
            if line.startswith(wanted + " "):
                return float(line.rpartition(" ")[2])
        raise AssertionError(f"no metric {wanted}")
