"""DTLS-SRTP with a browser: aiortc's handshake over an engine channel, its keys handed to the engine (RFC 5763, 5764).

The only module that touches private names of aiortc; ``tests/mcu/test_aiortc_contract.py`` pins each of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Literal

from aiortc import rtcdtlstransport as aiortc_dtls
from aiortc.rtcdtlstransport import (
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    SRTPProtectionProfile,
    State,
)
from cryptography import x509
from OpenSSL import SSL, crypto

from confero.errors import ConferoError
from confero.media import SrtpKeys, SrtpProfile
from confero.protocols.sdp import Fingerprint

from .channel import EngineChannel

Role = Literal["server", "client"]
OnKeys = Callable[[SrtpProfile, SrtpKeys, SrtpKeys], None]
"""Profile, the peer's keys, ours."""

DTLS_1_2 = 0xFEFD
MTU = 1200
"""Bytes of a datagram that passes every path: RFC 8261 section 5 recommends it for WebRTC."""
RECORD_HEADER = 13
ALERT = 21
READ = 65_536
EXPORTER = b"EXTRACTOR-dtls_srtp"
TRIES = 3

PROFILES: dict[SRTPProtectionProfile, SrtpProfile] = {
    aiortc_dtls.SRTP_AEAD_AES_128_GCM: SrtpProfile.AEAD_AES_128_GCM,
    aiortc_dtls.SRTP_AEAD_AES_256_GCM: SrtpProfile.AEAD_AES_256_GCM,
    aiortc_dtls.SRTP_AES128_CM_SHA1_80: SrtpProfile.AES128_CM_SHA1_80,
}
"""What we take, best first; as server we choose. There is no NULL profile in it."""

SUITES = ":".join(
    f"ECDHE-{signature}-{cipher}"
    for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")
    for signature in ("ECDSA", "RSA")  # ours is ECDSA; a peer that is the server may have RSA
).encode()
"""AEAD only, with forward secrecy."""


class Outcome(Enum):
    """How an association ended."""

    MISMATCH = "fingerprint-mismatch"
    """The peer's certificate is not the one that its description named. No keys were made."""
    FAILED = "dtls-failed"
    """The handshake did not succeed, after all tries."""
    CLOSED = "bye"
    """The peer has said close_notify after it was up."""


class Certificate:
    """Our key and certificate, ECDSA on P-256, for every leg of the process."""

    def __init__(self) -> None:
        self._made = RTCCertificate.generateCertificate()
        value = next(f.value for f in self._made.getFingerprints() if f.algorithm == "sha-256")
        self.fingerprint = Fingerprint("sha-256", bytes.fromhex(value.replace(":", "")))

    def identity(self, is_peer: Callable[[x509.Certificate], bool]) -> RTCCertificate:
        """For one association, which ends with an alert if ``is_peer`` does not know the other's certificate."""
        return _Identity(self._made, is_peer)


class _Identity(RTCCertificate):
    """aiortc makes its OpenSSL context from this."""

    def __init__(self, made: RTCCertificate, is_peer: Callable[[x509.Certificate], bool]) -> None:
        super().__init__(made._key, made._cert)
        self._is_peer = is_peer

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        context = SSL.Context(SSL.DTLS_METHOD)
        context.set_min_proto_version(DTLS_1_2)
        context.set_max_proto_version(DTLS_1_2)
        context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_QUERY_MTU)
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)  # each association shows its certificate
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, self._verify)
        context.use_certificate(self._cert)
        context.use_privatekey(self._key)
        context.set_cipher_list(SUITES)
        context.set_tlsext_use_srtp(b":".join(profile.openssl_profile for profile in srtp_profiles))
        return context

    def _verify(self, _: SSL.Connection, certificate: crypto.X509, error: int, depth: int, ok: int) -> bool:
        """Self-signed by nature: only the fingerprint counts (RFC 5763 section 5). False sends the alert."""
        return depth > 0 or self._is_peer(certificate.to_cryptography())


def matches(certificate: x509.Certificate, fingerprints: Sequence[Fingerprint]) -> bool:
    """RFC 8122 section 5: for each hash that is used, one of its fingerprints is this certificate's. None given: False."""
    algorithms = {fingerprint.algorithm for fingerprint in fingerprints}
    return bool(algorithms) and all(_known(certificate, algorithm, fingerprints) for algorithm in algorithms)


def _known(certificate: x509.Certificate, algorithm: str, fingerprints: Sequence[Fingerprint]) -> bool:
    hash = aiortc_dtls.X509_DIGEST_ALGORITHMS.get(algorithm)
    if hash is None:
        return False
    digest = certificate.fingerprint(hash)
    return any(f.digest == digest for f in fingerprints if f.algorithm == algorithm)


