"""Examples of bodies and answers about accounts, by their models."""

from __future__ import annotations

from typing import Any

from confero.models import accounts as a

AT = 1_795_944_000.0
SECRET = "k2-one-time-secret-Zq8"
PASSWORD = "copper river seven lanterns"
USER = {
    "id": "u_3vTq9s", "login": "ada", "display_name": "Ada Lovelace", "mail": "ada@example.org", "role": "user", "enabled": True,
    "created_at": AT - 900_000, "signed_in_at": AT,
}  # fmt: skip
DEVICE = {
    "id": "ses_k2Lw8Q", "created_at": AT - 7200, "used_at": AT, "source": "192.0.2.7", "agent": "Firefox on Linux", "current": True,
}  # fmt: skip
KEY = {
    "id": "key_Y7bn1D", "name": "Room panel", "scopes": ["rooms:read", "rooms:write"], "created_at": AT, "expires_at": None,
    "used_at": None, "hint": "ck_f00d",
}  # fmt: skip
NOTE = {
    "id": 421, "at": AT, "actor": "ada", "source": "192.0.2.7", "action": "session.begin", "target": "u_3vTq9s", "detail": "",
}  # fmt: skip

ACCOUNT_EXAMPLES: dict[Any, Any] = {
    a.SetupRequest: {"secret": SECRET, "login": "ada", "display_name": "Ada Lovelace", "password": PASSWORD},
    a.SignUp: {"login": "ada", "display_name": "Ada Lovelace", "password": PASSWORD, "mail": "ada@example.org"},
    a.SignIn: {"login": "ada", "password": PASSWORD},
    a.SessionInfo: {
        "user": USER, "csrf": "9c1f-the-page-sends-it-back", "setup_needed": False, "sign_up": True, "mail": True,
        "password_min": 15,
    },
    a.EventsToken: {"token": "eyJ1c2VyIjoidV8zdlRxOXMifQ.k2Lw8QZq8", "expires_at": AT + 600},
    a.ResetRequest: {"login": "ada"},
    a.ResetUse: {"secret": SECRET, "password": PASSWORD},
    a.UserInfo: USER,
    a.MePatch: {"display_name": "Ada King"},
    a.PasswordChange: {"current": PASSWORD, "new": "seven lanterns over copper"},
    a.AccountEnd: {"password": PASSWORD},
    a.DeviceList: {"items": [DEVICE]},
    a.KeyCreate: {"name": "Room panel", "scopes": ["rooms:read", "rooms:write"]},
    a.KeyMade: KEY | {"key": "ck_f00d5d8a0c7e41b2"},
    a.KeyList: {"items": [KEY]},
    a.UserCreate: {"login": "grace", "display_name": "Grace Hopper", "role": "moderator", "mail": "grace@example.org"},
    a.UserPatch: {"role": "admin", "enabled": True},
    a.UserPage: {"items": [USER], "next": "WyJhZGEiXQ"},
    a.ResetLink: {"url": f"https://meet.example.org/reset#{SECRET}", "expires_at": AT + 86_400},
    a.AuditPage: {"items": [NOTE], "next": None},
}  # fmt: skip
