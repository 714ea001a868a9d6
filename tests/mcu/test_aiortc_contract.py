"""The private names of aiortc that ``mcu/legs/dtls.py`` uses: a new aiortc that changes one fails here, by name."""

from __future__ import annotations

import inspect

import aiortc
from aiortc import rtcdtlstransport
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsTransport, SRTPProtectionProfile, State


def test_version_is_the_pinned_one() -> None:
    assert aiortc.__version__.split(".")[:2] == ["1", "16"]


def test_what_is_overridden_is_called() -> None:
    source = inspect.getsource(RTCDtlsTransport)
    for call in (
        "self._do_handshake()",
        "self._validate_peer_identity(",
        "self._setup_srtp()",
        "self._write_ssl()",
        "self._set_state(",
    ):
        assert call in source, call
    assert "_create_ssl_context(\n                srtp_profiles=self._srtp_profiles" in source
    assert list(inspect.signature(RTCDtlsTransport._validate_peer_identity).parameters) == ["self", "remoteParameters"]
    assert list(inspect.signature(RTCCertificate._create_ssl_context).parameters) == ["self", "srtp_profiles"]
    for name in ("_write_ssl", "_recv_next", "_do_handshake", "start"):
        assert inspect.iscoroutinefunction(getattr(RTCDtlsTransport, name)), name


def test_keys_come_after_identity_and_identity_after_the_handshake() -> None:
    source = inspect.getsource(RTCDtlsTransport.start)
    order = [source.index(call) for call in ("_do_handshake()", "_validate_peer_identity(", "_setup_srtp()")]
    assert order == sorted(order)
    assert source.count("if self._state == State.FAILED:") == 3


def test_what_is_read_and_set() -> None:
    source = inspect.getsource(RTCDtlsTransport)
    for name in ("self._ssl", "self._srtp_profiles", "self._role", "self._task", "self._state", "self._transport"):
        assert f"{name} " in source or f"{name}:" in source, name
    assert list(inspect.signature(RTCDtlsTransport._set_role).parameters) == ["self", "role"]
    assert 'if self._role == "server"' in source
    assert 'self.emit("statechange")' in source
    certificate = RTCCertificate.generateCertificate()
    assert certificate._key is not None and certificate._cert is not None


def test_the_transport_is_used_by_role_state_recv_and_send_only() -> None:
    source = inspect.getsource(RTCDtlsTransport)
    used = {part.split("(")[0].split(")")[0].split()[0].rstrip(",:") for part in source.split("self.transport.")[1:]}
    assert used <= {"role", "_recv", "_send"}


def test_profiles_and_hashes() -> None:
    for profile, name, key, salt in (
        (rtcdtlstransport.SRTP_AEAD_AES_128_GCM, b"SRTP_AEAD_AES_128_GCM", 16, 12),
        (rtcdtlstransport.SRTP_AEAD_AES_256_GCM, b"SRTP_AEAD_AES_256_GCM", 32, 12),
        (rtcdtlstransport.SRTP_AES128_CM_SHA1_80, b"SRTP_AES128_CM_SHA1_80", 16, 14),
    ):
        assert isinstance(profile, SRTPProtectionProfile)
        assert (profile.openssl_profile, profile.key_length, profile.salt_length) == (name, key, salt)
        material = bytes(range(2 * (key + salt)))
        assert profile.get_key_and_salt(material, 1) == material[key : 2 * key] + material[2 * key + salt :]
    assert set(rtcdtlstransport.X509_DIGEST_ALGORITHMS) >= {"sha-256", "sha-384", "sha-512"}
    assert {State.NEW, State.CONNECTED, State.CLOSED, State.FAILED} <= set(State)
