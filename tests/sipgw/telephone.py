"""A telephone that is written out by hand: SIP as text over UDP, sound and keys from the MCU's tests. It knows one call."""

from __future__ import annotations

import asyncio
import itertools
import re
import secrets
import struct
import time
from collections.abc import Sequence
from typing import Self

from confero.runtime.tasks import TaskBag

from ..mcu.rig import Phone
from ..support.waiting import until

KEYS = "0123456789*#ABCD"
EVENTS = ("a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15")


def field(message: str, name: str) -> str:
    found = re.search(rf"^{name}\s*:\s*(.*?)\r?$", message, re.IGNORECASE | re.MULTILINE)
    return found.group(1) if found else ""


def _answers(message: str, method: str) -> bool:
    return message.startswith("SIP/2.0") and field(message, "CSeq").endswith(method)


class Ear(Phone):
    """Notes when sound came."""

    def __init__(self, hertz: float) -> None:
        super().__init__(hertz)
        self.times: list[float] = []

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.times.append(time.monotonic())
        super().datagram_received(data, addr)

    def longest_gap(self) -> float:
        """Seconds without a packet since the first."""
        return max(after - before for before, after in itertools.pairwise(self.times))


class Telephone(asyncio.DatagramProtocol):
    """``call``, then ``press`` keys; re-INVITEs are answered with its present address."""

    def __init__(self, gateway: tuple[str, int], phone: Ear) -> None:
        self.sound = phone
        self.received: list[str] = []
        self.events = True
        """Whether it sends keys as events."""
        self.refuses = 0
        """Status with which re-INVITEs are answered; 0: they are taken."""
        self.hung_up = False
        """By the other side."""
        self.more: dict[str, tuple[str, ...]] = {}
        """By the method: further header fields of its requests."""
        self._gateway = gateway
        self._transport: asyncio.DatagramTransport
        self._call_id, self._tag = secrets.token_hex(8), secrets.token_hex(4)
        self._to = self._target = ""
        self._invited = "", ""
        """Number and branch of the last INVITE."""
        self._seq = itertools.count(1)
        self._rtp = itertools.count(1000)
        self._stamp = itertools.count(1_000_000, 4000)
        self._tasks = TaskBag()

    @classmethod
    async def open(cls, gateway: tuple[str, int], hertz: float = 440) -> Self:
        phone = await Ear.open(hertz)
        loop = asyncio.get_running_loop()
        transport, telephone = await loop.create_datagram_endpoint(
            lambda: cls(gateway, phone), local_addr=("127.0.0.1", 0)
        )
        telephone._transport = transport
        return telephone

    @property
    def address(self) -> tuple[str, int]:
        """Where it takes calls."""
        host, port = self._transport.get_extra_info("sockname")[:2]
        return host, port

    @property
    def _contact(self) -> str:
        host, port = self._transport.get_extra_info("sockname")[:2]
        return f"<sip:phone@{host}:{port}>"

    def _sdp(self) -> str:
        text = self.sound.offer(*(EVENTS if self.events else ()))
        return text.replace("RTP/AVP 0", "RTP/AVP 0 101") if self.events else text

    # -- the call --

    async def call(self, user: str) -> int:
        """Rings there; the final status."""
        self.address_to(user)
        self.request("INVITE", self._sdp(), "application/sdp")
        await until(lambda: self.status("INVITE") >= 200, "an answer", 20)
        final = next(m for m in self.received if _answers(m, "INVITE") and int(m[8:11]) >= 200)
        self._to = field(final, "To")
        status = int(final[8:11])
        if status == 200:
            self._target = field(final, "Contact").strip("<>").split(">")[0]
            described = final.partition("\r\n\r\n")[2]
            if described:  # else the answer has come before
                self.sound.talk_to(described)
        self._send("ACK", field(final, "CSeq").split()[0])
        return status

    def address_to(self, user: str) -> None:
        """What is asked from now on is of no dialog."""
        self._target = f"sip:{user}@{self._gateway[0]}:{self._gateway[1]}"
        self._to = f"<{self._target}>"

    def told(self, status: int) -> list[str]:
        """Responses of this status to the INVITE."""
        return [m for m in self.received if _answers(m, "INVITE") and int(m[8:11]) == status]

    def status(self, method: str) -> int:
        """Of the last response to such a request; 0: none."""
        found = [m for m in self.received if _answers(m, method)]
        return int(found[-1][8:11]) if found else 0

    def request(self, method: str, body: str = "", kind: str = "") -> None:
        self._send(method, str(next(self._seq)), body, kind)

    def _send(self, method: str, seq: str, body: str = "", kind: str = "", branch: str = "") -> None:
        host, port = self._transport.get_extra_info("sockname")[:2]
        branch = branch or f"z9hG4bK{secrets.token_hex(6)}"
        if method == "INVITE":
            self._invited = seq, branch
        lines = [
            f"{method} {self._target} SIP/2.0",
            f"Via: SIP/2.0/UDP {host}:{port};rport;branch={branch}",
            "Max-Forwards: 70",
            f'From: "Phone" <sip:phone@127.0.0.1>;tag={self._tag}',
            f"To: {self._to}",
            f"Call-ID: {self._call_id}",
            f"CSeq: {seq} {method}",
            f"Contact: {self._contact}",
            *self.more.get(method, ()),
            *([f"Content-Type: {kind}"] if kind else []),
            f"Content-Length: {len(body)}",
        ]
        self._transport.sendto("\r\n".join([*lines, "", body]).encode(), self._gateway)

    def prack(self, response: str) -> None:
        """RFC 3262 section 4."""
        self._to, self._target = field(response, "To"), field(response, "Contact").strip("<>").split(">")[0]
        self.more["PRACK"] = (f"RAck: {field(response, 'RSeq')} {field(response, 'CSeq')}",)
        self.request("PRACK")

    def hang_up(self) -> None:
        self.request("BYE")

    def cancel(self) -> None:
        """The INVITE that nobody has answered (RFC 3261 section 9.1)."""
        seq, branch = self._invited
        self._send("CANCEL", seq, branch=branch)

    # -- what comes --

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        message = data.decode()
        self.received.append(message)
        method = message.split(" ", 1)[0]
        if method == "INVITE" and self.refuses:
            self._reply(message, addr, f"{self.refuses} No")
        elif method == "INVITE":
            self._reply(message, addr, "200 OK", self._sdp())
            self.sound.talk_to(message.partition("\r\n\r\n")[2])
        elif method == "BYE":
            self.hung_up = True
            self._reply(message, addr, "200 OK")
        elif method not in ("ACK", "SIP/2.0"):
            self._reply(message, addr, "200 OK")

    def _reply(
        self, message: str, addr: tuple[str, int], status: str, body: str = "", fields: Sequence[str] = ()
    ) -> None:
        kept = [line for line in message.split("\r\n") if re.match(r"(via|from|to|call-id|cseq):", line, re.IGNORECASE)]
        more = [*fields, *(["Content-Type: application/sdp"] if body else [])]
        lines = [f"SIP/2.0 {status}", *kept, f"Contact: {self._contact}", *more, f"Content-Length: {len(body)}"]
        self._transport.sendto("\r\n".join([*lines, "", body]).encode(), addr)

    # -- keys --

    async def press(self, keys: str, *, way: str = "events") -> None:
        """``events`` (RFC 4733), ``info``, or ``both``."""
        for key in keys:
            if way in ("info", "both"):
                self.request("INFO", f"Signal={key}\r\nDuration=100\r\n", "application/dtmf-relay")
            if way in ("events", "both"):
                await self._event(KEYS.index(key))
            await asyncio.sleep(0.06)

    async def _event(self, code: int) -> None:
        """RFC 4733 section 2.5: 100 ms, the end three times."""
        stamp, ssrc = next(self._stamp), 77
        for index, length in enumerate([160, 320, 480, 640, 800, 800, 800]):
            head = struct.pack("!BBHII", 0x80, 101 | (0x80 if not index else 0), next(self._rtp) & 0xFFFF, stamp, ssrc)
            self.sound.send(head + struct.pack("!BBH", code, 0x80 * (index >= 4) | 10, length))
            await asyncio.sleep(0.01)

    async def close(self) -> None:
        await self._tasks.close()
        await self.sound.close()
        self._transport.close()


class Called(Telephone):
    """A telephone that is called; the test says when it answers what."""

    def __init__(self, gateway: tuple[str, int], phone: Ear) -> None:
        super().__init__(gateway, phone)
        self.invite = ""
        self._from: tuple[str, int] = gateway

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        message = data.decode()
        if message.startswith("INVITE") and "tag=" not in field(message, "To"):
            self.invite, self._from = message, addr
            self.sound.talk_to(message.partition("\r\n\r\n")[2])
            self.sound.talking = False
        else:
            super().datagram_received(data, addr)

    def says(self, status: str, *more: str, sounds: bool = False) -> None:
        """A response to the INVITE, with header fields of its own; ``sounds``: with a description, and its tone from now on."""
        self.sound.talking = self.sound.talking or sounds
        invite = self.invite.replace(
            f"To: {field(self.invite, 'To')}", f"To: {field(self.invite, 'To')};tag={self._tag}"
        )
        self._reply(invite, self._from, status, self._sdp() if sounds else "", more)
