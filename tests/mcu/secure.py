"""Phones that protect what they say: by keys in their descriptions (libsrtp judges), or by DTLS (OpenSSL does)."""

from __future__ import annotations

import base64
import secrets

from aiortc.rtcdtlstransport import RTCCertificate
from cryptography.hazmat.primitives.hashes import SHA256
from OpenSSL import SSL
from pylibsrtp import Error, Policy, Session

from confero.protocols.sdp import parse

from .rig import Phone, Rig, remote_of

SUITES = {
    "AES_CM_128_HMAC_SHA1_80": (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 30),
    "AES_CM_128_HMAC_SHA1_32": (Policy.SRTP_PROFILE_AES128_CM_SHA1_32, 30),
    "AEAD_AES_128_GCM": (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 28),
    "AEAD_AES_256_GCM": (Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 44),
}


class SrtpPhone(Phone):
    """Seals and opens by libsrtp once it has keys; what does not open is counted and not heard."""

    def __init__(self, hertz: float) -> None:
        super().__init__(hertz)
        self.refused = 0
        self._sender: Session | None = None
        self._receiver: Session | None = None

    def set_keys(self, profile: int, ours: bytes, theirs: bytes) -> None:
        self._sender = Session(Policy(key=ours, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile))
        self._receiver = Session(Policy(key=theirs, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=profile))

    def seal(self, packet: bytes) -> bytes:
        return packet if self._sender is None else self._sender.protect(packet)

    def unseal(self, data: bytes) -> bytes:
        if self._receiver is None or len(data) < 12:
            return data
        try:
            rtcp = 192 <= data[1] <= 223
            return self._receiver.unprotect_rtcp(data) if rtcp else self._receiver.unprotect(data)
        except Error:
            self.refused += 1
            return b""


class SdesPhone(SrtpPhone):
    """Offers one suite under a fresh key."""

    suite = "AES_CM_128_HMAC_SHA1_80"

    def new_key(self, suite: str) -> None:
        self.suite, self._key = suite, secrets.token_bytes(SUITES[suite][1])

    def crypto(self, tag: int = 1) -> str:
        return f"a=crypto:{tag} {self.suite} inline:{base64.b64encode(self._key).decode()}"

    def offer(self, *lines: str, protocol: str = "RTP/SAVP") -> str:
        return super().offer(self.crypto(), *lines).replace("RTP/AVP", protocol)

    def talk_to(self, answer: str) -> None:
        (line,) = parse(answer).media[0].cryptos
        self.set_keys(SUITES[self.suite][0], self._key, base64.b64decode(line.keys.partition(":")[2]))
        super().talk_to(answer)


class DtlsPhone(SrtpPhone):
    """Shakes hands as OpenSSL does it, and talks under the keys that come of it."""

    def __init__(self, hertz: float) -> None:
        super().__init__(hertz)
        self._identity = RTCCertificate.generateCertificate()
        self._ssl: SSL.Connection | None = None
        self.shown = b""
        self.connected = False

    def fingerprint(self) -> str:
        return next(f.value for f in self._identity.getFingerprints() if f.algorithm == "sha-256")

    def offer(self, *lines: str, setup: str = "actpass", protocol: str = "UDP/TLS/RTP/SAVP") -> str:
        secured = (f"a=fingerprint:sha-256 {self.fingerprint()}", f"a=setup:{setup}", "a=rtcp-mux")
        return super().offer(*secured, *lines).replace("RTP/AVP", protocol)

    def talk_to(self, answer: str) -> None:
        media = parse(answer).media[0]
        self._remote, self._answer = remote_of(answer), answer
        self.shown = media.fingerprints[0].digest
        context = SSL.Context(SSL.DTLS_METHOD)
        context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
        context.use_certificate(self._identity._cert)
        context.use_privatekey(self._identity._key)
        context.set_tlsext_use_srtp(b"SRTP_AES128_CM_SHA1_80")
        self._ssl = SSL.Connection(context)
        (self._ssl.set_accept_state if media.setup == "active" else self._ssl.set_connect_state)()
        self._step(client=media.setup != "active")

    def _step(self, *, client: bool) -> None:
        self._client = client
        assert self._ssl is not None
        try:
            self._ssl.do_handshake()
            self._done(self._ssl)
        except SSL.WantReadError:
            pass
        self._flush(self._ssl)

    def _flush(self, connection: SSL.Connection) -> None:
        try:
            while data := connection.bio_read(1200):
                self.send(data)
        except SSL.WantReadError:
            return

    def _done(self, connection: SSL.Connection) -> None:
        certificate = connection.get_peer_certificate(as_cryptography=True)
        assert certificate is not None
        assert certificate.fingerprint(SHA256()) == self.shown
        made = connection.export_keying_material(b"EXTRACTOR-dtls_srtp", 60)
        client, server = made[:16] + made[32:46], made[16:32] + made[46:60]
        ours, theirs = (client, server) if self._client else (server, client)
        self.set_keys(Policy.SRTP_PROFILE_AES128_CM_SHA1_80, ours, theirs)
        self.connected = True
        super().talk_to(self._answer)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if data and 20 <= data[0] <= 63 and self._ssl is not None:
            if not self.connected:
                self._ssl.bio_write(data)
                self._step(client=self._client)
            return
        super().datagram_received(data, addr)


async def join(rig: Rig, phone: Phone, name: str, sdp: str, **wish: object) -> str:
    """The phone's leg in room r1; the answer, which it has been told of."""
    rig.peers.append(phone)
    reply = await rig.leg(name, kind="rtp", sdp=sdp, **wish)
    phone.leg = reply.leg
    phone.talk_to(reply.sdp)
    return reply.sdp
