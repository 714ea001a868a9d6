"""Peers that misbehave: a socket that does ICE by hand and says over the proved path whatever it likes."""

from __future__ import annotations

import asyncio
import hashlib
import secrets

from aioice import stun
from OpenSSL import SSL

from confero.protocols.sdp import Session, parse


class Stranger(asyncio.DatagramProtocol):
    """``fingerprint`` is nobody's: DTLS with it can never succeed."""

    def __init__(self) -> None:
        self.ufrag, self.pwd = secrets.token_hex(4), secrets.token_hex(12)
        self.received: list[bytes] = []
        self._transport: asyncio.DatagramTransport
        self._answers: dict[bytes, asyncio.Future[stun.Message]] = {}

    @classmethod
    async def open(cls) -> Stranger:
        loop = asyncio.get_running_loop()
        transport, self = await loop.create_datagram_endpoint(cls, local_addr=("127.0.0.1", 0))
        self._transport = transport
        return self

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._transport.get_extra_info("sockname")[:2]
        return host, port

    def offer(self) -> str:
        fingerprint = hashlib.sha256(self.ufrag.encode()).digest().hex(":").upper()
        lines = (
            "v=0",
            "o=- 1 1 IN IP4 127.0.0.1",
            "s=-",
            "t=0 0",
            "m=audio 9 UDP/TLS/RTP/SAVPF 111",
            "c=IN IP4 0.0.0.0",
            "a=rtpmap:111 opus/48000/2",
            "a=rtcp-mux",
            f"a=ice-ufrag:{self.ufrag}",
            f"a=ice-pwd:{self.pwd}",
            f"a=fingerprint:sha-256 {fingerprint}",
            "a=setup:actpass",
            "",
        )
        return "\r\n".join(lines)

    async def check(self, answer: str, *, nominate: bool = True, ufrag: str | None = None) -> stun.Message:
        """One authenticated check; its answer."""
        media = parse(answer).media[0]
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes["USERNAME"] = f"{media.ice_ufrag}:{ufrag or self.ufrag}"
        request.attributes["PRIORITY"] = 1
        request.attributes["ICE-CONTROLLING"] = 1
        if nominate:
            request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity(str(media.ice_pwd).encode())
        waiting = self._answers[request.transaction_id] = asyncio.get_running_loop().create_future()
        self.send(bytes(request), target(answer))
        async with asyncio.timeout(2):
            return await waiting

    def send(self, data: bytes, to: tuple[str, int]) -> None:
        self._transport.sendto(data, to)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if data and data[0] < 4:
            message = stun.parse_message(data)
            waiting = self._answers.pop(message.transaction_id, None)
            if waiting is not None and not waiting.done():
                waiting.set_result(message)
        else:
            self.received.append(data)

    def close(self) -> None:
        self._transport.close()


def target(answer: str) -> tuple[str, int]:
    """Where a description's first candidate is."""
    session: Session = parse(answer)
    candidate = session.media[0].candidates[0]
    return candidate.address, candidate.port


def client_hello(ciphers: bytes = b"ECDHE-ECDSA-AES128-GCM-SHA256") -> bytes:
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_cipher_list(ciphers)
    context.set_tlsext_use_srtp(b"SRTP_AEAD_AES_128_GCM")
    connection = SSL.Connection(context)
    connection.set_connect_state()
    try:
        connection.do_handshake()
    except SSL.WantReadError:
        return connection.bio_read(65536)
    raise AssertionError("a handshake alone")
