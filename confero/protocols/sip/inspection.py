"""What a user agent server turns away before it looks at what a request wants (RFC 3261 sections 8.2.1 to 8.2.3)."""

from __future__ import annotations

from dataclasses import dataclass

from .build import response_to
from .errors import SipError
from .message import Request, Response
from .values import MediaType

METHODS = frozenset(
    {
        *(
            "ACK",
            "BYE",
            "CANCEL",
            "INFO",
            "INVITE",
            "MESSAGE",
            "NOTIFY",
            "OPTIONS",
            "PRACK",
            "PUBLISH",
            "REFER",
            "REGISTER",
        ),
        *("SUBSCRIBE", "UPDATE"),
    }
)
"""The IANA registry. One of these that is not served is 405; any other is 501 (section 21.5.2)."""


@dataclass(frozen=True)
class Abilities:
    """What this end understands; it is what its refusals say."""

    methods: tuple[str, ...]
    extensions: frozenset[str] = frozenset()
    """Option tags that a request may require, in lower case."""
    media_types: tuple[str, ...] = ("application/sdp",)
    """Of bodies, in lower case."""
    schemes: frozenset[str] = frozenset({"sip", "sips", "tel"})
    """Of Request-URIs."""


def refusal(request: Request, abilities: Abilities, to_tag: str | None = None) -> Response | None:
    """The response that turns ``request`` away; None if nothing of it is strange. ACK, which has no response, passes always."""
    if request.method == "ACK":
        return None
    try:
        # What any server may come to read, though not all have to.
        _ = request.contacts, request.routes, request.record_routes
        for check in (_method, _scheme, _extensions, _body, _accept):
            found = check(request, abilities)
            if found is not None:
                break
    except SipError as error:
        found = error.status, {}
    if found is None:
        return None
    response = response_to(request, found[0], to_tag=to_tag)
    for name, value in found[1].items():
        response.headers.add(name, value)
    return response


Found = tuple[int, dict[str, str]] | None
"""A status and the fields that explain it."""


def _method(request: Request, abilities: Abilities) -> Found:
    # 8.2.1: 405 lists the methods that are served.
    if request.method in abilities.methods:
        return None
    return 405 if request.method in METHODS else 501, {"Allow": ", ".join(abilities.methods)}


def _scheme(request: Request, abilities: Abilities) -> Found:
    # 8.2.2.1.
    return None if request.target.scheme in abilities.schemes else (416, {})


def _extensions(request: Request, abilities: Abilities) -> Found:
    # 8.2.2.3: not for CANCEL, which is about a request that was taken.
    required = [tag.lower() for tag in request.tokens("Require")]
    strange = [tag for tag in required if tag not in abilities.extensions]
    if not strange or request.method == "CANCEL":
        return None
    return 420, {"Unsupported": ", ".join(strange)}


def _body(request: Request, abilities: Abilities) -> Found:
    # 8.2.3. RFC 3204 section 6: a body that its sender calls optional may be ignored.
    if not request.body or _is_optional(request.headers.get("Content-Disposition")):
        return None
    encodings = [item for item in request.tokens("Content-Encoding") if item.lower() != "identity"]
    if encodings:
        return 415, {"Accept-Encoding": "identity"}
    kind = request.content_type
    # 7.4.1: a body has a type. Those without are from before that.
    if kind is None or kind in abilities.media_types:
        return None
    return 415, {"Accept": ", ".join(abilities.media_types)}


def _is_optional(disposition: str | None) -> bool:
    return disposition is not None and "handling=optional" in disposition.lower().replace(" ", "")


def _accept(request: Request, abilities: Abilities) -> Found:
    # 20.1: who asks for a session and does not take session descriptions cannot be served.
    ranges = request.typed_list("Accept", MediaType.parse)
    if request.method != "INVITE" or not ranges:
        return None
    fit = {"*/*", "application/*", "application/sdp"}
    return None if any(one.type in fit for one in ranges) else (406, {})
