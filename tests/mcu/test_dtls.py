"""DTLS over an engine channel, both ends in memory: keys, fingerprints, tries, goodbyes, floods."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Callable
from typing import Any

import pytest
from aiortc import rtcdtlstransport as aiortc_dtls
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport
from OpenSSL import SSL

from confero.mcu.legs.channel import EngineChannel, Turnstile
from confero.mcu.legs.dtls import MTU, Association, Certificate, KeyTap, Outcome, Role, matches, split
from confero.media import SrtpKeys, SrtpProfile
from confero.protocols.sdp import Fingerprint

from ..support.waiting import until
from .fakes import FakeEngine

LEG = 1


class Wire:
    """The browser's end: what aiortc takes for an ICE transport."""

    def __init__(self) -> None:
        self.engine = FakeEngine()
        self.engine.legs[LEG] = None  # type: ignore[assignment]
        self.channel = EngineChannel(self.engine, LEG, Turnstile())
        self.engine.on_send = lambda leg, data: self.arrived(data)
        self.to_browser: asyncio.Queue[bytes] = asyncio.Queue()
        self.sent: list[bytes] = []
        self.role, self.state = "controlling", "completed"

    def arrived(self, data: bytes) -> None:
        self.sent.append(data)
        self.to_browser.put_nowait(data)

    def inject(self, data: bytes) -> None:
        self.engine.inbox[LEG].append(data)
        self.channel.wake()

    async def _recv(self) -> bytes:
        return await self.to_browser.get()

    async def _send(self, data: bytes) -> None:
        self.inject(data)


class Keys:
    def __init__(self) -> None:
        self.got: list[tuple[SrtpProfile, SrtpKeys, SrtpKeys]] = []

    def __call__(self, profile: SrtpProfile, rx: SrtpKeys, tx: SrtpKeys) -> None:
        self.got.append((profile, rx, tx))


class Browser:
    """aiortc as it is, on the other end of the wire."""

    def __init__(self, wire: Wire, role: str = "client", profiles: Any = None) -> None:
        self.certificate = RTCCertificate.generateCertificate()
        self.transport = RTCDtlsTransport(wire, [self.certificate])  # type: ignore[arg-type]
        self.transport._set_role(role)
        if profiles is not None:
            self.transport._srtp_profiles = profiles

    def fingerprints(self, *algorithms: str) -> tuple[Fingerprint, ...]:
        found = [f for f in self.certificate.getFingerprints() if f.algorithm in (algorithms or ("sha-256",))]
        return tuple(Fingerprint(f.algorithm, bytes.fromhex(f.value.replace(":", ""))) for f in found)

    async def connect(self, certificate: Certificate) -> None:
        fingerprint = certificate.fingerprint
        value = RTCDtlsFingerprint(fingerprint.algorithm, fingerprint.digest.hex(":").upper())
        await self.transport.start(RTCDtlsParameters(fingerprints=[value]))


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    return Certificate()


async def meet(
    wire: Wire, browser: Browser, certificate: Certificate, fingerprints: tuple[Fingerprint, ...], role: Role = "server"
) -> tuple[Keys, asyncio.Task[Outcome], Association]:
    keys = Keys()
    association = Association(wire.channel, certificate, fingerprints, role, keys)
    task = asyncio.get_running_loop().create_task(association.run())
    async with asyncio.timeout(5):
        await browser.connect(certificate)
    return keys, task, association


@pytest.mark.parametrize(("ours", "theirs"), [("server", "client"), ("client", "server")])
async def test_both_ends_have_the_same_keys(certificate: Certificate, ours: Role, theirs: str) -> None:
    wire = Wire()
    browser = Browser(wire, theirs)
    keys, task, association = await meet(wire, browser, certificate, browser.fingerprints(), ours)
    await until(lambda: keys.got)
    assert browser.transport.state == "connected"
    (profile, rx, tx), material = keys.got[0], _material(browser)
    sides = [SrtpKeys(*pair) for pair in _halves(material, profile.key_length, profile.salt_length)]
    assert [rx, tx] == (sides if ours == "server" else sides[::-1])
    association.close()
    task.cancel()
    await browser.transport.stop()


