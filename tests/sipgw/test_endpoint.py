"""The endpoint: what cannot be read is answered and counted, once."""

from __future__ import annotations

from confero.protocols.sip import Response, Target
from confero.sipgw.endpoint import figures

from .sipparts import Net

PHONE = Target("udp", "192.0.2.7", 5060)
HEAD = (
    b"Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\n"
    b"Call-ID: x\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)


async def test_a_request_of_another_version_is_answered_and_counted_once() -> None:
    net = Net()
    net.endpoint.received(b"OPTIONS sip:c@d SIP/7.0\r\n" + HEAD, PHONE)
    assert [(one.status, to.host) for one, to in net.wire.sent if isinstance(one, Response)] == [(505, PHONE.host)]
    assert figures(net.endpoint)["malformed"] == 1
    await net.close()


async def test_noise_is_counted_and_gets_no_answer() -> None:
    net = Net()
    net.endpoint.received(b"noise", PHONE)
    net.endpoint.received(b"\r\n\r\n", PHONE)
    assert net.wire.sent == []
    assert figures(net.endpoint)["malformed"] == 1
    await net.close()
