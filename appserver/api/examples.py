"""An example of every body and every answer of the public API, by its model; a test holds each to its schema."""

from __future__ import annotations

from typing import Any

from confero.models import joining
from confero.models import meetings as m
from confero.models.signalling import Opening

from ..passing import ASK, TOLD
from .accountexamples import ACCOUNT_EXAMPLES
from .recordexamples import RECORD_EXAMPLES
from .rooms import EITHER
from .sipexamples import SIP_EXAMPLES

AT = 1_795_944_000.0
ROOM = {
    "id": "mellow-otter-2719", "name": "Team meeting", "max_participants": 25, "talkers": 6, "noise_dbov": None, "announce": True,
    "participants": 2, "join_url": "https://meet.example.org/r/mellow-otter-2719", "permanent": True, "pin_needed": True,
    "lobby": True, "host_first": False, "speak": "all", "locked": False,
}  # fmt: skip
DETAIL = ROOM | {
    "created_at": AT - 86_400, "used_at": AT, "owner": "ada", "mine": "owner", "pin": "4711", "host_pin": "90210",
    "number": "271943805", "invitation": None,
}  # fmt: skip
"""Of a room, as its owner sees it."""
STATE = {
    "version": 12, "locked": False, "lobby": True, "speak": "request", "started_at": AT, "spotlight": None,
    "hands": [{"participant": "p_7d1mB0qk2Wc", "since": AT + 300}], "speakers": [], "waiting": 1,
}  # fmt: skip
MESSAGE = {
    "id": 17, "at": AT + 310, "participant": "p_7d1mB0qk2Wc", "display_name": "Grace", "text": "I have the figures.", "nonce": "n1",
}  # fmt: skip
WAITING = {"participant": "p_Qm3xR8v0aTz", "display_name": "Linus", "kind": "webrtc", "since": AT + 290}
INVITATION = {
    "id": "inv_Jx0aP4", "role": "guest", "note": "Suppliers", "created_at": AT, "created_by": "ada", "expires_at": AT + 604_800,
    "max_uses": 5, "uses": 0, "revoked": False,
}  # fmt: skip
ICE = {"urls": ["turn:meet.example.org:14049?transport=udp"], "username": "1795947600:p", "credential": "c2VjcmV0"}
SECRET = "rT5-invitation-secret-0Wn"
MEMBER = {"user": "u_8kPz2c", "login": "grace", "display_name": "Grace Hopper", "role": "host"}

ROOM_EXAMPLES: dict[Any, Any] = {
    joining.RoomCreate: {"name": "Team meeting", "max_participants": 25, "pin": "4711", "lobby": True, "number": "auto"},
    joining.RoomPatch: {"lobby": False, "pin": ""},
    joining.RoomDetail: DETAIL,
    joining.RoomPage: {"items": [DETAIL], "next": None},
    EITHER: ROOM,
    joining.JoinRequest: {"display_name": "Grace", "pin": "4711"},
    joining.JoinReply: {
        "token": "eyJhbGciOi.join.token", "token_expires": AT + 600, "participant": "p_7d1mB0qk2Wc", "room": ROOM,
        "events_path": "/events", "calls_out": False,
        "ice_servers": [ICE],
        "ice_ttl_s": 3600.0, "ice_policy": "all", "role": "guest", "waiting": False, "meeting": STATE, "chat": [MESSAGE],
    },
    joining.SiteInfo: {"calls_out": False},
    joining.NetworkTest: {"ice_servers": [ICE], "ice_policy": "all"},
    Opening: {"resume": "ses_1", "seen": [{"topic": "room:mellow-otter-2719", "epoch": "ep_1", "seq": 57}]},
    ASK: {"type": "mute", "id": 1, "muted": True},
    TOLD: {"type": "ok", "id": 1},
    m.InvitationCreate: {"role": "guest", "max_uses": 5, "note": "Suppliers", "expires_at": AT + 604_800},
    m.InvitationMade: INVITATION | {
        "secret": SECRET, "url": f"https://meet.example.org/r/mellow-otter-2719#invitation={SECRET}",
    },
    m.InvitationList: {"items": [INVITATION]},
    m.MemberPut: {"role": "host"},
    m.MemberInfo: MEMBER,
    m.MemberList: {"items": [MEMBER]},
    m.DialIn: {
        "numbers": ["+49 30 5550100"], "room_number": "271943805", "pin_needed": True, "pin": "4711",
        "sip_uri": "sip:mellow-otter-2719@meet.example.org",
    },
}  # fmt: skip
MEETING_EXAMPLES: dict[Any, Any] = {
    m.MeetingState: STATE,
    m.MeetingPatch: {"speak": "request", "spotlight": "p_7d1mB0qk2Wc"},
    m.MuteAll: {"hosts_too": False},
    m.Muted: {"muted": 7},
    m.HandPut: {"raised": True},
    m.ParticipantPatch: {"muted": True},
    m.ParticipantMove: {"room": "quiet-heron-0412"},
    m.LobbyList: {"items": [WAITING]},
    m.Admitted: {"admitted": 1},
    m.ChatSend: {"text": "I have the figures.", "nonce": "n1"},
    m.ChatMessage: MESSAGE,
    m.ChatPage: {"items": [MESSAGE], "next": None},
    m.ReactionSend: {"emoji": "👏"},
}
EXAMPLES = ROOM_EXAMPLES | MEETING_EXAMPLES | ACCOUNT_EXAMPLES | RECORD_EXAMPLES | SIP_EXAMPLES