def _material(browser: Browser) -> bytes:
    assert browser.transport._ssl is not None
    chosen = browser.transport._ssl.get_selected_srtp_profile()
    profile = next(p for p in aiortc_dtls.SRTP_PROFILES if p.openssl_profile == chosen)
    return browser.transport._ssl.export_keying_material(
        b"EXTRACTOR-dtls_srtp", 2 * (profile.key_length + profile.salt_length)
    )


def _halves(material: bytes, key: int, salt: int) -> list[tuple[bytes, bytes]]:
    return [
        (material[i * key : (i + 1) * key], material[2 * key + i * salt : 2 * key + (i + 1) * salt]) for i in (0, 1)
    ]


@pytest.mark.parametrize(
    ("theirs", "chosen"),
    [
        (["SRTP_AES128_CM_SHA1_80", "SRTP_AEAD_AES_256_GCM", "SRTP_AEAD_AES_128_GCM"], SrtpProfile.AEAD_AES_128_GCM),
        (["SRTP_AES128_CM_SHA1_80", "SRTP_AEAD_AES_256_GCM"], SrtpProfile.AEAD_AES_256_GCM),
        (["SRTP_AES128_CM_SHA1_80"], SrtpProfile.AES128_CM_SHA1_80),
    ],
)
async def test_we_choose_the_profile(certificate: Certificate, theirs: list[str], chosen: SrtpProfile) -> None:
    wire = Wire()
    browser = Browser(wire, profiles=[getattr(aiortc_dtls, name) for name in theirs])
    keys, task, _ = await meet(wire, browser, certificate, browser.fingerprints())
    await until(lambda: keys.got)
    assert keys.got[0][0] is chosen
    task.cancel()
    await browser.transport.stop()


@pytest.mark.parametrize(("ours", "theirs"), [("server", "client"), ("client", "server")])
async def test_wrong_certificate_gets_an_alert_and_no_keys(certificate: Certificate, ours: Role, theirs: str) -> None:
    wire = Wire()
    browser = Browser(wire, theirs)
    wrong = (Fingerprint("sha-256", hashlib.sha256(b"somebody else").digest()),)
    keys, task, _ = await meet(wire, browser, certificate, wrong, ours)
    async with asyncio.timeout(1):
        assert await task is Outcome.MISMATCH
    assert keys.got == []
    assert browser.transport.state == "failed"
    assert 21 in {datagram[0] for datagram in wire.sent}  # an alert record


@pytest.mark.parametrize(
    ("make", "known"),
    [
        (lambda b: b.fingerprints("sha-256"), True),
        (lambda b: b.fingerprints("sha-512"), True),
        (lambda b: b.fingerprints("sha-256", "sha-384", "sha-512"), True),
        (lambda b: (Fingerprint("sha-256", bytes(32)), *b.fingerprints("sha-256")), True),
        (lambda b: (*b.fingerprints("sha-256"), Fingerprint("sha-384", bytes(48))), False),
        (lambda b: (Fingerprint("sha-384", b.fingerprints("sha-256")[0].digest),), False),
        (lambda b: (Fingerprint("sha-1", bytes(20)),), False),
        (lambda b: (), False),
    ],
    ids=["one", "strongest", "all", "last-right", "one-hash-wrong", "wrong-name", "weak", "none"],
)
def test_what_counts_as_the_peers_certificate(make: Callable[[Browser], Any], known: bool) -> None:
    async def check() -> None:
        browser = Browser(Wire())
        assert matches(browser.certificate._cert, make(browser)) is known

    asyncio.run(check())


async def test_a_strangers_hello_does_not_end_it(certificate: Certificate) -> None:
    """A ClientHello with nothing that we accept fails one transport; the real peer gets the next."""
    wire = Wire()
    wire.inject(_hello_with_weak_suites())
    wire.inject(b"\x16\xfe\xfd garbage that is no record")
    browser = Browser(wire)
    keys, task, association = await meet(wire, browser, certificate, browser.fingerprints())
    await until(lambda: keys.got)
    assert browser.transport.state == "connected"
    association.close()
    task.cancel()
    await browser.transport.stop()


