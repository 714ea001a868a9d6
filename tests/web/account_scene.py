"""A pretended installation in which every page has something to show: for tests of how pages look, and for pictures of them."""

from __future__ import annotations

import time

from confero.models.accounts import AuditEntry, DeviceInfo, KeyInfo
from confero.models.history import LiveRoom, McuInfo, StayInfo
from confero.models.meetings import InvitationInfo, MemberInfo
from confero.models.sipadmin import DialRuleCreate

from .account_backend import AccountBackend
from .account_world import World

LONG = "A name that is so long that no row of any width will ever hold it on one line"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1"
DAY_S = 86_400
RULES: tuple[dict[str, object], ...] = (
    {"position": 1000, "direction": "in", "pattern": ".", "action": "room"},
    {"position": 1010, "direction": "in", "source": "account", "pattern": ".", "action": "user"},
    {
        "position": 20,
        "direction": "in",
        "source": "trunk",
        "source_name": "provider",
        "pattern": "+49309018XX",
        "action": "menu",
        "note": "The numbers of the house",
    },
    {
        "position": 10,
        "direction": "in",
        "source": "account",
        "pattern": "0.",
        "action": "trunk",
        "target": "provider",
        "strip": 1,
        "prepend": "+49",
    },
    {"position": 5, "direction": "in", "source": "unknown", "pattern": "900.", "action": "reject", "enabled": False},
)
"""Of the dial plan, out of their order: the first two stand there out of the box."""


def furnish(backend: AccountBackend) -> None:
    """An administrator is signed in; there are users, rooms, records, media servers."""
    now = time.time()
    ada = backend.account("ada", "Ada Lovelace", role="admin", mail="ada@example.org", signed_in_at=now - 60)
    grace = backend.account(
        "grace", "Grace Hopper", role="moderator", mail="grace@example.org", signed_in_at=now - 5400
    )
    backend.account("mary", "Mary Jackson", enabled=False)
    backend.account("long.name@example.org", LONG[:64])
    backend.sign_in(ada)
    own(backend.world, now)
    audit(backend.world, now)
    rooms(backend)
    backend.world.members["team-standup"][grace.id] = MemberInfo(
        user=grace.id, login="grace", display_name="Grace Hopper", role="host"
    )
    farm(backend.world, now)
    telephony(backend.world, now)
    records(backend, now)


def own(world: World, now: float) -> None:
    """Devices and keys of the signed-in one."""
    world.devices = [
        DeviceInfo(id="d1", created_at=now, used_at=now, source="198.51.100.7", agent=FIREFOX, current=True),
        DeviceInfo(id="d2", created_at=now - DAY_S, used_at=now - 7200, source="2001:db8::7", agent=IPHONE),
    ]
    world.keys = [
        KeyInfo(
            id="k1",
            name="Room panel, 2nd floor",
            scopes=["rooms:read", "rooms:write"],
            created_at=now - DAY_S,
            used_at=now - 300,
            hint="ck_8d2f",
        ),
        KeyInfo(
            id="k2",
            name="Billing",
            scopes=["records:read"],
            created_at=now,
            expires_at=now + 60 * DAY_S,
            hint="ck_02ab",
        ),
    ]


def audit(world: World, now: float) -> None:
    world.audit = [
        AuditEntry(
            id=3,
            at=now - 60,
            actor="ada",
            source="198.51.100.7",
            action="users.change",
            target="mary",
            detail="enabled false",
        ),
        AuditEntry(id=2, at=now - 90, actor="-", source="203.0.113.9", action="session.refused", target="root"),
        AuditEntry(
            id=1,
            at=now - DAY_S,
            actor="key ck_8d2f of ada",
            source="198.51.100.20",
            action="rooms.create",
            target="standup",
        ),
    ]


