"""Bytes to a message: bounded in every direction, tolerant of folding and line ends, strict about what tells messages apart.

What is promised of a parsed message: one each of From, To, Call-ID and CSeq, at least one Via, and these and Max-Forwards and
Content-Type are well-formed; the method of CSeq is the request's. Other fields are judged by who reads them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import SipError
from .grammar import TOKEN_CHARS, number
from .headers import KEYS, KNOWN, Headers
from .message import VERSION, Message, Request, Response


@dataclass(frozen=True)
class Limits:
    """Messages of real calls have 500 to 4,000 bytes and 10 to 30 fields; the longest of RFC 4475 has 3,515."""

    size: int = 65_536
    """Bytes of a message, as many as a datagram holds (RFC 3261 section 18.1.1)."""
    head: int = 16_384
    """Bytes of the start line and the fields."""
    fields: int = 128
    """Header fields; a folded one counts for each of its lines."""
    value: int = 8_192
    """Characters of a field's value. A challenge with all its algorithms has some hundred."""
    hops: int = 70
    """Values of Via, Route and Record-Route each: as many as Max-Forwards lets a request take (section 8.1.1.6)."""


DEFAULT_LIMITS = Limits()
HEAD_END = re.compile(rb"\r\n\r\n|\n\n")
REQUEST_LINE = re.compile(rf"([{TOKEN_CHARS}]{{1,64}}) ([!#-;=?-~]+) (SIP/[0-9]+\.[0-9]+)", re.I)
STATUS_LINE = re.compile(r"(SIP/[0-9]+\.[0-9]+) ([0-9]{3})(?: (.*))?", re.I)
FIELD_NAME = re.compile(f"[{TOKEN_CHARS}]{{1,128}}")
BLANKS = " \t"
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
ESCAPED_CONTROL = re.compile(r"\\[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""Section 25.1, quoted-pair: what a quoted string may hold behind a backslash."""
ONCE = ("from", "to", "call-id", "cseq", "max-forwards", "content-length", "content-type", "expires")
"""Fields of which a second would leave open which one counts."""
HOPS = ("via", "route", "record-route")
CALL_ID = re.compile(r"[!-~]{1,512}")
"""``word [ "@" word ]``, and whatever else is printed."""


def parse(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Request | Response:
    """The message in a datagram, in a WebSocket frame, or that ``framing`` has cut from a stream. Raises SipError.

    Blank lines before it are skipped (section 7.5), bytes after Content-Length are dropped (section 18.3).
    """
    if len(data) > limits.size:
        raise SipError(f"longer than {limits.size} bytes", status=513)
    data = data.lstrip(b"\r\n")
    found = HEAD_END.search(data, 0, limits.head)
    if found is None:
        raise _endless(len(data) > limits.head)
    # One kind of line end in a message: two readers of a mixture may see two messages.
    message = _read_head(data[: found.start()], found[0][: len(found[0]) // 2].decode(), limits)
    message.body = data[found.end() :]
    try:
        _check(message, limits)
    except SipError as error:
        error.message = message
        raise
    return message


def _endless(too_long: bool) -> SipError:
    return SipError("the head is too long", status=513) if too_long else SipError("the head does not end")


def _read_head(head: bytes, line_end: str, limits: Limits) -> Request | Response:
    first, *lines = _lines(head, line_end, limits)
    headers = Headers(_field(line, limits) for line in lines)
    try:
        return _start(first, headers)
    except SipError as error:
        # So much can be answered by: the fields stand.
        method = first.partition(" ")[0]
        error.message = None if method.upper().startswith("SIP/") else Request(method, "", headers)
        raise


def _lines(head: bytes, line_end: str, limits: Limits) -> list[str]:
    """The start line and the fields, unfolded (section 7.3.1)."""
    try:
        raw = head.decode().split(line_end)
    except UnicodeDecodeError:
        raise SipError("the head is not UTF-8") from None
    if len(raw) > limits.fields + 1:
        raise SipError(f"more than {limits.fields} fields", status=513)
    lines = raw[:1]
    for line in raw[1:]:
        if line[:1] in (" ", "\t"):
            lines[-1] = f"{lines[-1].rstrip(BLANKS)} {line.strip(BLANKS)}"
        else:
            lines.append(line)
    if CONTROL.search("".join(lines)):
        _check_controls(lines)
    return lines


def _check_controls(lines: list[str]) -> None:
    for line in lines:
        if CONTROL.search(ESCAPED_CONTROL.sub("", line)):
            raise SipError("there is a control character in the head")


def _field(line: str, limits: Limits) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    name, value = name.rstrip(BLANKS), value.strip(BLANKS)
    if not colon or (name not in KEYS and not FIELD_NAME.fullmatch(name)):
        raise SipError("there is a line that is no header field")
    if len(value) > limits.value:
        raise SipError(f"{name} is longer than {limits.value} characters", status=513)
    return name, value


def _start(line: str, headers: Headers) -> Request | Response:
    status = STATUS_LINE.fullmatch(line)
    if status is not None:
        _check_version(status[1])
        code = number(status[2], "status")
        if not 100 <= code <= 699:
            raise SipError("status is not within 100..699")
        return Response(code, status[3] or "", headers)
    request = REQUEST_LINE.fullmatch(line)
    if request is None:
        raise SipError("the start line is neither that of a request nor of a response")
    _check_version(request[3])
    return Request(request[1], request[2], headers)


def _check_version(text: str) -> None:
    if text.upper() != VERSION:
        raise SipError(f"the version is not {VERSION}", status=505)


def _check(message: Request | Response, limits: Limits) -> None:
    """What the module promises. Raises SipError."""
    _check_counts(message, limits)
    _ = message.vias, message.from_, message.to, message.max_forwards, message.media_type
    if not message.vias:
        raise SipError("there is no Via")
    for name, address in (("From", message.from_), ("To", message.to)):
        if "tag" in address.parameters and not address.tag:
            raise SipError(f"{name}: the tag is empty")
    if not CALL_ID.fullmatch(message.call_id):
        raise SipError("Call-ID is malformed")
    cseq = message.cseq
    if isinstance(message, Request):
        # 19.1.1: what a URI asks for in header fields is for who makes a request of it, not for the request.
        if message.target.headers:
            raise SipError("the Request-URI has header fields in it")
        if cseq.method != message.method:
            raise SipError("the method of CSeq is another")
    _cut_body(message)


def _check_counts(message: Message, limits: Limits) -> None:
    keys = message.headers.keys()
    if len(set(keys)) < len(keys):
        for name in ONCE:
            if keys.count(name) > 1:
                raise SipError(f"{KNOWN[name]} appears twice")
    for name in HOPS:
        if name in keys and len(message.headers.all(name)) > limits.hops:
            raise SipError(f"{KNOWN[name]} has more than {limits.hops} values", status=513)


def _cut_body(message: Message) -> None:
    """18.3: what Content-Length says, of a datagram that may be longer but not shorter. From then on the body has the say."""
    length = message.typed("Content-Length", content_length)
    if length is None:
        return
    if length > len(message.body):
        raise SipError("the body is shorter than Content-Length")
    message.body = message.body[:length]
    message.headers.remove("Content-Length")


def content_length(raw: str) -> int:
    """The number of a Content-Length. Raises ValueError."""
    return number(raw, "number")
