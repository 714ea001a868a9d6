"""A plain RTP leg: a telephone, a room system, the media worker. Its ports are its own, its address comes by SDP."""

from __future__ import annotations

from dataclasses import dataclass, replace

from confero.errors import Refused
from confero.media import Address, Event, EventType, LegConfig, LegKind, NoPortFree, RtpSockets
from confero.models import RtpLegCreate
from confero.protocols.sdp import (
    ALL_CODECS,
    Endpoint,
    LocalPorts,
    LocalStream,
    RtpAgreement,
    SdpError,
    Session,
    answer_rtp,
    apply_answer,
    offer_rtp,
    parse,
    write,
)
from confero.runtime.logging import get_logger

from ..pipeline import codecs
from ..rooms.participant import Kind
from .addresses import LocalAddress, check_remote, choose_local, route_to
from .base import GRACE_S, Identity, LegContext

log = get_logger(__name__)


@dataclass(frozen=True)
class _Pending:
    """An offer of ours that waits for its answer."""

    offer: Session
    until: float


@dataclass(frozen=True)
class _Ports:
    """Bound sockets, and the address under which the peer reaches them."""

    sockets: RtpSockets
    external: str

    @property
    def local(self) -> LocalPorts:
        return LocalPorts(self.external, self.sockets.rtp_port, self.sockets.rtcp_port)


