"""Who may do what: one table of rules, from which the guard, docs/authorisation.md and the matrix of tests are made.

A *rule* is named by each route (``Route.rule``). It lists the *relations* that may: what an actor is to what is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from confero.models.accounts import Scope

Relation = Literal["anyone", "participant", "room-host", "user", "member", "owner", "moderator", "admin"]
RELATIONS: dict[Relation, str] = {
    "anyone": "whoever asks, with proof or without",
    "participant": "somebody in the room, by the token of a join",
    "room-host": "a host of the room: by the token of a join, or by account (a member who is a host, or its owner)",
    "user": "whoever is signed in, or shows a key",
    "member": "an account that is a member of the room",
    "owner": "the account to which the room, record, key or session belongs",
    "moderator": "an account with the role moderator",
    "admin": "an account with the role admin, or the installation's admin token",
}


@dataclass(frozen=True)
class Rule:
    """``may``: any of them. ``scope``: what an API key needs for it; None: no key may."""

    may: frozenset[Relation]
    scope: Scope | None
    what: str
    judged: bool = True
    """False: what is shown is read by the service to which the request is passed on."""


def _rule(what: str, scope: Scope | None, *may: Relation) -> Rule:
    return Rule(frozenset(may), scope, what)


RULES: dict[str, Rule] = {
    # accounts
    "setup": _rule("Make the first administrator, by the printed link", None, "anyone"),
    "session.read": _rule("See who is signed in", None, "anyone"),
    "session.begin": _rule("Sign in", None, "anyone"),
    "session.end": _rule("Sign out", None, "anyone"),
    "accounts.create": _rule("Make an account for oneself, where that is open", None, "anyone"),
    "resets.ask": _rule("Ask for a reset by mail", None, "anyone"),
    "resets.use": _rule("Set a new password by a one-time link", None, "anyone"),
    "me.read": _rule("See one's own account", "rooms:read", "user"),
    "me.events": _rule("Hear of changes to what is one's own", "rooms:read", "user"),
    "me.change": _rule("Change one's own account, password or sessions; end it", None, "user"),
    "me.keys": _rule("See, make and take back one's own API keys", None, "user"),
    "users.read": _rule("See all accounts", "admin", "admin"),
    "users.change": _rule("Make, change, delete accounts; end their sessions; make reset links", "admin", "admin"),
    "audit.read": _rule("Read the audit log", "admin", "admin"),
    # rooms
    "events.connect": Rule(frozenset({"anyone"}), None, "Connect for events, or for SIP; who it is is asked there", judged=False),
    "site.read": _rule("See what the site offers, and its API", None, "anyone"),
    "site.network": _rule("Try the relays before joining", "rooms:read", "anyone"),
    "rooms.create": _rule("Make a room (guests: where the configuration lets them)", "rooms:write", "anyone"),
    "rooms.list": _rule("List one's own rooms", "rooms:read", "user", "admin"),
    "rooms.list-all": _rule("List everybody's rooms", "rooms:read", "moderator", "admin"),
    "rooms.look": _rule("See what everybody sees of a room whose link they have", "rooms:read", "anyone"),
    "rooms.read": _rule("See a room's settings and PINs", "rooms:read", "owner", "room-host", "moderator", "admin"),
    "rooms.change": _rule("Change a room's settings", "rooms:write", "owner", "admin"),
    "rooms.delete": _rule("Delete a room", "rooms:write", "owner", "admin"),
    "rooms.join": _rule("Ask for a place in a room; its own rules decide", "rooms:read", "anyone"),
    "rooms.dial-in": _rule("See how telephones come in", "rooms:read", "participant", "member", "owner", "moderator", "admin"),
    "members.read": _rule("See a room's members", "rooms:read", "owner", "room-host", "admin"),
    "members.change": _rule("Change a room's members", "rooms:write", "owner", "admin"),
    "invitations.read": _rule("See a room's invitations", "rooms:read", "owner", "room-host", "admin"),
    "invitations.change": _rule("Make and take back invitations", "rooms:write", "owner", "room-host", "admin"),
    # in a meeting
    "meeting.read": _rule("See a meeting's state", "rooms:read", "participant", "room-host", "moderator", "admin"),
    "meeting.moderate": _rule(
        "Admit, refuse, mute, remove, move, promote, spotlight, lock, end for all", "meetings:moderate",
        "room-host", "moderator", "admin",
    ),
    "hand.put": _rule("Raise or lower one's own hand; react", None, "participant"),
    "chat.read": _rule("Read the chat", "rooms:read", "participant", "room-host", "moderator", "admin"),
    "chat.send": _rule("Write to the chat", None, "participant"),
    "chat.delete": _rule("Delete a message", "meetings:moderate", "room-host", "moderator", "admin"),
    "calls.make": _rule("Call a telephone into the room (the configuration says who)", None, "participant"),
    "calls.read": _rule("See a telephone of the room", None, "participant"),
    "calls.change": _rule("Hang up, send keys: whoever has called, or a host", None, "participant"),
    "calls.answer": _rule("Take or decline a call that rings", None, "participant"),
    # records and the farm
    "meetings.list": _rule(
        "List records of meetings in one's own rooms, or that one was in", "records:read", "user", "moderator", "admin"
    ),
    "meetings.list-all": _rule("List everybody's records", "records:read", "moderator", "admin"),
    "meetings.record": _rule("Read a record", "records:read", "owner", "member", "moderator", "admin"),
    "meetings.delete": _rule("Delete a record", None, "owner", "admin"),
    "farm.read": _rule("See media servers and what is live", "admin", "moderator", "admin"),
    "farm.change": _rule("Drain a media server", "admin", "admin"),
    "sip.admin": _rule("Administer telephony", "admin", "admin"),
}  # fmt: skip
