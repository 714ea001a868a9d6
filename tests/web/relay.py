"""A UDP hop between a browser and its media peer that the test can cut, as a network does."""

from __future__ import annotations

import asyncio
import re
from typing import cast

Address = tuple[str, int]
LOOPBACK = "127.0.0.1"
CANDIDATE = re.compile(r"^a=candidate:\S+ 1 (?:udp|UDP) \d+ 127\.0\.0\.1 (\d+) typ host", re.MULTILINE)


class Relay(asyncio.DatagramProtocol):
    """Passes datagrams between ``target`` and whoever else speaks last, unless ``cut``."""

    def __init__(self) -> None:
        self.cut = False
        self.target: Address | None = None
        self._browser: Address | None = None
        self._transport: asyncio.DatagramTransport

    @classmethod
    async def open(cls) -> Relay:
        loop = asyncio.get_running_loop()
        _, relay = await loop.create_datagram_endpoint(cls, local_addr=(LOOPBACK, 0))
        return relay

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    @property
    def port(self) -> int:
        return int(self._transport.get_extra_info("sockname")[1])

    def datagram_received(self, data: bytes, addr: Address) -> None:
        if self.cut:
            return
        if addr == self.target:
            if self._browser is not None:
                self._transport.sendto(data, self._browser)
            return
        self._browser = addr
        if self.target is not None:
            self._transport.sendto(data, self.target)

    def put_before(self, answer: str) -> str:
        """The SDP answer with this relay as its only candidate; what it named is the target from now on."""
        named = CANDIDATE.search(answer)
        assert named is not None, answer
        self.target = (LOOPBACK, int(named.group(1)))
        own = f"a=candidate:1 1 udp 2130706431 {LOOPBACK} {self.port} typ host\r\na=end-of-candidates"
        without = re.sub(r"^a=(?:candidate:.*|end-of-candidates)\r?\n", "", answer, flags=re.MULTILINE)
        return without.rstrip("\r\n") + "\r\n" + own + "\r\n"

    def close(self) -> None:
        self._transport.close()
