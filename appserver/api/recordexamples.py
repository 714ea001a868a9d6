"""Examples of bodies and answers about records and media servers, by their models."""

from __future__ import annotations

from typing import Any

from confero.models import history as h

AT = 1_795_944_000.0
MEETING = {
    "id": "m_5s0Qw2", "room": "mellow-otter-2719", "room_name": "Team meeting", "started_at": AT, "ended_at": AT + 1800,
    "reason": "ended", "participants": 3, "most": 3, "mos": 4.3,
}  # fmt: skip
STAY = {
    "participant": "p_7d1mB0qk2Wc", "display_name": "Grace", "role": "guest", "kind": "webrtc", "user": None, "joined_at": AT + 12,
    "left_at": AT + 1800, "reason": "closed", "codec": "opus", "security": "dtls", "loss_in": 0.001, "loss_out": 0.0,
    "jitter_in_ms": 2.1, "jitter_out_ms": 1.7, "mos_in": 4.3, "mos_out": 4.3, "call": None,
}  # fmt: skip
MCU = {
    "id": "mcu-1", "url": "http://10.0.0.5:2131", "state": "up", "capacity": 1000, "used": 42.0, "rooms": 6, "legs": 42,
    "drained": False, "seen_s": 0.4, "version": "0.6.0",
}  # fmt: skip
LIVE = {
    "room": "mellow-otter-2719", "room_name": "Team meeting", "mcu": "mcu-1", "started_at": AT, "participants": 3, "waiting": 1,
    "owner": "ada",
}  # fmt: skip

RECORD_EXAMPLES: dict[Any, Any] = {
    h.MeetingPage: {"items": [MEETING], "next": None},
    h.MeetingDetail: MEETING | {"stays": [STAY]},
    h.McuInfo: MCU,
    h.McuList: {"items": [MCU]},
    h.McuPatch: {"draining": True},
    h.LiveList: {"items": [LIVE]},
}
