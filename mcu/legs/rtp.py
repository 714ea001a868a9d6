"""An RTP leg: a telephone, a room system, the media worker. Its ports are its own, its address comes by SDP."""

from __future__ import annotations

from dataclasses import dataclass, replace

from confero.errors import Refused
from confero.media import Event, EventType, LegConfig, LegKind, RtpSockets
from confero.models import RtpLegCreate
from confero.protocols.sdp import (
    ALL_CODECS,
    LocalSecurity,
    LocalStream,
    RtpAgreement,
    SdpError,
    Session,
    answer_rtp,
    apply_answer,
    offer_rtp,
    offers_ice,
    parse,
    write,
)
from confero.runtime.logging import get_logger

from ..pipeline import codecs
from ..rooms.participant import Kind
from .base import Identity, LegContext, NewLegNeeded
from .handshake import DtlsMeans
from .rtp_keys import RtpKeys
from .rtp_ports import NOWHERE, Ports, bind_for, bind_for_anyone, remote_of, text
from .silence import Silence

log = get_logger(__name__)


@dataclass(frozen=True)
class _Pending:
    """An offer of ours that waits for its answer, and the ports that it names."""

    offer: Session
    ports: Ports
    until: float


class RtpLeg:
    """Made by ``open``; ``close`` it."""

    kind: Kind = "rtp"

    def __init__(self, number: int, context: LegContext, wish: RtpLegCreate, means: DtlsMeans | None = None) -> None:
        """``means``: without them there is no DTLS."""
        self._identity = Identity()
        self.id = self._identity.leg
        self.number = 0
        self.remote = ""
        self._first_number = number
        self._context = context
        self.wish = wish
        self._ports: Ports | None = None
        self._agreed: RtpAgreement | None = None
        self._pending: _Pending | None = None
        self._keys = RtpKeys(context, self.id, means)
        self._silence = Silence(context.clock, wish.media_timeout_s)
        self._proved_host = ""
        self._closed = False
        self._log = log.bind(leg=self.id)

    @property
    def codec(self) -> str:
        return self._agreed.send.name if self._agreed else ""

    @property
    def security(self) -> str:
        return self._agreed.protection.keying if self._agreed else ""

    @property
    def listens(self) -> bool:
        return self._agreed is None or self._agreed.sends

    @property
    def takes_events(self) -> bool:
        return self._agreed is not None and codecs.events_to_send(self._agreed) > 0

    # -- descriptions --

    def open(self, sdp: str | None) -> str:
        """Answers the peer's offer, or without one makes ours. Raises SdpError, Refused ``no-ports``, what the engine raises."""
        if sdp is None:
            return self.ask()
        offer = parse(sdp)
        agreed, ports = self._agree(offer)
        self._enter(agreed, ports, self._first_number)
        return write(agreed.description)

    def ask(self) -> str:
        """An offer of ours, of all that the leg may use, on fresh ports: the stream goes on as it was until it is answered.

        Raises Refused ``offer-pending``, ``no-ports``, SdpError.
        """
        if self._pending is not None:
            raise Refused("Our own offer waits for its answer.", status=409, code="offer-pending")
        security = self._security()
        mux = security.offers == "dtls" and security.policy != "none"
        ports = bind_for_anyone(self._context, mux=mux)
        offer = offer_rtp(self._stream(self.wish.codecs), ports.local, mux=mux, security=security)
        self._pending = _Pending(offer, ports, self._context.clock.monotonic() + self._context.settings.answer_s)
        return write(offer)

    def answer(self, sdp: str) -> None:
        """The answer to our offer. Raises Refused ``no-offer-pending``; on SdpError the offer stays open."""
        pending = self._pending
        if pending is None:
            raise Refused("This leg has no offer that waits for an answer.", status=409, code="no-offer-pending")
        agreed = apply_answer(pending.offer, parse(sdp))
        remote_of(self._context, agreed)
        self._change(agreed, pending.ports)
        self._pending = None
        self._report_if_one_way()

    def withdraw(self) -> None:
        """Our offer was refused, or crossed the peer's: the stream goes on as it was. Raises Refused ``no-offer-pending``."""
        pending = self._pending
        if pending is None:
            raise Refused("This leg has no offer that waits for an answer.", status=409, code="no-offer-pending")
        self._pending = None
        self._context.engine.close_rtp(pending.ports.sockets)

    def offer(self, sdp: str) -> str:
        """A re-offer: hold, another address, other keys, another codec. Raises SdpError: then nothing has changed.

        The stream goes on under its ports unless codec, its parameters, address family, rtcp-mux or the way of protection change:
        then it starts anew on others. Raises NewLegNeeded for one with ICE and DTLS.
        """
        before, ports = self._agreed, self._ports
        if before is None or ports is None or self._pending is not None:
            raise Refused("Our own offer waits for its answer.", status=409, code="offer-pending")
        offer = parse(sdp)
        if self.wish.media_security != "none" and offers_ice(offer):
            raise NewLegNeeded
        kept = self._keep(offer, before, ports)
        if kept is None:
            agreed, fresh = self._agree(offer)
            self._change(agreed, fresh)
            return write(agreed.description)
        self._silence.expect()
        self._keys.renew(self.number, before.protection, kept.protection)
        self._context.engine.set_remote(self.number, *remote_of(self._context, kept))
        self._adopt(kept)
        return write(kept.description)

    def _keep(self, offer: Session, before: RtpAgreement, ports: Ports) -> RtpAgreement | None:
        """The agreement under which the running stream goes on, if there is one."""
        try:
            agreed = answer_rtp(offer, self._stream((_name(before),)), ports.local, self._security())
        except SdpError:
            return None
        agreed = replace(agreed, ptime=agreed.ptime or before.ptime, maxptime=agreed.maxptime or before.maxptime)
        same = _essence(agreed) == _essence(before) and codecs.extras_stay(agreed, before)
        rtp, _ = remote_of(self._context, agreed)
        same_family = rtp is None or (":" in rtp.host) == (":" in ports.external)
        return agreed if same and same_family else None

    def _agree(self, offer: Session) -> tuple[RtpAgreement, Ports]:
        """Checks everything with ports that do not exist yet, then binds and answers: a refused offer binds nothing."""
        stream, security = self._stream(self.wish.codecs), self._security()
        draft = answer_rtp(offer, stream, NOWHERE, security)
        ports = bind_for(self._context, offer, draft)
        return answer_rtp(offer, stream, ports.local, security), ports

    def _security(self) -> LocalSecurity:
        return LocalSecurity(
            self.wish.media_security,
            offers=self.wish.key_exchange,
            best_effort=self.wish.best_effort,
            fingerprint=self._keys.fingerprint,
            before=self._agreed.protection if self._agreed else None,
        )

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

    # -- the stream in the engine --

    def _change(self, agreed: RtpAgreement, ports: Ports) -> None:
        """The stream begins, or begins anew in place of the one before."""
        old = self.number
        self._enter(agreed, ports, self._context.next_number() if old else self._first_number)
        if old:
            self._context.remove(old)
            self._context.owner.renumbered(self.id, old)

    def _enter(self, agreed: RtpAgreement, ports: Ports, number: int) -> None:
        """Puts the stream into the engine; if that fails, the ports of the peer's offer are closed again, those of ours stay."""
        rtp, rtcp = remote_of(self._context, agreed)
        self._silence.expect()
        try:
            self._context.engine.add_leg(
                replace(self._config(agreed, ports.sockets, number), remote_rtp=rtp, remote_rtcp=rtcp)
            )
        except Exception:
            if self._pending is None:
                self._context.engine.close_rtp(ports.sockets)
            raise
        self._silence.begin()
        self._adopt(agreed)
        try:
            self._unlock(number, agreed)
        except Exception:
            self._context.remove(number)  # and its ports with it
            self._pending = None
            raise
        self.number, self._ports = number, ports

    def _unlock(self, number: int, agreed: RtpAgreement) -> None:
        """What the stream waits for as far as it is there: keys, and proof that it is wanted."""
        if self._proved and not self.wish.confirmed:
            self._context.engine.prove(number)
        self._keys.begin(number, agreed.protection, proved=self._proved)

    def _adopt(self, agreed: RtpAgreement) -> None:
        self._agreed = agreed
        self.remote = text(agreed.remote_rtp)
        self._silence.wanted = agreed.receives and agreed.remote_rtp is not None

    def _config(self, agreed: RtpAgreement, sockets: RtpSockets, number: int) -> LegConfig:
        return LegConfig(
            id=number,
            room=self._context.room,
            kind=LegKind.RTP,
            tx=codecs.transmit(agreed, low_delay=self._context.settings.low_delay),
            tx_pt=agreed.send.pt,
            rx=codecs.receive(agreed),
            event_pt=codecs.events_to_send(agreed),
            red_pt=agreed.red.pt if agreed.red else 0,
            cn_pt=agreed.noise.pt if agreed.noise else 0,
            red=codecs.REDUNDANT[self._context.settings.redundancy],
            jitter=self._context.settings.jitter,
            dtx=codecs.wants_dtx(agreed.send),
            ssrc=self._identity.ssrc,
            cname=self._identity.cname,
            sockets=sockets,
            secure=agreed.protection.keying != "plain",
            dtls=agreed.protection.keying == "dtls",
            unproven=not self.wish.confirmed,
            symmetric=self.wish.symmetric,
            media_timeout_ms=round(self.wish.media_timeout_s * 1000),
        )

    # -- what happens --

    @property
    def _proved(self) -> bool:
        host = self._agreed.remote_rtp.address if self._agreed and self._agreed.remote_rtp else ""
        return self.wish.confirmed or (bool(host) and host == self._proved_host)

    def prove(self) -> None:
        """The peer wants what is sent to the address that it has signalled last."""
        if self._agreed is None or self._agreed.remote_rtp is None or not self.number:
            return
        self._proved_host = self._agreed.remote_rtp.address
        self._context.engine.prove(self.number)
        self._keys.prove()

    def start(self) -> None:
        self._report_if_one_way()

    def handle(self, event: Event) -> None:
        match event.type:
            case EventType.MEDIA:
                self.remote = event.text
                self._media()
            case EventType.DTLS:
                self._keys.wake()
            case EventType.TIMEOUT if self._silence.is_over():
                self._context.owner.failed(self.id, "media-timeout")
            case EventType.BYE:
                self._context.owner.failed(self.id, "bye")
            case _:
                pass

    def tick(self, now: float) -> None:
        """Looks whether an answer, keys or packets are overdue. Needs no event: one may have been lost in a flood."""
        if self._pending is not None and now >= self._pending.until:
            self._no_answer()
        elif self.number:
            self._keys.tick(now)
            self._look_for_packets()

    def _no_answer(self) -> None:
        if self.number:
            self.withdraw()
        else:
            self._context.owner.failed(self.id, "media-timeout")

    def _look_for_packets(self) -> None:
        first = not self._silence.heard
        self._silence.look(self._context.engine.leg_stats(self.number).leg["rx_packets"])
        if first and self._silence.heard:
            self._media()  # its event was lost
        elif self._silence.is_over(unheard_of=True):
            self._context.owner.failed(self.id, "media-timeout")

    def _media(self) -> None:
        self._silence.heard = True
        self._context.owner.connected(self.id)

    def _report_if_one_way(self) -> None:
        """From a peer that only listens no packet will ever come."""
        if self._agreed is not None and not self._agreed.receives:
            self._context.owner.connected(self.id)

    def moved(self, room: int) -> None:
        self._context = replace(self._context, room=room)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._keys.close()
        if self._pending is not None:
            self.withdraw()
        if self.number:
            number, self.number = self.number, 0
            self._context.remove(number)


def _name(agreed: RtpAgreement) -> str:
    """As ``LocalStream`` has it."""
    return next(name for name in ALL_CODECS if name.lower() == agreed.send.name.lower())


def _essence(agreed: RtpAgreement) -> tuple[object, ...]:
    """What a running stream cannot change."""
    protection = agreed.protection
    return agreed.send.pt, agreed.receive, agreed.rtcp_mux, codecs.transmit(agreed), protection.keying, protection.dtls
