"""RTP legs over TCP (RFC 4145) over an engine that only remembers: which sockets, and when and where to a leg connects."""

from __future__ import annotations

from typing import Any

import pytest

from confero import models
from confero.clock import FakeClock
from confero.mcu.legs.rtp import RtpLeg
from confero.media import Address
from confero.protocols.sdp import SdpError, parse

from .fakes import FakeEngine, FakeOwner, context

HEAD = "v=0\no=- 1 1 IN IP4 {host}\ns=-\nc=IN IP4 {host}\nt=0 0\n"
PEER = Address("198.51.100.1", 9000)


def offer(setup: str, *lines: str, host: str = PEER.host, port: int = PEER.port) -> str:
    return HEAD.format(host=host) + "\n".join((f"m=audio {port} TCP/RTP/AVP 0", f"a=setup:{setup}", *lines, ""))


class Setup:
    def __init__(self, *, tcp: bool = True, **wish: Any) -> None:
        self.engine, self.owner, self.clock = FakeEngine(), FakeOwner(), FakeClock()
        self.engine.tcp = tcp
        body = models.RtpLegCreate(**({"kind": "rtp", "participant": "p", "display_name": "P"} | wish))
        self.leg = RtpLeg(7, context(self.engine, self.owner, self.clock), body)

    @property
    def config(self) -> Any:
        return self.engine.legs[self.leg.number]

    @property
    def connected(self) -> list[tuple[Any, ...]]:
        return [entry[1:] for entry in self.engine.said("connect_rtp")]


def test_the_peer_connects_from_wherever() -> None:
    s = Setup()
    answer = parse(s.leg.open(offer("active", port=9))).media[0]
    assert s.engine.said("open_rtp") == [(1, "192.0.2.10", False, "passive")]
    assert (answer.setup, answer.port) == ("passive", s.config.sockets.rtp_port)
    assert (s.config.any_port, s.config.symmetric) == (True, False) and s.config.remote_rtp == Address(PEER.host, 9)
    assert s.connected == []


def test_we_connect_at_once_where_the_caller_speaks_for_the_peer() -> None:
    s = Setup()
    answer = parse(s.leg.open(offer("passive"))).media[0]
    assert (answer.setup, answer.tcp_connection) == ("active", "new")
    assert s.engine.said("open_rtp") == [(1, "192.0.2.10", False, "active")]
    assert s.connected == [(PEER, Address(PEER.host, 9001))]


def test_nobody_is_connected_to_before_proof() -> None:
    s = Setup(confirmed=False)
    s.leg.open(offer("passive", "a=rtcp-mux"))
    assert s.connected == []
    s.leg.prove()
    s.leg.prove()
    assert s.connected == [(PEER, PEER)]
    elsewhere = "198.51.100.9"
    s.leg.offer(offer("passive", "a=rtcp-mux", host=elsewhere))
    assert len(s.connected) == 1  # another host is to be proved again
    s.leg.prove()
    assert s.connected[1:] == [(Address(elsewhere, 9000),) * 2]


def test_a_re_offer_connects_again_unless_the_connection_is_to_go_on() -> None:
    s = Setup()
    s.leg.open(offer("passive"))
    answer = parse(s.leg.offer(offer("passive", "a=connection:existing"))).media[0]
    assert (answer.tcp_connection, len(s.connected)) == ("existing", 1)
    answer = parse(s.leg.offer(offer("passive", "a=connection:new"))).media[0]
    assert (answer.tcp_connection, len(s.connected), s.leg.number) == ("new", 2, 7)


def test_another_transport_is_another_stream() -> None:
    s = Setup()
    s.leg.open(offer("active", port=9))
    s.leg.offer(offer("active").replace("TCP/RTP/AVP", "RTP/AVP"))
    assert s.leg.number != 7 and not s.config.any_port
    assert [entry[3:] for entry in s.engine.said("open_rtp")] == [("passive",), ()]


@pytest.mark.parametrize(
    "sdp",
    [
        offer("passive", port=22),
        offer("passive", host="127.0.0.1"),
        offer("active", host="127.0.0.1", port=9),
        offer("passive", host="192.0.2.10", port=5060),
        offer("active", host="224.0.0.1", port=9),
    ],
)
def test_what_must_not_be_connected_to(sdp: str) -> None:
    s = Setup()
    with pytest.raises(SdpError, match="media cannot go to"):
        s.leg.open(sdp)
    assert s.engine.log == []


def test_without_tcp_it_is_refused() -> None:
    s = Setup(tcp=False)
    with pytest.raises(SdpError, match="there is no TCP here"):
        s.leg.open(offer("active"))
    assert s.engine.log == []


def test_on_hold_nothing_is_connected() -> None:
    s = Setup()
    s.leg.open(offer("passive", host="0.0.0.0"))
    assert s.connected == [(None, None)]
