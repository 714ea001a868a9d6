"""The ports of an RTP leg, and where it may send to."""

from __future__ import annotations

from dataclasses import dataclass

from confero.errors import Refused
from confero.media import Address, NoPortFree, RtpSockets
from confero.protocols.sdp import Endpoint, LocalPorts, RtpAgreement, Session, TcpRole
from confero.runtime.routes import route_to

from ..pipeline.engine import MediaEngine
from .addresses import LocalAddress, check_remote, choose_local
from .base import LegContext

NOWHERE = LocalPorts("0.0.0.0", 9, 9)
"""Stands in a draft, before ports are bound."""


@dataclass(frozen=True)
class Ports:
    """Bound sockets, and the address under which the peer reaches them."""

    sockets: RtpSockets
    external: str

    @property
    def local(self) -> LocalPorts:
        return LocalPorts(self.external, self.sockets.rtp_port, self.sockets.rtcp_port)


def bind_for_anyone(context: LegContext, *, mux: bool) -> Ports:
    """For an offer of ours. Raises SdpError, Refused ``no-ports``."""
    bound, advertised = context.engine.bound, context.engine.advertised
    family = 6 if all(":" in entry.external for entry in advertised) else 4
    return _bind(context, choose_local(family, bound, advertised), mux=mux, tcp=None)


def bind_for(context: LegContext, offer: Session, draft: RtpAgreement) -> Ports:
    """Ports of the family that the peer offers, on the way to it. Raises SdpError, Refused ``no-ports``."""
    engine, (rtp, _) = context.engine, remote_of(context, draft)
    family = 4
    if rtp is not None:
        family = 6 if ":" in rtp.host else 4
    elif (connection := offer.connection_of(offer.media[draft.index])) is not None:
        family = connection.family
    local = choose_local(family, engine.bound, engine.advertised, route_to(rtp.host) if rtp else None)
    return _bind(context, local, mux=draft.rtcp_mux, tcp=draft.tcp)


def _bind(context: LegContext, local: LocalAddress, *, mux: bool, tcp: TcpRole | None) -> Ports:
    try:
        sockets = context.engine.open_rtp(context.room, local.bind, mux=mux, tcp=tcp)
    except NoPortFree as error:
        raise Refused(str(error), status=503, code="no-ports") from error
    return Ports(sockets, local.external)


def remote_of(context: LegContext, agreed: RtpAgreement) -> tuple[Address | None, Address | None]:
    """Where the engine is to send RTP and RTCP. Raises SdpError for addresses that must not be sent to."""
    own, loopback, connects = _own(context.engine), context.settings.to_loopback, agreed.tcp == "passive"
    rtp, rtcp = (
        check_remote(at, own, loopback=loopback, connects=connects) if at else None
        for at in (agreed.remote_rtp, agreed.remote_rtcp)
    )
    return (None, None) if agreed.direction == "inactive" else (rtp, rtcp)


def _own(engine: MediaEngine) -> list[str]:
    return [address for entry in engine.advertised for address in (entry.external, entry.internal) if address]


def text(endpoint: Endpoint | None) -> str:
    """As the engine writes addresses."""
    if endpoint is None:
        return ""
    host = f"[{endpoint.address}]" if ":" in endpoint.address else endpoint.address
    return f"{host}:{endpoint.port}"