def farm(world: World, now: float) -> None:
    """Media servers in each state, and what goes on on them."""

    def server(number: int, state: str, used: float, rooms: int, legs: int, seen_s: float) -> McuInfo:
        given = {"state": state, "used": used, "rooms": rooms, "legs": legs, "seen_s": seen_s}
        place = {"id": f"mcu-{number}", "url": f"http://10.0.0.1{number}:2131", "capacity": 400, "version": "0.6.0"}
        return McuInfo.model_validate({**place, **given})

    servers = (
        server(1, "up", 92, 7, 92, 0.4),
        server(2, "draining", 12.5, 1, 12, 0.7),
        server(3, "lost", 0, 0, 0, 340),
    )
    world.mcus = {one.id: one for one in servers}
    world.live = [
        LiveRoom(
            room="team-standup",
            room_name="Team standup",
            mcu="mcu-1",
            started_at=now - 720,
            participants=6,
            waiting=1,
            owner="ada",
        )
    ]


def telephony(world: World, now: float) -> None:
    world.telephony.shown = {
        "trunks": [
            {"name": "provider", "servers": [{"uri": "sip:trunk.example.net"}], "transport": "tls", "enabled": True}
        ],
        "numbers": [{"number": "4711", "room": "team-standup", "has_pin": True, "created_at": now}],
        "accounts": [],
    }
    for values in RULES:
        world.telephony.add(DialRuleCreate.model_validate(values))


def rooms(backend: AccountBackend) -> None:
    now = time.time()
    world = backend.world
    world.room(
        "Team standup",
        participants=6,
        permanent=True,
        pin="2468",
        pin_needed=True,
        lobby=True,
        number="4711",
        owner="ada",
        host_pin="97531",
    )
    world.room("Board", permanent=True, locked=True, host_first=True, speak="request", owner="ada")
    world.room(LONG[:60], mine="guest", owner="grace")
    world.room("Interviews", mine="host", owner="grace")
    world.invitations["team-standup"] = [
        InvitationInfo(
            id="i1",
            role="guest",
            note="Customer demo",
            created_at=now - 3600,
            created_by="ada",
            expires_at=now + 6 * DAY_S,
            max_uses=20,
            uses=3,
        ),
        InvitationInfo(
            id="i2",
            role="host",
            note="",
            created_at=now - 2 * DAY_S,
            created_by="grace",
            expires_at=None,
            max_uses=1,
            uses=1,
        ),
    ]


def records(backend: AccountBackend, now: float) -> None:
    def stay(name: str, begin: float, end: float, **fields: object) -> StayInfo:
        given = {
            "role": "guest",
            "kind": "webrtc",
            "reason": "left",
            "codec": "opus",
            "security": "dtls-srtp",
            **fields,
        }
        return StayInfo.model_validate(
            {
                "participant": f"par_{abs(int(begin))}",
                "display_name": name,
                "joined_at": now + begin,
                "left_at": now + end,
                **given,
            }
        )

    good = {"loss_in": 0.002, "loss_out": 0.0, "jitter_in_ms": 4.2, "jitter_out_ms": 3.1, "mos_in": 4.3, "mos_out": 4.4}
    bad = {
        "loss_in": 0.11,
        "loss_out": 0.06,
        "jitter_in_ms": 48.0,
        "jitter_out_ms": 31.0,
        "mos_in": 2.6,
        "mos_out": 3.7,
    }
    stays = [
        stay("Ada Lovelace", -9000, -6300, role="host", reason="ended", **good),
        stay("Grace Hopper", -8950, -6300, reason="ended", **good),
        stay("+49 30 1234567", -8800, -6900, kind="rtp", codec="PCMA", reason="bye", **bad),
        stay(LONG[:64], -8700, -8690, reason="ice-timeout", codec=""),
    ]
    backend.world.meeting("Team standup", now - 9000, 2700, stays, mos=4.1, reason="ended")
    backend.world.meeting("Board", now - 2 * DAY_S, 5400, stays[:2], mos=4.35)
    backend.world.meeting("Interviews", now - 9 * DAY_S, 1500, stays[1:3], mos=3.2, reason="lost")
    backend.world.meeting(LONG[:60], now - 12 * DAY_S, 40, stays[:1])
