"""baresip as a telephone of an MCU: it dials, its INVITE makes a leg.

Just enough of SIP to be called by it on loopback: one dialog, no retransmissions (RFC 3261; the gateway has the whole of it).
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from confero.lab.members import Baresip, Line
from confero.runtime.tasks import TaskBag

from .rig import Rig, tones

FULL_SCALE = 32768


class Caller(asyncio.DatagramProtocol):
    """One call from a baresip process into room r1."""

    def __init__(self, rig: Rig, phone: Baresip, wish: dict[str, object]) -> None:
        self._rig, self.phone, self._wish = rig, phone, wish
        self._transport: asyncio.DatagramTransport
        self.offer = self.answer = self.leg = self.refused = ""
        self.acknowledged = False
        self._tasks = TaskBag()

    @classmethod
    async def call(cls, rig: Rig, home: Path, *, hertz: int = 1000, line: Line | None = None, **wish: object) -> Caller:
        """It is on its way: ``leg`` is set when the MCU has taken it."""
        loop = asyncio.get_running_loop()
        phone = Baresip(home, hertz=hertz, line=line)
        transport, caller = await loop.create_datagram_endpoint(
            lambda: cls(rig, phone, wish), local_addr=("127.0.0.1", 0)
        )
        caller._transport = transport
        rig.peers.append(caller)
        await phone.start()
        await phone.dial(f"sip:room@127.0.0.1:{transport.get_extra_info('sockname')[1]}")
        return caller

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        head, _, body = data.decode().partition("\r\n\r\n")
        method = head.split(" ", 1)[0]
        if method == "INVITE" and not self.offer:
            self.offer = body
            self._tasks.spawn(self._invited(head, addr), name="a call")
        elif method == "INVITE" and self.answer:
            self._reply(head, addr, "200 OK", self.answer)
        elif method == "ACK":
            self.acknowledged = True
        elif method in ("BYE", "CANCEL"):
            self._reply(head, addr, "200 OK", "")

    async def _invited(self, head: str, addr: tuple[str, int]) -> None:
        try:
            reply = await self._rig.leg("baresip", kind="rtp", sdp=self.offer, **self._wish)
        except Exception as error:
            self.refused = str(error)
            self._reply(head, addr, "488 Not Acceptable Here", "")
            return
        self.leg, self.answer = reply.leg, reply.sdp
        self._reply(head, addr, "200 OK", reply.sdp)

    def _reply(self, head: str, addr: tuple[str, int], status: str, body: str) -> None:
        port = self._transport.get_extra_info("sockname")[1]
        kept = [
            line for line in head.split("\r\n")[1:] if line.lower().startswith(("via:", "from:", "call-id:", "cseq:"))
        ]
        to = next(line for line in head.split("\r\n") if line.lower().startswith("to:"))
        to += "" if ";tag=" in to else ";tag=mcu"
        more = [to, f"Contact: <sip:room@127.0.0.1:{port}>", f"Content-Length: {len(body)}"]
        more += ["Content-Type: application/sdp"] if body else []
        self._transport.sendto("\r\n".join([f"SIP/2.0 {status}", *kept, *more, "", body]).encode(), addr)

    def levels(self, *hertz: float) -> list[float]:
        """Amplitudes of tones in the last second heard."""
        return tones(self.phone.heard() * FULL_SCALE, 48_000, hertz)

    async def close(self) -> None:
        await self.phone.stop()
        await self._tasks.close()
        self._transport.close()
