"""What the description of the public API says beside its routes and models: tags, proofs, parameters, examples, notes."""

from __future__ import annotations

from typing import Any

from confero.runtime.http import Route
from confero.runtime.openapi import Note, Words

from ..rights.schemes import SCHEMES, refusals, ways, who
from ..rights.table import RULES
from .examples import EXAMPLES
from .once import ERRORS, HEADER, repeatable

INTRODUCTION = """Rooms, people, meetings, telephones and records of a confero installation: everything that its pages can do.

- Bodies are JSON; times are Unix seconds; ids are opaque.
- Unknown fields of a request are refused; those of an answer are to be ignored, new ones may come.
- Errors are problem details (RFC 9457). What follows `urn:confero:problem:` in `type` is the code to tell them apart by;
  `errors` names each field that is not valid.
- Lists come by pages: `next` of an answer, if it is not null, is the `page` (under `/api/v1/sip`: `after`) of the next request.
- 429 and 503 may carry `Retry-After`, in seconds.
- Who may do what is said with each operation. Whatever is shown as proof and is no good is refused, never ignored.
"""
TAGS = {
    "Signing in": "The first administrator, making an account, signing in and out, forgotten passwords.",
    "Own account": "What somebody does with their own account: name, password, devices, API keys.",
    "Rooms": "Made, found, changed, joined; their members, invitations and numbers for telephones.",
    "Meetings": "What happens in a room while people are there: state, lobby, moderation, hands, chat.",
    "Telephones": "Calls from a meeting to telephones, and calls that ring on the page.",
    "Records": "Who met when, for how long, and how they heard each other.",
    "Accounts": "For administrators: everybody's accounts, and the audit log.",
    "Media servers": "For administrators: the farm, and what is live.",
    "Telephony": "For administrators: SIP accounts, trunks, dial plan, numbers, calls.",
    "Site": "What this installation offers; connections for events and for SIP.",
}
TAG_OF = {
    **dict.fromkeys(("setup", "session", "accounts", "resets"), "Signing in"),
    **dict.fromkeys(("users", "audit"), "Accounts"),
    **dict.fromkeys(("rooms", "members", "invitations"), "Rooms"),
    **dict.fromkeys(("meeting", "hand", "chat"), "Meetings"),
    **dict.fromkeys(("events", "site"), "Site"),
    "me": "Own account",
    "calls": "Telephones",
    "meetings": "Records",
    "farm": "Media servers",
    "sip": "Telephony",
}
"""By the first word of a rule."""


def _text(description: str, example: str, pattern: str = "^[A-Za-z0-9_-]{1,64}$") -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string", "pattern": pattern}, "example": example}


PARAMETERS: dict[str, dict[str, Any]] = {
    "room": _text("The room's id, as in its link.", "mellow-otter-2719"),
    "participant": _text("Somebody in the room, or in its lobby.", "p_7d1mB0qk2Wc"),
    "invitation": _text("Its id, not its secret.", "inv_Jx0aP4"),
    "message": _text("A message of the chat, by its number.", "17", "^[0-9]{1,9}$"),
    "user": _text("An account, by its id; as a member also by its login.", "u_3vTq9s", "^[A-Za-z0-9._@+-]{1,128}$"),
    "listening": _text("A session of events, as its `welcome` names it.", "ses_1"),
    "session": _text("A browser that is signed in.", "ses_k2Lw8Q"),
    "key": _text("An API key's id.", "key_Y7bn1D"),
    "call": _text("A call; in a room also the telephone's id as a participant.", "c_9hZk31"),
    "meeting": _text("A record.", "m_5s0Qw2"),
    "mcu": _text("A media server.", "mcu-1"),
    "id": _text("As the row of the list has it.", "1"),
    "name": _text("The trunk's name.", "carrier"),
    HEADER: _text(
        "Of the sender's choice, a new one for each wish: sent again with it within 24 h, the request is done once. Wants a proof.",
        '"6e3b0d1c-3f0e-4a39-9d0f-0b2f7a3c1d55"',
        r'^"?[!#-\[\]-~]{1,128}"?$',
    ),
    "number": _text("The number that telephones key.", "271943805", "^[0-9]{1,20}$"),
}
NOTES: dict[tuple[str, str], str] = {
    ("POST", "/api/v1/rooms"): "Who has no account is given `invitation`, which makes them a host of the room when they join.",
    ("GET", "/api/v1/rooms/{room}"): "Whoever has no right to its settings sees what everybody may know who has its link.",
    ("POST", "/api/v1/rooms/{room}/join"): (
        "The answer's `token` opens the events WebSocket and is the proof of the participant for everything in the room. "
        "`waiting` true: connect for events, and join again with the token as `previous_token` when `admitted` has come."
    ),
    ("POST", "/api/v1/session"): "Sets the session's cookie. For programs, API keys are the better way.",
    ("GET", "/events"): "Takes `hello` with the token of a join as its first message: docs/wire.md.",
    **dict.fromkeys(
        (("POST", "/events/stream"), ("POST", "/events/poll"), ("POST", "/events/sessions/{listening}")),
        "The token of a join, or of `POST /api/v1/me/events`, stands in `Authorization: Bearer`: docs/notifications.md.",
    ),
    ("GET", "/sip"): "For telephones in browsers, which register as SIP accounts do.",
    ("PATCH", "/api/v1/rooms/{room}/participants/{participant}"): (
        "A browser can be muted by others, but opens its microphone itself: `muted` false asks for that."
    ),
    ("POST", "/api/v1/password-resets"): "Answered in the same way and time whether there is such an account or not.",
    ("POST", "/api/v1/me/keys"): "The answer's `key` is shown this once.",
}  # fmt: skip
"""What a summary has no place for."""


def words() -> Words:
    return Words(INTRODUCTION, TAGS, SCHEMES, PARAMETERS, EXAMPLES, note_of)


def note_of(route: Route) -> Note:
    """From the rule of the route. Raises KeyError for one without: the guard has refused it before."""
    rule = RULES[route.rule]
    own = NOTES.get((route.method, route.path), "")
    return Note(
        tag=TAG_OF[route.rule.partition(".")[0]],
        description="\n\n".join(text for text in (own, who(rule)) if text),
        security=ways(rule, route.method),
        errors=(*_refusals(route), *(ERRORS if repeatable(route) else ())),
        headers=(HEADER,) if repeatable(route) else (),
    )


def _refusals(route: Route) -> tuple[str, ...]:
    """Of records, who may not read them is not told that they are there."""
    found = refusals(RULES[route.rule], route.method)
    return tuple(one for one in found if one != "403 not-allowed" or "{meeting}" not in route.path)