class KeyTap(RTCDtlsTransport):
    """One handshake; instead of building SRTP sessions it gives the keys away."""

    def __init__(
        self,
        channel: EngineChannel,
        certificate: Certificate,
        fingerprints: Sequence[Fingerprint],
        role: Role,
        on_keys: OnKeys,
    ) -> None:
        # The channel has all that aiortc uses of an ICE transport: role, state, _recv, _send.
        super().__init__(channel, [certificate.identity(self._is_peer)])  # type: ignore[arg-type]
        self._channel = channel
        self._fingerprints = tuple(fingerprints)
        self._on_keys = on_keys
        self._srtp_profiles = list(PROFILES)
        self._set_role(role)
        self.mismatch = False
        self.closed = asyncio.Event()
        self.on("statechange", self._changed)

    async def handshake(self) -> bool:
        """True once the keys are out. Waits for the peer as long as it takes."""
        texts = [RTCDtlsFingerprint(f.algorithm, f.digest.hex(":").upper()) for f in self._fingerprints]
        await self.start(RTCDtlsParameters(fingerprints=texts))
        if self.state == "connected":
            return True
        self.flush()
        return False

    def goodbye(self) -> None:
        """Says close_notify if it is up. Idempotent."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if self._ssl is not None and self.state == "connected":
            try:
                self._ssl.shutdown()
            except SSL.Error:
                return
            self.flush()

    def flush(self) -> None:
        """What OpenSSL has to say goes out, whole records in datagrams of bounded size.

        During the handshake that is all but alerts: an alert would end the real peer's attempt over a datagram that may not
        have been its own. Only a wrong certificate, which is the peer's own, is answered with one.
        """
        try:
            waiting = self._ssl.bio_read(READ) if self._ssl is not None else b""
        except SSL.Error:
            return
        try:
            for datagram in split(waiting, alerts=self.mismatch or self.encrypted):
                self._channel.send(datagram)
        except ConnectionError:
            return  # the leg has gone, or DTLS sends it again

    async def _do_handshake(self) -> None:
        assert self._ssl is not None
        self._ssl.set_ciphertext_mtu(
            MTU
        )  # unset, OpenSSL would ask our memory buffer, or cut messages into small pieces
        await super()._do_handshake()

    async def _write_ssl(self) -> None:
        self.flush()

    def _is_peer(self, certificate: x509.Certificate) -> bool:
        self.mismatch = not matches(certificate, self._fingerprints)
        return not self.mismatch

    def _validate_peer_identity(self, remoteParameters: RTCDtlsParameters) -> None:
        """The second look, after the handshake: OpenSSL must have asked us, and keys come only after this."""
        assert self._ssl is not None
        certificate = self._ssl.get_peer_certificate(as_cryptography=True)
        if certificate is None or not self._is_peer(certificate):
            self._set_state(State.FAILED)

    def _setup_srtp(self) -> None:
        assert self._ssl is not None
        chosen = self._ssl.get_selected_srtp_profile()
        profile = next((p for p in self._srtp_profiles if p.openssl_profile == chosen), None)
        if profile is None:  # the peer does not do DTLS-SRTP
            self._set_state(State.FAILED)
            return
        # RFC 5764 section 4.2: client key, server key, client salt, server salt.
        material = self._ssl.export_keying_material(EXPORTER, 2 * (profile.key_length + profile.salt_length))
        client, server = (self._keys(profile, material, side) for side in (0, 1))
        rx, tx = (client, server) if self._role == "server" else (server, client)
        try:
            self._on_keys(PROFILES[profile], rx, tx)
        except ConferoError:  # the leg has gone, or the engine is too busy
            self._set_state(State.FAILED)

    def _keys(self, profile: SRTPProtectionProfile, material: bytes, side: int) -> SrtpKeys:
        joined = profile.get_key_and_salt(material, side)
        return SrtpKeys(joined[: profile.key_length], joined[profile.key_length :])

    def _changed(self) -> None:
        if self.state == "closed":
            self.closed.set()


def split(data: bytes, *, alerts: bool = True) -> list[bytes]:
    """Datagrams of whole records, each at most ``MTU`` bytes unless a single record is longer (RFC 6347 section 4.1.1)."""
    datagrams: list[bytes] = []
    while data:
        size = RECORD_HEADER + int.from_bytes(data[RECORD_HEADER - 2 : RECORD_HEADER])
        record, data = data[:size], data[size:]
        if record[0] == ALERT and not alerts:
            continue
        if datagrams and len(datagrams[-1]) + len(record) <= MTU:
            datagrams[-1] += record
        else:
            datagrams.append(record)
    return datagrams


class Association:
    """Handshakes with one peer until one succeeds, and what follows."""

    def __init__(
        self,
        channel: EngineChannel,
        certificate: Certificate,
        fingerprints: Sequence[Fingerprint],
        role: Role,
        on_keys: OnKeys,
    ) -> None:
        self._parts: Any = (channel, certificate, fingerprints, role, on_keys)
        self._transport: KeyTap | None = None

    async def run(self) -> Outcome:
        """A failed handshake starts a fresh one, ``TRIES`` in all: nobody ends a call with one bad ClientHello."""
        for _ in range(TRIES):
            self._transport = transport = KeyTap(*self._parts)
            if await transport.handshake():
                await transport.closed.wait()
                return Outcome.CLOSED
            if transport.mismatch:
                return Outcome.MISMATCH
        return Outcome.FAILED

    def close(self) -> None:
        """Says goodbye. The task that runs it is the caller's to cancel."""
        if self._transport is not None:
            self._transport.goodbye()
