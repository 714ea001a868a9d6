"""What we write, an independent parser reads as we meant it; it reads less than we do, so that not all can be put to it."""

from __future__ import annotations

from random import Random

import sipmessage
from hypothesis import given, settings
from hypothesis import strategies as st

from confero.protocols.sip import (
    URI,
    Address,
    Challenge,
    Credentials,
    Request,
    Via,
    ack_for,
    cancel_for,
    new_branch,
    new_call_id,
    new_request,
    new_tag,
    response_to,
)

names = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters='"\\'), max_size=20).map(
    lambda text: " ".join(text.split())
)
users = st.text("abcXYZ019-_.!~*'()&=+$,;?/ äß", min_size=1, max_size=12)
hosts = st.sampled_from(["confero.example", "192.0.2.1", "[2001:db8::1]"])
uris = st.builds(
    lambda user, host, port: URI.sip(user, host, port, transport="tcp"), users, hosts, st.sampled_from([None, 5060])
)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    random = Random(draw(st.integers(0, 10)))
    request = new_request(
        draw(st.sampled_from(["INVITE", "BYE", "MESSAGE"])),
        str(draw(uris)),
        from_=Address(draw(uris), draw(names)).with_tag(new_tag(random)),
        to=Address(draw(uris), draw(names)),
        call_id=new_call_id(random),
        cseq=draw(st.integers(0, 2**31 - 1)),
        via=Via("TCP", draw(hosts), 5060).with_parameters(branch=new_branch(random), rport=None),
        routes=[f"<sip:{draw(hosts)};lr>"],
        body=draw(st.binary(max_size=20)),
        content_type="application/sdp",
    )
    request.headers.add("Contact", str(Address(draw(uris))))
    return request


@settings(max_examples=150, deadline=None)
@given(requests())
def test_requests_and_what_is_made_of_them(request: Request) -> None:
    answer = response_to(request, 486, to_tag="b")
    for ours in (request, answer, ack_for(request, answer), cancel_for(request)):
        theirs = sipmessage.Message.parse(bytes(ours))
        assert theirs.body == ours.body and theirs.call_id == ours.call_id and theirs.content_length == len(ours.body)
        assert (theirs.cseq.sequence, theirs.cseq.method) == (ours.cseq.number, ours.cseq.method)
        assert theirs.via[0].parameters["branch"] == ours.top_via.branch and "rport" in theirs.via[0].parameters
        for their, our in ((theirs.from_address, ours.from_), (theirs.to_address, ours.to)):
            assert (their.name, their.uri.host, their.uri.port) == (our.name, our.uri.host, our.uri.port)
            assert their.uri.user == our.uri.username and their.parameters.get("tag") == our.tag


def test_challenges_and_credentials() -> None:
    challenge = sipmessage.AuthChallenge.parse(
        str(Challenge("confero.example", "00ff", "SHA-256", ("auth",), stale=True))
    )
    assert challenge.scheme == "Digest"
    assert dict(challenge.parameters) == {
        "realm": "confero.example",
        "nonce": "00ff",
        "algorithm": "SHA-256",
        "qop": "auth",
        "stale": "true",
    }
    ours = Credentials(
        "alice", "confero.example", "00ff", "sip:room@confero.example", "aa", "SHA-256", "auth", "c", "00000001"
    )
    theirs = sipmessage.AuthCredentials.parse(str(ours))
    assert (
        theirs.parameters is not None
        and theirs.parameters["nc"] == "00000001"
        and theirs.parameters["response"] == "aa"
    )
