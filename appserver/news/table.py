"""Which requests change what pages show: by the rule of authorisation under which their route stands."""

from __future__ import annotations

from typing import Literal

What = Literal["rooms", "members", "invitations", "lobby", "live", "calls", "records"]
CHANGES: dict[str, What] = {
    "rooms.create": "rooms",
    "rooms.change": "rooms",
    "rooms.delete": "rooms",
    "rooms.join": "lobby",
    "members.change": "members",
    "invitations.change": "invitations",
    "meeting.moderate": "lobby",
    "calls.make": "calls",
    "calls.change": "calls",
    "calls.answer": "calls",
    "meetings.delete": "records",
}
SIGN_OUT = frozenset({"session.end", "me.change", "users.change"})
"""After these an account may be signed out somewhere, or everywhere."""
LAST_WORDS = frozenset({"rooms.delete", "members.change"})
"""After these nobody could say any more whom they concern."""
