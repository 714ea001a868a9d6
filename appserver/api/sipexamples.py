"""Examples of bodies and answers about telephones, by their models."""

from __future__ import annotations

from typing import Any

from confero.models import calls, sip
from confero.models import sipadmin as s

AT = 1_795_944_000.0
CALL = {
    "id": "c_9hZk31", "direction": "out", "room": "mellow-otter-2719", "participant": "p_Tel04x", "owner": "p_7d1mB0qk2Wc",
    "name": "+49 30 5550123", "state": "ringing", "status": 180, "reason": "Ringing", "user_data": "", "headers": {},
}  # fmt: skip
ACCOUNT = {
    "id": 1, "user": "desk-12", "realm": "meet.example.org", "display_name": "Desk 12", "allow_md5_without_qop": False,
    "may_call_out": True, "call_out_patterns": ["0."], "calls_per_hour": 20, "media_security": "optional",
    "key_exchange": "sdes", "symmetric": False, "enabled": True, "created_at": AT,
}  # fmt: skip
TRUNK = {
    "name": "carrier", "servers": [{"uri": "sip:sip.carrier.example;transport=tls", "priority": 10}],
    "registrar": "sip:sip.carrier.example", "registers": True, "transport": "tls", "domain": "", "user": "4930555", "auth_user": "",
    "realm": "", "has_secret": True, "expires": 600, "sources": [], "caller_id": "fixed", "caller_number": "+49305550100",
    "media_security": "optional", "symmetric": True, "options_s": 30, "enabled": True,
}  # fmt: skip
RULE = {
    "id": 1, "position": 100, "direction": "out", "source": "browser", "source_name": "", "pattern": "0.", "domain": "",
    "action": "trunk", "target": "carrier", "strip": 1, "prepend": "+49", "skip_missing": False, "status": 403, "enabled": True,
    "note": "National calls",
}  # fmt: skip
NUMBER = {"number": "271943805", "room": "mellow-otter-2719", "has_pin": True, "created_at": AT}
LOGGED = {
    "id": "c_9hZk31", "direction": "out", "from_uri": "sip:+49305550100@meet.example.org",
    "to_uri": "sip:+49305550123@sip.carrier.example", "trunk": "carrier", "account": "", "room": "mellow-otter-2719",
    "participant": "p_Tel04x", "started_at": AT, "answered_at": AT + 6, "ended_at": AT + 96, "status": 200, "reason": "OK",
    "mos": 4.2,
}  # fmt: skip
STEP = {"at": AT, "sent": True, "peer": "198.51.100.9:5061", "text": "INVITE sip:+49305550123@sip.carrier.example"}

SIP_EXAMPLES: dict[Any, Any] = {
    calls.CallOut: {"to": "+49 30 5550123"},
    calls.CallInfo: CALL,
    calls.CallEnd: {"user_data": "bye"},
    calls.CallDigits: {"digits": "271943805#", "ms": 100},
    calls.RingAnswer: {"action": "accept"},
    s.SipAccountCreate: {
        "user": "desk-12", "realm": "meet.example.org", "password": "seven lanterns", "display_name": "Desk 12",
        "may_call_out": True, "call_out_patterns": ["0."],
    },
    s.SipAccountPatch: {"enabled": False},
    s.SipAccountInfo: ACCOUNT,
    s.SipAccountPage: {"items": [ACCOUNT], "next": None},
    s.SipTrunkCreate: {
        "name": "carrier", "servers": [{"uri": "sip:sip.carrier.example;transport=tls"}], "registrar": "sip:sip.carrier.example",
        "registers": True, "transport": "tls", "user": "4930555", "secret": "copper river",
    },
    s.SipTrunkPatch: {"enabled": False},
    s.SipTrunkInfo: TRUNK,
    s.SipTrunkPage: {"items": [TRUNK], "next": None},
    s.DialRuleCreate: {
        "position": 100, "direction": "out", "source": "browser", "pattern": "0.", "action": "trunk", "target": "carrier",
        "strip": 1, "prepend": "+49", "note": "National calls",
    },
    s.DialRulePatch: {"position": 90},
    s.DialRuleInfo: RULE,
    s.DialRulePage: {"items": [RULE], "next": None},
    s.SipNumberCreate: {"room": "mellow-otter-2719", "pin": "4711"},
    s.SipNumberPatch: {"pin": None},
    s.SipNumberInfo: NUMBER,
    s.SipNumberPage: {"items": [NUMBER], "next": None},
    sip.SipCallPage: {"items": [LOGGED], "next": None},
    sip.SipCallDetail: LOGGED | {"ladder": [STEP], "media": {"codec": "PCMA", "loss_in": 0.0}},
}  # fmt: skip