def _hello_with_weak_suites() -> bytes:
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_cipher_list(b"ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES256-SHA")
    connection = SSL.Connection(context)
    connection.set_connect_state()
    with pytest.raises(SSL.WantReadError):
        connection.do_handshake()
    return connection.bio_read(65536)


async def test_a_resumed_session_shows_its_certificate_again(certificate: Certificate) -> None:
    """No session can be resumed: the second association checks the certificate like the first."""
    browser = Browser(Wire())
    context = browser.certificate._create_ssl_context(aiortc_dtls.SRTP_PROFILES)
    context.set_session_cache_mode(SSL.SESS_CACHE_BOTH)
    session = None
    for fingerprints, expected in (
        (browser.fingerprints(), True),
        ((Fingerprint("sha-256", bytes(32)),), False),
    ):
        wire, keys = Wire(), Keys()
        tap = KeyTap(wire.channel, certificate, fingerprints, "server", keys)
        task = asyncio.get_running_loop().create_task(tap.handshake())
        client = SSL.Connection(context)
        client.set_connect_state()
        if session is not None:
            client.set_session(session)
        await _drive(client, wire, task)
        assert (await task, bool(keys.got), tap.mismatch) == (expected, expected, not expected)
        session = client.get_session()
        tap.goodbye()
    assert session is not None


async def _drive(client: SSL.Connection, wire: Wire, until_done: asyncio.Task[bool]) -> None:
    """Moves datagrams between a bare OpenSSL client and ours until ours is done."""
    async with asyncio.timeout(5):
        while not until_done.done():
            with contextlib.suppress(SSL.Error):
                client.do_handshake()
            with contextlib.suppress(SSL.Error):
                wire.inject(client.bio_read(65536))
            while not wire.to_browser.empty():
                client.bio_write(wire.to_browser.get_nowait())
            await asyncio.sleep(0.001)


async def test_three_bad_hellos_are_the_end(certificate: Certificate) -> None:
    wire = Wire()
    browser = Browser(wire)
    association = Association(wire.channel, certificate, browser.fingerprints(), "server", Keys())
    task = asyncio.get_running_loop().create_task(association.run())
    for _ in range(2):
        wire.inject(_hello_with_weak_suites())
        await until(lambda: not wire.engine.inbox)
        await asyncio.sleep(0.02)
        assert not task.done()
    wire.inject(_hello_with_weak_suites())
    async with asyncio.timeout(1):
        assert await task is Outcome.FAILED
    assert wire.sent == []  # no alert: it would reach the real peer


async def test_a_peer_without_srtp_fails(certificate: Certificate) -> None:
    wire = Wire()
    browser = Browser(wire)
    browser.certificate._create_ssl_context = _no_srtp(browser.certificate)  # type: ignore[method-assign]
    keys = Keys()
    tap = KeyTap(wire.channel, certificate, browser.fingerprints(), "server", keys)
    task = asyncio.get_running_loop().create_task(tap.handshake())
    async with asyncio.timeout(5):
        await browser.connect(certificate)
        assert not await task
    assert keys.got == [] and not tap.mismatch


def _no_srtp(certificate: RTCCertificate) -> Callable[..., SSL.Context]:
    original = certificate._create_ssl_context

    def make(srtp_profiles: Any) -> SSL.Context:
        context = original(srtp_profiles)
        context.set_tlsext_use_srtp = None  # type: ignore[method-assign,assignment]
        plain = SSL.Context(SSL.DTLS_METHOD)
        plain.set_verify(SSL.VERIFY_PEER, lambda *_: True)
        plain.use_certificate(certificate._cert)
        plain.use_privatekey(certificate._key)
        return plain

    return make


async def test_close_notify_of_the_peer_ends_it(certificate: Certificate) -> None:
    wire = Wire()
    browser = Browser(wire)
    _, task, _ = await meet(wire, browser, certificate, browser.fingerprints())
    await browser.transport.stop()
    async with asyncio.timeout(1):
        assert await task is Outcome.CLOSED


