"""What the front door says itself: the way to HTTPS, and refusals in the words of the protocol that was spoken."""

from __future__ import annotations

import re

from confero.protocols.sniff import Kind, Request, Sniffed

HOST = re.compile(r"([A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,253}[A-Za-z0-9_.])?|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{1,5}))?")
"""A name or address, and perhaps a port (RFC 9110 section 7.2); nothing else gets into our answer."""
HTTP_PORT, HTTPS_PORT = 80, 443
MOVED, PERMANENT, BAD_REQUEST, UNAVAILABLE = 301, 308, 400, 503
REASONS = {
    MOVED: "Moved Permanently",
    PERMANENT: "Permanent Redirect",
    BAD_REQUEST: "Bad Request",
    UNAVAILABLE: "Service Unavailable",
}
"""RFC 9110 section 15."""
NO_APPLICATION_PROTOCOL = bytes((21, 3, 1, 0, 2, 2, 120))
"""A fatal alert (RFC 8446 section 6, RFC 7301 section 3.2)."""
SAFE = ("GET", "HEAD")
"""Methods that a browser repeats as they are after 301; for others 308 says so (RFC 9110 section 15.4)."""


def answer(sniffed: Sniffed) -> bytes:
    """What is sent before the connection is closed; empty: nothing, as nothing would be understood."""
    match sniffed.kind:
        case Kind.HTTP:
            assert sniffed.request is not None
            return redirect(sniffed.request)
        case Kind.RTMPT:
            return _response(UNAVAILABLE, "There is no flash server here.")
        case Kind.OTHER_TLS | Kind.SIPS:
            return NO_APPLICATION_PROTOCOL
    return b""


def redirect(request: Request) -> bytes:
    """To the same host and path by HTTPS, if both are such as can be said again."""
    host = HOST.fullmatch(request.host)
    if host is None or not request.target.startswith("/"):
        return _response(BAD_REQUEST, "Use HTTPS.")
    port = f":{host[2]}" if host[2] and int(host[2]) not in (HTTP_PORT, HTTPS_PORT) else ""
    status = MOVED if request.method in SAFE else PERMANENT
    location = f"https://{host[1]}{port}{request.target}"
    return _response(status, "Use HTTPS.", ("Location", location), silent=request.method == "HEAD")


def _response(status: int, text: str, *fields: tuple[str, str], silent: bool = False) -> bytes:
    """``silent``: without the body that its head tells of."""
    body = f"{text}\n".encode("ascii")
    lines = [
        f"HTTP/1.1 {status} {REASONS[status]}",
        *(f"{name}: {value}" for name, value in fields),
        "Content-Type: text/plain; charset=us-ascii",
        f"Content-Length: {len(body)}",
        "Connection: close",
        "Server: confero",
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + (b"" if silent else body)