class RtpLeg:
    """Made by ``open``; ``close`` it."""

    kind: Kind = "rtp"

    def __init__(self, number: int, context: LegContext, wish: RtpLegCreate) -> None:
        self._identity = Identity()
        self.id = self._identity.leg
        self.number = 0
        self.remote = ""
        self._first_number = number
        self._context = context
        self._wish = wish
        self._ports: _Ports | None = None
        self._agreed: RtpAgreement | None = None
        self._pending: _Pending | None = None
        self._heard = False
        self._packets = 0
        self._packets_at = 0.0
        self._expecting_since = 0.0
        self._closed = False
        self._log = log.bind(leg=self.id)

    @property
    def codec(self) -> str:
        return self._agreed.send.name if self._agreed else ""

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
            return self._open_with_our_offer()
        offer = parse(sdp)
        agreed, ports = self._agree(offer, self._wish.codecs)
        self._enter(agreed, ports, self._first_number)
        return write(agreed.description)

    def _open_with_our_offer(self) -> str:
        bound, advertised = self._context.engine.bound, self._context.engine.advertised
        family = 6 if all(":" in entry.external for entry in advertised) else 4
        self._ports = self._bind(choose_local(family, bound, advertised), mux=False)
        offer = offer_rtp(self._stream(self._wish.codecs), self._ports.local)
        self._pending = _Pending(offer, self._context.clock.monotonic() + self._context.settings.answer_s)
        return write(offer)

    def answer(self, sdp: str) -> None:
        """The answer to our offer. Raises Refused ``no-offer-pending``; on SdpError the offer stays open."""
        pending, ports = self._pending, self._ports
        if pending is None or ports is None:
            raise Refused("This leg has no offer that waits for an answer.", status=409, code="no-offer-pending")
        agreed = apply_answer(pending.offer, parse(sdp))
        self._remote_of(agreed)
        self._enter(agreed, ports, self._first_number)
        self._pending = None
        self._report_if_one_way()

    def offer(self, sdp: str) -> str:
        """A re-offer: hold, another address, another codec. Raises SdpError: then nothing has changed.

        The stream goes on under its ports unless codec, its parameters, address family or rtcp-mux change: then it starts anew
        on others.
        """
        before, ports = self._agreed, self._ports
        if before is None or ports is None:
            raise Refused("Our own offer waits for its answer.", status=409, code="offer-pending")
        offer = parse(sdp)
        kept = self._keep(offer, before, ports)
        if kept is not None:
            self._expect()
            self._context.engine.set_remote(self.number, *self._remote_of(kept))
            self._adopt(kept)
            return write(kept.description)
        agreed, fresh = self._agree(offer, self._wish.codecs)
        old = self.number
        self._enter(agreed, fresh, self._context.next_number())
        self._context.remove(old)
        self._context.owner.renumbered(self.id, old)
        return write(agreed.description)

    def _keep(self, offer: Session, before: RtpAgreement, ports: _Ports) -> RtpAgreement | None:
        """The agreement under which the running stream goes on, if there is one."""
        try:
            agreed = answer_rtp(offer, self._stream((_name(before),)), ports.local)
        except SdpError:
            return None
        agreed = replace(agreed, ptime=agreed.ptime or before.ptime, maxptime=agreed.maxptime or before.maxptime)
        same = _essence(agreed) == _essence(before) and codecs.extras_stay(agreed, before)
        rtp, _ = self._remote_of(agreed)
        same_family = rtp is None or (":" in rtp.host) == (":" in ports.external)
        return agreed if same and same_family else None

    def _agree(self, offer: Session, names: tuple[str, ...]) -> tuple[RtpAgreement, _Ports]:
        """Checks everything with ports that do not exist yet, then binds and answers: a refused offer binds nothing."""
        draft = answer_rtp(offer, self._stream(names), LocalPorts("0.0.0.0", 9, 9))
        rtp, _ = self._remote_of(draft)
        engine = self._context.engine
        family = 4
        if rtp is not None:
            family = 6 if ":" in rtp.host else 4
        elif (connection := offer.connection_of(offer.media[draft.index])) is not None:
            family = connection.family
        local = choose_local(family, engine.bound, engine.advertised, route_to(rtp.host) if rtp else None)
        ports = self._bind(local, mux=draft.rtcp_mux)
        return answer_rtp(offer, self._stream(names), ports.local), ports

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

    def _bind(self, local: LocalAddress, *, mux: bool) -> _Ports:
        try:
            sockets = self._context.engine.open_rtp(self._context.room, local.bind, mux=mux)
        except NoPortFree as error:
            raise Refused(str(error), status=503, code="no-ports") from error
        return _Ports(sockets, local.external)

    def _remote_of(self, agreed: RtpAgreement) -> tuple[Address | None, Address | None]:
        """Where the engine is to send. Raises SdpError for addresses that must not be sent to."""
        own = [address for e in self._context.engine.advertised for address in (e.external, e.internal) if address]
        rtp = check_remote(agreed.remote_rtp, own) if agreed.remote_rtp else None
        rtcp = check_remote(agreed.remote_rtcp, own) if agreed.remote_rtcp else None
        return (None, None) if agreed.direction == "inactive" else (rtp, rtcp)

    def _enter(self, agreed: RtpAgreement, ports: _Ports, number: int) -> None:
        """Puts the stream into the engine; if that fails, the ports are closed again."""
        rtp, rtcp = self._remote_of(agreed)
        config = self._config(agreed, ports.sockets, number)
        self._expect()
        try:
            self._context.engine.add_leg(replace(config, remote_rtp=rtp, remote_rtcp=rtcp))
        except Exception:
            if ports is not self._ports:
                self._context.engine.close_rtp(ports.sockets)
            raise
        self.number, self._ports, self._heard, self._packets = number, ports, False, 0
        self._adopt(agreed)

    def _adopt(self, agreed: RtpAgreement) -> None:
        self._agreed = agreed
        peer = agreed.remote_rtp
        self.remote = _text(peer) if peer else ""

    def _expect(self) -> None:
        """Silence counts from now on, a moment before the engine begins to count."""
        self._expecting_since = self._packets_at = self._context.clock.monotonic()

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
            symmetric=self._wish.symmetric,
            media_timeout_ms=round(self._wish.media_timeout_s * 1000),
        )

    # -- what happens --

    def start(self) -> None:
        self._report_if_one_way()

    def handle(self, event: Event) -> None:
        match event.type:
            case EventType.MEDIA:
                self.remote = event.text
                self._media()
            case EventType.TIMEOUT if self._is_late(self._expecting_since, self._context.clock.monotonic()):
                self._context.owner.failed(self.id, "media-timeout")
            case EventType.BYE:
                self._context.owner.failed(self.id, "bye")
            case _:
                pass

    def tick(self, now: float) -> None:
        """Looks whether an answer or packets are overdue. Needs no event: one may have been lost in a flood."""
        if self._pending is not None and now >= self._pending.until:
            self._context.owner.failed(self.id, "media-timeout")
        elif self.number:
            self._look_for_packets(now)

    def _look_for_packets(self, now: float) -> None:
        packets = self._context.engine.leg_stats(self.number).leg["rx_packets"]
        if packets != self._packets:
            self._packets, self._packets_at = packets, now
            if not self._heard:
                self._media()  # its event was lost
        elif self._is_late(self._packets_at + GRACE_S, now):
            self._context.owner.failed(self.id, "media-timeout")

    def _is_late(self, since: float, now: float) -> bool:
        """The peer should send, has a limit, and has had that long since then: what was silent on hold may start afresh."""
        limit = self._wish.media_timeout_s
        return self._agreed is not None and self._agreed.receives and 0 < limit <= now - since

    def _media(self) -> None:
        self._heard = True
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
        if self.number:
            number, self.number = self.number, 0
            self._context.remove(number)
        elif self._ports is not None:
            self._context.engine.close_rtp(self._ports.sockets)


def _text(endpoint: Endpoint) -> str:
    """As the engine writes addresses."""
    host = f"[{endpoint.address}]" if ":" in endpoint.address else endpoint.address
    return f"{host}:{endpoint.port}"


def _name(agreed: RtpAgreement) -> str:
    """As ``LocalStream`` has it."""
    return next(name for name in ALL_CODECS if name.lower() == agreed.send.name.lower())


def _essence(agreed: RtpAgreement) -> tuple[object, ...]:
    """What a running stream cannot change."""
    return agreed.send.pt, agreed.receive, agreed.rtcp_mux, codecs.transmit(agreed)
