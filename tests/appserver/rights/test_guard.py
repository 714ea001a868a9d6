"""The guard: a route without a rule does not start, the page is the table's, keys need their scope, forged changes are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from confero.appserver.rights.actors import Actor
from confero.appserver.rights.gate import Gate, refuse_forged
from confero.appserver.rights.guard import Guard, actor_of
from confero.appserver.rights.page import render
from confero.appserver.rights.relations import Relations
from confero.appserver.rights.table import RELATIONS, RULES, Relation
from confero.clock import SystemClock
from confero.errors import LocalError, Refused, RemoteError
from confero.ratelimit import Rate, RateLimiter
from confero.runtime.http import Route, reply

ROOT = Path(__file__).parents[3]
USER = Actor("session", user="u1", login="ada", role="user", session="s1")


class Known:
    """Knows whom it is told of."""

    def __init__(self, actor: Actor | None = None, to_room: frozenset[Relation] = frozenset()) -> None:
        self._actor = actor
        self._to_room = to_room

    async def proven(self, token: str) -> Actor | None:
        return self._actor if token == "join" else None

    async def by_session(self, cookie: str, source: str) -> tuple[Actor, str] | None:
        return (self._actor, "csrf-token") if self._actor and cookie == "good" else None

    async def by_key(self, key: str, source: str) -> Actor | None:
        return self._actor if key == "ck_good" else None

    async def to_room(self, actor: Actor, room_id: str) -> frozenset[Relation]:
        return self._to_room


def guard_of(known: Known) -> Guard:
    failures = RateLimiter(Rate(burst=2, per_s=0.01), SystemClock())
    return Guard(Gate(known, known, b"the admin token of the tests", failures), Relations(known))


async def show(request: web.Request) -> web.StreamResponse:
    return web.Response(text=actor_of(request).proof)


async def ask(known: Known, rule: str, method: str = "GET", guard: Guard | None = None, **headers: str) -> str:
    """What the handler behind the rule saw. Raises what the guard does."""
    (route,) = (guard or guard_of(known)).protect([Route(method, "/x", show, rule=rule)])
    request = make_mocked_request(method, "/x", headers={k.replace("_", "-"): v for k, v in headers.items()})
    response = await route.handler(request)
    assert isinstance(response, web.Response)
    return response.text or ""


def test_a_public_route_has_a_rule() -> None:
    for route in (Route("GET", "/x", show), Route("GET", "/x", show, rule="no.such")):
        with pytest.raises(LocalError, match="no rule"):
            guard_of(Known()).protect([route])


def test_the_page_is_the_tables() -> None:
    assert (ROOT / "docs" / "authorisation.md").read_text() == render()


def test_every_rule_is_for_somebody() -> None:
    assert all(rule.may and rule.may <= set(RELATIONS) and rule.what for rule in RULES.values())


async def test_who_has_proved_nothing_is_told_to_sign_in() -> None:
    with pytest.raises(RemoteError) as refused:
        await ask(Known(), "me.read")
    assert (refused.value.status, refused.value.code) == (401, "sign-in-needed")


async def test_a_session_is_known_by_its_cookie() -> None:
    assert await ask(Known(USER), "me.read", Cookie="__Host-confero=good") == "session"
    with pytest.raises(RemoteError):
        await ask(Known(USER), "me.read", Cookie="__Host-confero=bad")


async def test_a_bearer_that_is_no_good_is_not_ignored() -> None:
    with pytest.raises(RemoteError) as refused:
        await ask(Known(USER), "site.read", Authorization="Bearer bad", Cookie="__Host-confero=good")
    assert refused.value.code == "token-invalid"


async def test_a_key_needs_the_scope_and_does_nothing_that_no_key_may() -> None:
    key = Actor("key", user="u1", role="admin", scopes=frozenset({"rooms:read"}))
    assert await ask(Known(key), "rooms.list", Authorization="Bearer ck_good") == "key"
    for rule in ("meetings.list", "users.read", "me.change"):
        with pytest.raises(Refused) as refused:
            await ask(Known(key), rule, Authorization="Bearer ck_good")
        assert refused.value.code == "scope-missing"


async def test_who_guesses_has_to_wait() -> None:
    guard = guard_of(Known())
    for _ in range(2):
        with pytest.raises(RemoteError):
            await ask(Known(), "site.read", guard=guard, Authorization="Bearer ck_wrong")
    (route,) = guard.protect([Route("GET", "/x", show, rule="site.read")])
    request = make_mocked_request("GET", "/x", headers={"Authorization": "Bearer ck_wrong"})
    answer = await route.handler(request)
    assert answer.status == 429 and int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("method", "headers", "passes"),
    [
        ("GET", {}, True),
        ("POST", {}, False),
        ("POST", {"X-CSRF-Token": "other"}, False),
        ("POST", {"X-CSRF-Token": "é"}, False),
        ("POST", {"X-CSRF-Token": "csrf-token"}, True),
        ("DELETE", {"X-CSRF-Token": "csrf-token", "Sec-Fetch-Site": "cross-site"}, False),
        ("DELETE", {"X-CSRF-Token": "csrf-token", "Sec-Fetch-Site": "same-site"}, False),
        ("DELETE", {"X-CSRF-Token": "csrf-token", "Sec-Fetch-Site": "same-origin"}, True),
    ],
)
def test_forged_changes(method: str, headers: dict[str, str], passes: bool) -> None:
    request = make_mocked_request(method, "/x", headers=headers)
    if passes:
        refuse_forged(request, "csrf-token")
        return
    with pytest.raises(Refused) as refused:
        refuse_forged(request, "csrf-token")
    assert refused.value.code == "csrf"


async def test_a_handler_is_not_reached_by_whom_the_rule_refuses() -> None:
    reached = []

    async def note(request: web.Request) -> web.StreamResponse:
        reached.append(request)
        return reply(None)

    (route,) = guard_of(Known(USER)).protect([Route("DELETE", "/x/{room}", note, rule="rooms.delete")])
    request = make_mocked_request(
        "DELETE", "/x/r1", headers={"Cookie": "__Host-confero=good", "X-CSRF-Token": "csrf-token"}
    )
    with pytest.raises(Refused) as refused:
        await route.handler(request)
    assert refused.value.code == "not-allowed" and not reached
