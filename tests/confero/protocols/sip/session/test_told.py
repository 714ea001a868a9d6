"""What the owner is shown of the messages behind an event: data of the users that the session does not look at (RFC 7433)."""

from __future__ import annotations

from confero.protocols.sip import Request, Response
from confero.protocols.sip.session import Ended, Established, Ringing

from .line import Line, sdp

DATA = "56a390f3d2b7310023a2;encoding=hex"


def test_user_data_comes_with_each_step_of_a_call() -> None:
    line = Line()
    line.invite_headers = [("User-to-User", DATA)]
    line.call()
    assert f"User-to-User: {DATA}".encode() in line.flight[0].data
    line.run()
    line.do(line.b, line.b.it.progress(180, line.now, headers=[("User-to-User", "ring")]))
    line.run()
    assert line.a.last(Ringing).response.headers.get("User-to-User") == "ring"
    line.do(line.b, line.b.it.accept(line.now, sdp("answer"), [("User-to-User", "here")]))
    line.run()
    assert line.a.last(Established).response.headers.get("User-to-User") == "here"
    line.do(line.a, line.a.it.hang_up(line.now, [("User-to-User", "bye")]))
    line.run()
    ended = line.b.last(Ended)
    assert isinstance(ended.message, Request) and ended.message.headers.get("User-to-User") == "bye"


def test_user_data_comes_with_a_refusal() -> None:
    line = Line()
    line.call()
    line.run()
    line.do(line.b, line.b.it.reject(603, line.now, "Not Now", [("User-to-User", "no")]))
    line.run()
    ended = line.a.last(Ended)
    assert isinstance(ended.message, Response) and ended.message.headers.get("User-to-User") == "no"
    assert ended.reason == "Not Now"
