"""A browser's leg: SDP offer in, ICE-lite answer out, DTLS keys to the engine, and what the engine says about it."""

from __future__ import annotations

from dataclasses import replace

from confero.errors import Refused
from confero.media import Event, EventType, LegConfig, LegKind, SrtpKeys, SrtpProfile
from confero.models import RtpLegCreate
from confero.protocols.sdp import (
    ALL_CODECS,
    LocalStream,
    LocalTransport,
    SdpError,
    Session,
    WebRtcAgreement,
    answer_webrtc,
    apply_webrtc_answer,
    offer_webrtc,
    offers_ice,
    parse,
    write,
)
from confero.runtime.logging import get_logger

from ..pipeline import codecs
from ..rooms.participant import Kind
from .base import GRACE_S, Identity, LegContext, NewLegNeeded, new_ice_credentials
from .handshake import DtlsMeans, Handshake

log = get_logger(__name__)

UFRAG_MAX = 32
"""Characters of a peer's ufrag that the engine holds; RFC 8839 allows 256, browsers use 4 to 8."""
MID_MAX = 15
"""Bytes of a mid that fit the engine; a longer one is just not sent in packets."""


class WebRtcLeg:
    """Made by ``open``; ``close`` it."""

    def __init__(self, number: int, context: LegContext, means: DtlsMeans, wish: RtpLegCreate | None = None) -> None:
        """``wish``: the leg is one of SIP whose offer has ICE and DTLS; what it cannot go on with is then a matter of a new leg."""
        self.kind: Kind = "webrtc" if wish is None else "rtp"
        self.wish = wish
        self._names = ALL_CODECS if wish is None else wish.codecs
        self._identity = Identity()
        self.id = self._identity.leg
        self.number = number
        self.remote = ""
        self._context = context
        self._certificate = means.certificate
        self._dtls = Handshake(context.engine, number, self.id, means, self._keys, self._dtls_ended)
        self._credentials = new_ice_credentials()
        self._agreed: WebRtcAgreement | None = None
        self._pending: Session | None = None
        self._answer_until = 0.0
        self._setup_since: float | None = None
        self._has_keys = False
        self._stale = False
        self._checks = 0
        self._checked_at = context.clock.monotonic()
        self._log = log.bind(leg=self.id)

    @property
    def codec(self) -> str:
        return self._agreed.send.name if self._agreed else ""

    @property
    def security(self) -> str:
        return "dtls"

    @property
    def listens(self) -> bool:
        return self._agreed is None or self._agreed.sends

    @property
    def takes_events(self) -> bool:
        return self._agreed is not None and codecs.events_to_send(self._agreed) > 0

    # -- descriptions --

    def open(self, sdp: str | None) -> str:
        """Answers a browser's first offer and puts the leg into the engine, or makes an offer of ours and waits.

        Raises SdpError, and what the engine raises.
        """
        if sdp is None:
            return self._open_with_our_offer()
        agreed = self._answer(parse(sdp), self._credentials, self._names)
        self._context.engine.add_leg(self._config(agreed))
        self._agreed = agreed
        return write(agreed.description)

    def offer(self, sdp: str) -> str:
        """A re-offer. New ICE credentials restart ICE (RFC 8445 section 9); DTLS and its keys stay.

        Raises NewLegNeeded for another certificate or role, SdpError for what cannot be agreed; then nothing has changed.
        """
        before = self._agreed
        if before is None:
            raise Refused("Our own offer waits for its answer.", status=409, code="offer-pending")
        offer = parse(sdp)
        if self.kind == "rtp" and not offers_ice(offer):
            raise NewLegNeeded
        agreed = self._answer(offer, self._credentials, self._names_now(before))
        if set(agreed.fingerprints) != set(before.fingerprints) or agreed.dtls_role != before.dtls_role:
            raise NewLegNeeded
        if _wire(agreed) != _wire(before) or not codecs.extras_stay(agreed, before):
            if self.kind == "rtp":
                raise NewLegNeeded
            raise SdpError("payload types and extension ids must stay as they were agreed (RFC 8829 section 5.2.2)")
        if (agreed.remote_ufrag, agreed.remote_pwd) != (before.remote_ufrag, before.remote_pwd):
            agreed = self._restart(offer, (before.send.name,))
        self._agreed = agreed
        return write(agreed.description)

    def _names_now(self, before: WebRtcAgreement) -> tuple[str, ...]:
        """A browser keeps its codec; SIP may change it (RFC 3264 section 8.3.2), which the comparison finds."""
        return (before.send.name,) if self.kind == "webrtc" else self._names

    def signalled_from(self, host: str) -> None:
        """Nothing: its media proves where it is."""

    def prove(self) -> None:
        """Nothing: checks have, or nothing is sent."""

    def _open_with_our_offer(self) -> str:
        """Until the answer has come nothing is in the engine: the browser's checks are repeated (RFC 8445 section 14.3)."""
        self._first_number, self.number = self.number, 0
        self._pending = offer_webrtc(self._stream(self._names), self._transport(self._credentials))
        self._answer_until = self._context.clock.monotonic() + self._context.settings.answer_s
        return write(self._pending)

    def answer(self, sdp: str) -> None:
        """The answer to the first offer of ours. Raises Refused ``no-offer-pending``; on SdpError the offer stays open."""
        if self._pending is None:
            raise Refused("This leg has no offer that waits for an answer.", status=409, code="no-offer-pending")
        agreed = _checked(apply_webrtc_answer(self._pending, parse(sdp)))
        self._context.engine.add_leg(replace(self._config(agreed), id=self._first_number))
        self.number, self._agreed, self._pending = self._first_number, agreed, None
        self._checked_at = self._context.clock.monotonic()

    def ask(self) -> str:
        raise Refused("A leg with ICE makes no offers once it runs.", status=409, code="not-for-browsers")

    def withdraw(self) -> None:
        raise Refused("This leg has not offered anything.", status=409, code="no-offer-pending")

    def _restart(self, offer: Session, names: tuple[str, ...]) -> WebRtcAgreement:
        credentials = new_ice_credentials()
        agreed = self._answer(offer, credentials, names)
        self._context.engine.restart_ice(self.number, *credentials, agreed.remote_ufrag)
        self._credentials = credentials
        self._checked_at = self._context.clock.monotonic()
        self._log.info("ice restarted")
        return agreed

    def _answer(self, offer: Session, credentials: tuple[str, str], names: tuple[str, ...]) -> WebRtcAgreement:
        return _checked(answer_webrtc(offer, self._stream(names), self._transport(credentials)))

    def _stream(self, names: tuple[str, ...]) -> LocalStream:
        identity = self._identity
        return LocalStream(
            identity.session_id,
            identity.next_version(),
            names,
            identity.ssrc,
            identity.cname,
            self._context.settings.redundancy,
        )

    def _transport(self, credentials: tuple[str, str]) -> LocalTransport:
        engine = self._context.engine
        addresses = tuple((a.host, a.port) for a in engine.candidates(self._context.room))
        return LocalTransport(addresses, *credentials, self._certificate.fingerprint, tcp=engine.tcp)

    def _config(self, agreed: WebRtcAgreement) -> LegConfig:
        mid = agreed.mid if agreed.mid and agreed.mid_ext and len(agreed.mid.encode()) <= MID_MAX else ""
        return LegConfig(
            id=self.number,
            room=self._context.room,
            kind=LegKind.WEBRTC,
            tx=codecs.transmit(agreed, low_delay=self._context.settings.low_delay),
            tx_pt=agreed.send.pt,
            rx=codecs.receive(agreed),
            event_pt=codecs.events_to_send(agreed),
            red_pt=agreed.red.pt if agreed.red else 0,
            cn_pt=agreed.noise.pt if agreed.noise else 0,
            red=codecs.REDUNDANT[self._context.settings.redundancy],
            jitter=self._context.settings.jitter,
            audio_level_ext=agreed.audio_level_ext,
            csrc_level_ext=agreed.csrc_level_ext,
            dtx=codecs.wants_dtx(agreed.send),
            mid_ext=agreed.mid_ext if mid else 0,
            mid=mid,
            ssrc=self._identity.ssrc,
            cname=self._identity.cname,
            local_ufrag=self._credentials[0],
            local_pwd=self._credentials[1],
            remote_ufrag=agreed.remote_ufrag,
            consent_timeout_ms=round(self._context.settings.consent_s * 1000),
        )

    # -- what happens --

    def start(self) -> None:
        """Nothing yet: the peer's first check comes."""

    def handle(self, event: Event) -> None:
        match event.type:
            case EventType.ICE_CONNECTED:
                self.remote = event.text
                self._ice_connected()
            case EventType.ICE_MOVED:
                self.remote = event.text
            case EventType.DTLS:
                self._dtls.wake()
            case EventType.TIMEOUT:
                self._context.owner.failed(self.id, "ice-timeout")
            case _:
                # MEDIA: nothing to decide. BYE: a browser says it whenever it stops sending; its leg goes on.
                pass

    def tick(self, now: float) -> None:
        """Looks whether checks still come and whether DTLS is overdue. Needs no event: one may have been lost in a flood."""
        if self._pending is not None and now >= self._answer_until:
            self._context.owner.failed(self.id, "media-timeout")
        if not self.number:
            return
        settings = self._context.settings
        self._look_for_checks(now)
        if now - self._checked_at > settings.consent_s + GRACE_S:
            self._context.owner.failed(self.id, "ice-timeout")
        elif self._setup_since is not None and not self._has_keys and now - self._setup_since >= settings.setup_s:
            self._context.owner.failed(self.id, "dtls-failed")

    def _ice_connected(self) -> None:
        if self._dtls.begun or self._agreed is None:
            return
        self._setup_since = self._checked_at = self._context.clock.monotonic()
        self._dtls.begin(self._agreed.fingerprints, self._agreed.dtls_role)

    def _dtls_ended(self, reason: str) -> None:
        self._context.owner.failed(self.id, reason)

    def _keys(self, profile: SrtpProfile, rx: SrtpKeys, tx: SrtpKeys) -> None:
        self._context.engine.set_keys(self.number, profile, rx, tx)
        self._has_keys = True
        self._log.info("keys set", profile=profile.name)
        self._context.owner.connected(self.id)

    def _look_for_checks(self, now: float) -> None:
        checks = self._context.engine.leg_stats(self.number).leg["stun_checks"]
        if checks != self._checks:
            self._checks, self._checked_at = checks, now
            self._ice_connected()
        stale = self._setup_since is not None and now - self._checked_at > self._context.settings.stale_s
        if stale == self._stale:
            return
        self._stale = stale
        if stale:
            self._context.owner.disconnected(self.id)
        elif self._has_keys:
            self._context.owner.connected(self.id)

    def moved(self, room: int) -> None:
        self._context = replace(self._context, room=room)

    def close(self) -> None:
        if not self.number:
            return
        self._dtls.close()
        number, self.number = self.number, 0
        self._context.remove(number)


def _checked(agreed: WebRtcAgreement) -> WebRtcAgreement:
    """Raises SdpError for what the engine could not hold."""
    if len(agreed.remote_ufrag) > UFRAG_MAX:
        raise SdpError(f"ice-ufrag is longer than {UFRAG_MAX} characters")
    return agreed


def _wire(agreed: WebRtcAgreement) -> tuple[object, ...]:
    """What the engine was told about packets."""
    extensions = agreed.mid_ext, agreed.audio_level_ext, agreed.csrc_level_ext
    return agreed.send.pt, agreed.send.key, agreed.mid, extensions
