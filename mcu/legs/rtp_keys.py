"""The keys of an RTP leg: as the descriptions tell them (SDES), or by DTLS over its own port."""

from __future__ import annotations

from confero.media import SrtpKeys, SrtpProfile
from confero.protocols.sdp import Dtls, Fingerprint, Protection, sdes
from confero.runtime.logging import get_logger

from .base import LegContext
from .handshake import DtlsMeans, Handshake

log = get_logger(__name__)

PROFILES = {
    "AEAD_AES_256_GCM": SrtpProfile.AEAD_AES_256_GCM,
    "AEAD_AES_128_GCM": SrtpProfile.AEAD_AES_128_GCM,
    "AES_CM_128_HMAC_SHA1_80": SrtpProfile.AES128_CM_SHA1_80,
    "AES_CM_128_HMAC_SHA1_32": SrtpProfile.AES128_CM_SHA1_32,
}
"""RFC 4568 section 6.2, RFC 7714 section 14.2."""


class RtpKeys:
    """``begin`` for each stream in the engine; ``close`` it."""

    def __init__(self, context: LegContext, leg: str, means: DtlsMeans | None) -> None:
        self._context = context
        self._leg = leg
        self._means = means
        self._number = 0
        self._dtls: Handshake | None = None
        self._peer: Dtls | None = None
        self._waiting_since: float | None = None
        self._done = False

    @property
    def fingerprint(self) -> Fingerprint | None:
        return self._means.certificate.fingerprint if self._means else None

    def begin(self, number: int, protection: Protection, *, proved: bool) -> None:
        """A stream has just come into the engine. ``proved``: its peer may be sent something."""
        self.close()
        self._number, self._peer, self._waiting_since, self._done = number, protection.dtls, None, False
        if protection.sdes is not None:
            self._set(number, protection.sdes)
        elif protection.dtls is not None and self._means is not None:
            self._dtls = Handshake(self._context.engine, number, self._leg, self._means, self._by_dtls, self._ended)
            if proved or protection.dtls.role == "server":
                self._hello()

    def renew(self, number: int, before: Protection, now: Protection) -> None:
        """The stream goes on under what a re-offer says. Keys that stay are not set again: their counters go on."""
        old, new = before.sdes, now.sdes
        if new is not None and (old is None or (old.theirs, old.ours) != (new.theirs, new.ours)):
            self._set(number, new)

    def _set(self, number: int, agreed: sdes.Sdes) -> None:
        rx, tx = (SrtpKeys(keys.key, keys.salt) for keys in (agreed.theirs, agreed.ours))
        self._context.engine.set_keys(number, PROFILES[agreed.theirs.suite], rx, tx)

    # -- DTLS --

    def prove(self) -> None:
        """The peer may be sent something: who is to say hello does so now, and waits for so long only."""
        if self._dtls is None or self._done:
            return
        if not self._dtls.begun:
            self._hello()
        self._waiting_since = self._context.clock.monotonic()

    def wake(self) -> None:
        """Its datagrams wait."""
        if self._dtls is None:
            return
        if self._waiting_since is None and not self._done:
            self._waiting_since = self._context.clock.monotonic()
        self._dtls.wake()

    def _hello(self) -> None:
        assert self._dtls is not None and self._peer is not None
        self._dtls.begin(self._peer.fingerprints, self._peer.role)

    def _by_dtls(self, profile: SrtpProfile, rx: SrtpKeys, tx: SrtpKeys) -> None:
        self._context.engine.set_keys(self._number, profile, rx, tx)
        self._waiting_since, self._done = None, True
        log.info("keys set", leg=self._leg, profile=profile.name)

    def _ended(self, reason: str) -> None:
        self._context.owner.failed(self._leg, reason)

    def tick(self, now: float) -> None:
        """Looks whether the handshake is overdue."""
        since = self._waiting_since
        if since is not None and now - since >= self._context.settings.setup_s:
            self._context.owner.failed(self._leg, "dtls-failed")

    def close(self) -> None:
        if self._dtls is not None:
            self._dtls.close()
            self._dtls = None
