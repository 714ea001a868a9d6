"""An RTP leg: a telephone, a room system, the media worker. Its ports are its own, its address comes by SDP."""

from __future__ import annotations

from dataclasses import dataclass, replace

from confero.errors import Refused
from confero.media import Event, EventType, LegConfig, LegKind, RtpSockets
from confero.models import RtpLegCreate
from confero.protocols.sdp import (
    RtpAgreement,
    Session,
    apply_answer,
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
from .rtp_ports import Ports, remote_of, text
from .rtp_talks import Talks
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
        self._signalling = self._expected_from = wish.signalling or ""
        """The host that the peer's signalling comes from; as the stream in the engine has it."""
        self._ports: Ports | None = None
        self._agreed: RtpAgreement | None = None
        self._pending: _Pending | None = None
        self._keys = RtpKeys(context, self.id, means)
        self._talks = Talks(context, wish, self._identity, self._keys.fingerprint)
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
        return self._agreed is None or (self._agreed.sends and self._agreed.remote_rtp is not None)

    @property
    def takes_events(self) -> bool:
        return self._agreed is not None and codecs.events_to_send(self._agreed) > 0

    # -- descriptions --

    def open(self, sdp: str | None) -> str:
        """Answers the peer's offer, or without one makes ours. Raises SdpError, Refused ``no-ports``, what the engine raises."""
        if sdp is None:
            return self.ask()
        offer = parse(sdp)
        agreed, ports = self._talks.agree(offer, None)
        self._enter(agreed, ports, self._first_number)
        return write(agreed.description)

    def ask(self) -> str:
        """An offer of ours, of all that the leg may use, on fresh ports: the stream goes on as it was until it is answered.

        Raises Refused ``offer-pending``, ``no-ports``, SdpError.
        """
        if self._pending is not None:
            raise Refused("Our own offer waits for its answer.", status=409, code="offer-pending")
        offer, ports = self._talks.ask(self._agreed)
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

        The stream goes on under its ports unless codec, its parameters, address family, rtcp-mux, the way of protection or the
        host of its signalling change: then it starts anew on others. Raises NewLegNeeded for one with ICE and DTLS.
        """
        before, ports = self._agreed, self._ports
        if before is None or ports is None or self._pending is not None:
            raise Refused("Our own offer waits for its answer.", status=409, code="offer-pending")
        offer = parse(sdp)
        if self.wish.media_security != "none" and offers_ice(offer):
            raise NewLegNeeded
        moved = self.wish.symmetric and self._signalling != self._expected_from
        kept = None if moved else self._talks.keep(offer, before, ports)
        if kept is None:
            agreed, fresh = self._talks.agree(offer, before)
            self._change(agreed, fresh)
            return write(agreed.description)
        self._silence.expect()
        self._keys.renew(self.number, before.protection, kept.protection)
        self._context.engine.set_remote(self.number, *remote_of(self._context, kept))
        self._adopt(kept)
        if kept.reconnects:
            self._connect(kept, ports)
        return write(kept.description)

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
        before, self._agreed = self._agreed, agreed
        try:
            self._unlock(number, agreed)
            self._connect(agreed, ports)
        except Exception:
            self._context.remove(number)  # and its ports with it
            self._agreed, self._pending = before, None
            raise
        self._adopt(agreed)
        self.number, self._ports, self._expected_from = number, ports, self._signalling

    def _unlock(self, number: int, agreed: RtpAgreement) -> None:
        """What the stream waits for as far as it is there: keys, and proof that it is wanted."""
        if self._proved and not self.wish.confirmed:
            self._context.engine.prove(number)
        self._keys.begin(number, agreed.protection, proved=self._proved)

    def _connect(self, agreed: RtpAgreement, ports: Ports) -> None:
        """To a peer that waits for our connection: once it has proved that it does."""
        if agreed.tcp == "active" and self._proved:
            self._context.engine.connect_rtp(ports.sockets, *remote_of(self._context, agreed))

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
            signalling=self._signalling,
            any_port=agreed.tcp is not None,
            media_timeout_ms=round(self.wish.media_timeout_s * 1000),
        )

    # -- what happens --

    @property
    def _proved(self) -> bool:
        host = self._agreed.remote_rtp.address if self._agreed and self._agreed.remote_rtp else ""
        return self.wish.confirmed or (bool(host) and host == self._proved_host)

    def signalled_from(self, host: str) -> None:
        """The peer's signalling comes from there now."""
        self._signalling = host

    def prove(self) -> None:
        """The peer wants what is sent to the address that it has signalled last."""
        if self._agreed is None or self._agreed.remote_rtp is None or not self.number:
            return
        known, self._proved_host = self._proved, self._agreed.remote_rtp.address
        self._context.engine.prove(self.number)
        self._keys.prove()
        if not known and self._ports is not None:
            self._connect(self._agreed, self._ports)

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
        self._talks.moved(self._context)

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
