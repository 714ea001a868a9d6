"""Every public route asked by every kind of actor: who the table says may gets through, and nobody else.

The routes are those of the application, behind its own guard, gate, relations and database; only their handlers are put aside, so
that asking for everything destroys nothing.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from aiohttp import web

from confero.appserver.accounts.entities import Note, User
from confero.appserver.publicsite import make_guard
from confero.appserver.rights.guard import actor_of
from confero.appserver.rights.table import RELATIONS, RULES, Relation, Rule
from confero.clock import SystemClock
from confero.models.accounts import AccountRole, KeyCreate, Scope
from confero.runtime.http import HttpApp, Listener, Route

from ..conftest import SiteMaker
from ..site import SECRET, Site

GUARDS = frozenset({"sign-in-needed", "not-allowed", "scope-missing", "token-invalid", "meeting-unknown"})
IN_ROOMS: frozenset[Relation] = frozenset({"participant", "room-host", "member", "owner"})
"""To a room: nothing where the path names none."""
ALL_SCOPES: list[Scope] = ["rooms:read", "rooms:write", "meetings:moderate", "records:read", "admin"]


@dataclass(frozen=True)
class Asker:
    """Somebody who asks: what they show, and what they are to the room of the test."""

    name: str
    headers: dict[str, str]
    relations: frozenset[Relation]
    scopes: frozenset[Scope] | None = None
    participant: bool = False

    def may(self, rule: Rule, path: str) -> bool:
        """By the table alone."""
        mine = self.relations if "{room}" in path else self.relations - IN_ROOMS
        if self.participant and "{room}" not in path:
            mine |= {"participant"}
        allowed = bool(rule.may & (mine | {"anyone"}))
        return allowed and (self.scopes is None or (rule.scope is not None and rule.scope in self.scopes))


class Cast:
    """Makes the askers."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._desk = site.app.accounts.desk
        self.room = ""

    async def account(self, login: str, role: AccountRole = "user") -> dict[str, str]:
        now = SystemClock().wall()
        user = User(f"u_{login}", login, login, now, role)
        assert await self._desk.store.add_user(user, Note(now, "-", "", "test"), limit=100) == "added"
        cookie, session = await self._desk.sessions.begin(user, "127.0.0.1", "tests")
        return {"Cookie": f"__Host-confero={cookie}", "X-CSRF-Token": session.csrf}

    async def key(self, cookie: dict[str, str], scopes: list[Scope]) -> dict[str, str]:
        found = await self._desk.by_session(cookie["Cookie"].partition("=")[2], "127.0.0.1")
        assert found is not None
        secret, _ = await self._desk.keys.make(found[0], KeyCreate(name="k", scopes=scopes))
        return {"Authorization": f"Bearer {secret}"}

    async def join(self, room: str, **more: Any) -> dict[str, str]:
        return {"Authorization": f"Bearer {(await self._site.join(room=room, **more))['token']}"}

    async def make(self) -> list[Asker]:
        """A room with everybody that there is around it."""
        site, owner = self._site, await self.account("owner")
        status, room = await site.call("POST", "/api/v1/rooms", {"pin": "1234", "host_pin": "9876"}, owner)
        assert status == 201, room
        self.room = room["id"]
        member, cohost = await self.account("member"), await self.account("cohost")
        for login, role in (("member", "guest"), ("cohost", "host")):
            path = f"/api/v1/rooms/{self.room}/members/{login}"
            assert (await site.call("PUT", path, {"role": role}, owner))[0] == 200
        admin_token = (site._state_dir / "admin-token").read_text()
        key = frozenset(ALL_SCOPES)
        mine: frozenset[Relation] = frozenset({"user", "owner", "member", "room-host"})
        return [
            Asker("nobody", {}, frozenset()),
            Asker("guest", await self.join(self.room, pin="1234"), frozenset({"participant"}), participant=True),
            Asker(
                "host by PIN", await self.join(self.room, pin="9876"), frozenset({"participant", "room-host"}),
                participant=True,
            ),
            Asker("guest elsewhere", await self.join("lobby"), frozenset(), participant=True),
            Asker("user", await self.account("user"), frozenset({"user"})),
            Asker("member", member, frozenset({"user", "member"})),
            Asker("co-host", cohost, frozenset({"user", "member", "room-host"})),
            Asker("owner", owner, mine),
            Asker("moderator", await self.account("moderator", "moderator"), frozenset({"user", "moderator"})),
            Asker("admin", admin := await self.account("admin", "admin"), frozenset({"user", "admin"})),
            Asker("admin token", {"Authorization": f"Bearer {admin_token}"}, frozenset({"admin"})),
            Asker("owner's key", await self.key(owner, ALL_SCOPES), mine, key),
            Asker("admin's key", await self.key(admin, ALL_SCOPES), frozenset({"user", "admin"}), key),
            Asker("admin's small key", await self.key(admin, ["records:read"]), frozenset({"user", "admin"}),
                  frozenset({"records:read"})),
        ]  # fmt: skip


async def through(request: web.Request) -> web.StreamResponse:
    return web.Response(text=actor_of(request).proof)


@dataclass(frozen=True)
class Stage:
    site: Site
    routes: list[Route]
    url: str
    room: str
    askers: list[Asker]

    async def ask(self, asker: Asker, route: Route) -> str:
        """The guard's code, or "" for whom it lets through."""
        path = re.sub(r"\{(\w+)[^}]*\}", lambda m: self.room if m[1] == "room" else "1", route.path)
        async with self.site.http.request(route.method, self.url + path, headers=asker.headers) as response:
            if response.status == 200:
                return ""
            return str((await response.json())["type"]).rpartition(":")[2]


@pytest.fixture
async def stage(make_site: SiteMaker) -> AsyncIterator[Stage]:
    site = await make_site()
    await site.mcu.register(site.internal_url)
    cast = Cast(site)
    askers = await cast.make()
    routes = [route for route in site.app.site.routes if route.documented]
    judged = [replace(route, handler=through) for route in routes if RULES[route.rule].judged]
    guarded = make_guard(site.app.parts).protect(judged)
    http = HttpApp("appserver", guarded, secret=SECRET, clock=SystemClock(), probes=False)
    listener = await Listener.start(http.app, "127.0.0.1", 0, shutdown_s=0.1)
    yield Stage(site, judged, f"http://127.0.0.1:{listener.port}", cast.room, askers)
    await listener.close()


async def test_every_route_and_every_actor(stage: Stage) -> None:
    wrong, asked = [], 0
    for route in stage.routes:
        for asker in stage.askers:
            code = await stage.ask(asker, route)
            should = asker.may(RULES[route.rule], route.path)
            if (code == "") is not should or not (code == "" or code in GUARDS):
                wrong.append(f"{asker.name}: {route.method} {route.path} ({route.rule}): {code or 'let through'}")
            asked += 1
    assert not wrong, "\n".join(wrong)
    assert asked > 1000


async def test_every_rule_has_a_route(stage: Stage) -> None:
    used = {route.rule for route in stage.site.app.site.routes}
    assert set(RULES) - used == INSIDE


def test_every_relation_is_somebodys() -> None:
    assert {relation for rule in RULES.values() for relation in rule.may} == set(RELATIONS)


INSIDE = {"rooms.read", "rooms.list-all", "meetings.list-all"}
"""Rules of which a route's handler asks: it shows more to some."""
