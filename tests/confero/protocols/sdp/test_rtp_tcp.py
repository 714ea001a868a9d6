"""RTP over TCP in answers (RFC 4145, 4571): who connects, to which port, and whether a connection goes on."""

from __future__ import annotations

import pytest

from confero.protocols.sdp import (
    Endpoint,
    LocalPorts,
    LocalSecurity,
    LocalStream,
    LocalTcp,
    RtpAgreement,
    SdpError,
    answer_rtp,
    apply_answer,
    offer_rtp,
    parse,
    write,
)

STREAM = LocalStream(session_id=5, ssrc=9)
PORTS = LocalPorts("192.0.2.10", 6000, 6001)
CONNECTS = LocalPorts("192.0.2.10", 9, 9)
HEAD = "v=0\no=- 1 1 IN IP4 192.0.2.7\ns=-\nc=IN IP4 192.0.2.7\nt=0 0\n"


def offer(*lines: str, port: int = 9, protocol: str = "TCP/RTP/AVP") -> str:
    return HEAD + "\n".join((f"m=audio {port} {protocol} 0", *lines, ""))


def agree(text: str, ports: LocalPorts = PORTS, tcp: LocalTcp = "possible") -> RtpAgreement:
    agreed = answer_rtp(parse(text), STREAM, ports, tcp=tcp)
    assert parse(write(agreed.description)) == agreed.description
    return agreed


@pytest.mark.parametrize("lines", [(), ("a=setup:active",), ("a=setup:actpass", "a=connection:new")])
def test_we_wait_where_we_may(lines: tuple[str, ...]) -> None:
    agreed = agree(offer(*lines))
    media = agreed.description.media[0]
    assert (media.port, media.protocol, media.setup, media.tcp_connection) == (6000, "TCP/RTP/AVP", "passive", "new")
    assert (agreed.tcp, agreed.reconnects, agreed.remote_rtp) == ("passive", True, Endpoint("192.0.2.7", 9))


def test_we_connect_where_the_peer_waits() -> None:
    agreed = agree(offer("a=setup:passive", "a=connection:new", port=9000), CONNECTS)
    media = agreed.description.media[0]
    assert (media.port, media.setup, media.rtcp, agreed.tcp) == (9, "active", None, "active")
    assert (agreed.remote_rtp, agreed.remote_rtcp) == (Endpoint("192.0.2.7", 9000), Endpoint("192.0.2.7", 9001))


def test_words_of_the_session_hold_for_its_media() -> None:
    text = offer(port=9000).replace("t=0 0\n", "t=0 0\na=setup:passive\na=connection:existing\n")
    agreed = agree(text, CONNECTS, "running")
    assert (agreed.tcp, agreed.reconnects) == ("active", False)


@pytest.mark.parametrize(
    ("lines", "tcp", "said"),
    [
        (("a=connection:existing",), "running", "existing"),
        (("a=connection:existing",), "possible", "new"),
        (("a=connection:new",), "running", "new"),
        ((), "running", "new"),
    ],
)
def test_a_connection_goes_on_if_both_say_so(lines: tuple[str, ...], tcp: LocalTcp, said: str) -> None:
    agreed = agree(offer(*lines), tcp=tcp)
    assert agreed.description.media[0].tcp_connection == said
    assert agreed.reconnects == (said == "new")


@pytest.mark.parametrize(
    ("text", "reason", "tcp"),
    [
        (offer("a=setup:holdconn"), "setup:holdconn", "possible"),
        (offer(), "protocol TCP/RTP/AVP, and there is no TCP here", "none"),
        (offer(protocol="TCP/RTP/SAVP"), "TCP/RTP/SAVP, and nothing is to be protected", "possible"),
        (offer(protocol="TCP/TLS/RTP/SAVP") + "a=rtpmap:0 PCMU/8000\n", "protocol TCP/TLS/RTP/SAVP", "possible"),
    ],
)
def test_what_is_refused(text: str, reason: str, tcp: LocalTcp) -> None:
    with pytest.raises(SdpError, match=reason):
        agree(text, tcp=tcp)


def test_keys_by_sdes() -> None:
    crypto = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
    text = offer("a=setup:active", crypto, protocol="TCP/RTP/SAVP")
    agreed = answer_rtp(parse(text), STREAM, PORTS, LocalSecurity("required"), "possible")
    media = agreed.description.media[0]
    assert (media.protocol, media.setup, len(media.cryptos), agreed.protection.keying) == (
        "TCP/RTP/SAVP",
        "passive",
        1,
        "sdes",
    )


def test_udp_says_nothing_of_connections() -> None:
    agreed = agree(offer("a=setup:active", port=9000, protocol="RTP/AVP"))
    media = agreed.description.media[0]
    assert (media.setup, media.tcp_connection, agreed.tcp, agreed.reconnects) == (None, None, None, False)


def test_an_answer_does_not_turn_udp_into_tcp() -> None:
    ours = offer_rtp(STREAM, PORTS)
    with pytest.raises(SdpError, match="not the offer's"):
        apply_answer(ours, parse(offer("a=setup:active")))


@pytest.mark.parametrize("value", ["", ":", ":old", ":new existing"])
def test_a_strange_word_is_refused(value: str) -> None:
    with pytest.raises(SdpError):
        parse(offer(f"a=connection{value}"))