async def test_our_close_notify_reaches_the_peer(certificate: Certificate) -> None:
    wire = Wire()
    browser = Browser(wire)
    keys, task, association = await meet(wire, browser, certificate, browser.fingerprints())
    await until(lambda: keys.got)
    association.close()
    association.close()
    task.cancel()
    await until(lambda: browser.transport.state == "closed")


async def test_keys_that_the_engine_refuses_fail_the_handshake(certificate: Certificate) -> None:
    wire = Wire()
    browser = Browser(wire)

    def refuse(*_: object) -> None:
        wire.engine.set_keys(99, SrtpProfile.AEAD_AES_128_GCM, SrtpKeys(b"", b""), SrtpKeys(b"", b""))

    tap = KeyTap(wire.channel, certificate, browser.fingerprints(), "server", refuse)
    task = asyncio.get_running_loop().create_task(tap.handshake())
    await browser.connect(certificate)
    async with asyncio.timeout(1):
        assert not await task


async def test_a_closed_channel_ends_a_waiting_handshake(certificate: Certificate) -> None:
    wire = Wire()
    tap = KeyTap(wire.channel, certificate, (certificate.fingerprint,), "server", Keys())
    task = asyncio.get_running_loop().create_task(tap.handshake())
    await asyncio.sleep(0)
    wire.channel.close()
    async with asyncio.timeout(1):
        assert not await task
    with pytest.raises(ConnectionError):
        wire.channel.send(b"x")


async def test_a_lost_leg_is_a_lost_connection() -> None:
    wire = Wire()
    del wire.engine.legs[LEG]
    with pytest.raises(ConnectionError):
        wire.channel.send(b"x")
    with pytest.raises(ConnectionError):
        await wire.channel._recv()


async def test_a_cancelled_receive_loses_nothing() -> None:
    wire = Wire()
    waiting = asyncio.get_running_loop().create_task(wire.channel._recv())
    await asyncio.sleep(0)
    wire.inject(b"one")
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    wire.inject(b"two")
    assert [await wire.channel._recv(), await wire.channel._recv()] == [b"one", b"two"]


async def test_fifty_handshakes_at_once_leave_the_loop_responsive(certificate: Certificate) -> None:
    turnstile = Turnstile()
    wires = [Wire() for _ in range(50)]
    for wire in wires:
        wire.channel = EngineChannel(wire.engine, LEG, turnstile)
    browsers = [Browser(wire) for wire in wires]
    worst = 0.0
    done = asyncio.Event()

    async def watch() -> None:
        nonlocal worst
        while not done.is_set():
            begun = time.thread_time()  # the work of one turn, whoever else uses the machine
            await asyncio.sleep(0)
            worst = max(worst, time.thread_time() - begun)

    async def ours(wire: Wire, browser: Browser) -> bool:
        return await KeyTap(wire.channel, certificate, browser.fingerprints(), "server", Keys()).handshake()

    watcher = asyncio.get_running_loop().create_task(watch())
    clients = [asyncio.get_running_loop().create_task(b.connect(certificate)) for b in browsers]
    async with asyncio.timeout(20):
        results = await asyncio.gather(*(ours(w, b) for w, b in zip(wires, browsers, strict=True)))
        await asyncio.gather(*clients)
    done.set()
    await watcher
    assert all(results)
    # The browsers of this test run in the same loop and are not queued; our own steps are one per turn.
    assert worst < 0.5
    await asyncio.gather(*(b.transport.stop() for b in browsers))


def test_records_are_not_split() -> None:
    record = b"\x16\xfe\xfd" + bytes(8) + (500).to_bytes(2) + bytes(500)
    assert split(b"") == []
    assert [len(d) for d in split(record * 5)] == [1026, 1026, 513]
    assert b"".join(split(record * 5)) == record * 5
    assert all(len(d) <= MTU for d in split(record * 5))
    alert = b"\x15\xfe\xfd" + bytes(8) + (2).to_bytes(2) + b"\x02\x28"
    assert split(alert + record, alerts=False) == [record]
    assert split(alert + record) == [alert + record]


def test_certificate_is_p256_with_sha256() -> None:
    certificate = Certificate()
    assert certificate.fingerprint.algorithm == "sha-256"
    assert certificate._made._cert.public_key().curve.name == "secp256r1"  # type: ignore[union-attr]
