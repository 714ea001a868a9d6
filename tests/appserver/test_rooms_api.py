"""Rooms over the wire: who sees, lists, changes and deletes them; members, invitations, lobby and dialling in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from confero.appserver.accounts.entities import Note, User
from confero.appserver.config import AppserverConfig
from confero.clock import SystemClock
from confero.models.accounts import AccountRole

from .conftest import SiteMaker
from .site import Site

ROLES: dict[str, AccountRole] = {"ada": "user", "bob": "user", "mona": "moderator", "root": "admin"}


class People:
    """Short ways to ask as somebody."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.signed_in: dict[str, tuple[str, str]] = {}
        """Cookie and CSRF token by login."""

    async def sign_in(self, login: str, role: AccountRole) -> None:
        desk, now = self.site.app.accounts.desk, SystemClock().wall()
        user = User(f"u_{login}", login, login.title(), now, role)
        assert await desk.store.add_user(user, Note(now, "-", "", "test"), limit=100) == "added"
        cookie, session = await desk.sessions.begin(user, "127.0.0.1", "tests")
        self.signed_in[login] = cookie, session.csrf

    async def ask(self, who: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """``who``: a login, "" for nobody, else a join token."""
        headers = {}
        if who in self.signed_in:
            cookie, csrf = self.signed_in[who]
            headers = {"Cookie": f"__Host-confero={cookie}", "X-CSRF-Token": csrf}
        elif who:
            headers = {"Authorization": f"Bearer {who}"}
        status, found = await self.site.call(method, f"/api/v1/rooms{path}", body, headers)
        return status, found["type"].rpartition(":")[2] if status >= 400 else found or None

    async def make(self, who: str = "ada", **wish: Any) -> dict[str, Any]:
        status, made = await self.ask(who, "POST", "", wish)
        assert status == 201, made
        assert isinstance(made, dict)
        return made

    async def join(self, who: str, room: str, name: str = "Alice", **more: Any) -> tuple[int, Any]:
        return await self.ask(who, "POST", f"/{room}/join", {"display_name": name, **more})


@pytest.fixture
async def people(make_site: SiteMaker) -> AsyncIterator[People]:
    made = await make_site(dial_in_numbers=["+44 20 7946 0123"])
    await made.mcu.register(made.internal_url)
    found = People(made)
    for login, role in ROLES.items():
        await found.sign_in(login, role)
    yield found


# --- made, seen, listed ----------------------------------------------------------------------------------------------


async def test_whoever_is_signed_in_owns_what_they_make(people: People) -> None:
    made = await people.make(name="Team", permanent=True, pin="1234", host_pin="98765", lobby=True, speak="request")
    shown = {
        name: made[name] for name in ("owner", "mine", "pin", "host_pin", "permanent", "lobby", "speak", "invitation")
    }
    assert shown == {
        "owner": "ada", "mine": "owner", "pin": "1234", "host_pin": "98765", "permanent": True, "lobby": True,
        "speak": "request", "invitation": None,
    }  # fmt: skip
    assert await people.ask("ada", "GET", f"/{made['id']}") == (200, made)


async def test_settings_are_for_those_who_may(people: People) -> None:
    room = (await people.make(pin="1234"))["id"]
    await people.ask("ada", "PUT", f"/{room}/members/bob", {"role": "guest"})
    _, joined = await people.join("", room, pin="1234")
    for who in ("", joined["token"]):
        _, seen = await people.ask(who, "GET", f"/{room}")
        assert (seen["pin_needed"], "pin" in seen, "owner" in seen) == (True, False, False)
    _, seen = await people.ask("bob", "GET", f"/{room}")
    assert (seen["mine"], seen["owner"]) == ("guest", "ada")
    assert (seen["pin"], seen["host_pin"], seen["number"]) == (None, None, None)
    for who in ("mona", "root"):
        assert (await people.ask(who, "GET", f"/{room}"))[1]["pin"] == "1234"
    await people.ask("ada", "PUT", f"/{room}/members/bob", {"role": "host"})
    _, seen = await people.ask("bob", "GET", f"/{room}")
    assert (seen["pin"], seen["mine"], seen["owner"]) == ("1234", "host", "ada")


async def test_whoever_makes_a_room_without_an_account_is_its_host_by_invitation(people: People) -> None:
    made = await people.make("", permanent=True)
    assert (made["owner"], made["permanent"]) == (None, False)
    _, host = await people.join("", made["id"], invitation=made["invitation"])
    _, guest = await people.join("", made["id"])
    assert (host["role"], guest["role"]) == ("host", "guest")
    assert (await people.ask(guest["token"], "GET", f"/{made['id']}/invitations"))[0] == 403
    assert (await people.ask(host["token"], "GET", f"/{made['id']}/invitations"))[0] == 200


async def test_guests_make_no_rooms_where_that_is_closed(make_site: SiteMaker) -> None:
    site = await make_site(guests_make_rooms=False)
    status, problem = await site.call("POST", "/api/v1/rooms", {})
    assert (status, problem["type"]) == (401, "urn:confero:problem:sign-in-needed")


async def test_the_admin_token_has_no_rooms_and_sees_all(people: People, tmp_path: Path) -> None:
    made = (await people.make(name="Planning"))["id"]
    token = (tmp_path / "admin-token").read_text()
    assert await people.ask(token, "GET", "") == (200, {"items": [], "next": None})
    _, page = await people.ask(token, "GET", "?everyone=true&limit=200")
    assert made in [one["id"] for one in page["items"]]


async def test_lists(people: People) -> None:
    made = [(await people.make(name=f"Room {n}"))["id"] for n in range(5)]
    shared = (await people.make("bob", name="Bob's", pin="1234"))["id"]
    await people.ask("bob", "PUT", f"/{shared}/members/u_ada", {"role": "guest"})
    found, path = [], "?limit=2"
    while True:
        _, page = await people.ask("ada", "GET", path)
        found += [(one["id"], one["mine"], one["pin"]) for one in page["items"]]
        if page["next"] is None:
            break
        path = f"?limit=2&page={page['next']}"
    assert sorted(found) == sorted([*((room, "owner", None) for room in made), (shared, "guest", None)])
    _, page = await people.ask("ada", "GET", "?search=oom%203")
    assert [one["id"] for one in page["items"]] == [made[3]]
    assert await people.ask("ada", "GET", "?everyone=true") == (403, "not-allowed")
    assert await people.ask("", "GET", "") == (401, "sign-in-needed")
    _, page = await people.ask("mona", "GET", "?everyone=true&limit=200")
    assert {one["id"]: one["owner"] for one in page["items"]}[shared] == "bob"
    for mark in ("nonsense", "WzEsMl0", "!", "e30"):
        assert await people.ask("ada", "GET", f"?page={mark}") == (422, "page-invalid")


# --- changed, deleted ------------------------------------------------------------------------------------------------


async def test_changes(people: People) -> None:
    room = (await people.make(pin="1234", noise_dbov=70))["id"]
    wish = {"name": "Other", "pin": "", "host_pin": "55555", "lobby": True, "noise_dbov": None, "max_participants": 7}
    status, changed = await people.ask("ada", "PATCH", f"/{room}", wish)
    assert (status, changed["pin"], changed["pin_needed"]) == (200, None, False)
    assert {name: changed[name] for name in wish if name != "pin"} == {
        name: wish[name] for name in wish if name != "pin"
    }
    assert await people.ask("ada", "GET", f"/{room}") == (200, changed)
    for who in ("bob", "mona"):
        assert await people.ask(who, "PATCH", f"/{room}", {"name": "x"}) == (403, "not-allowed")
    assert (await people.ask("root", "PATCH", f"/{room}", {"name": None}))[1]["name"] == "Other"
    assert await people.ask("root", "PATCH", "/nowhere", {"name": "x"}) == (404, "room-unknown")


async def test_numbers(people: People) -> None:
    room = await people.make(number="4711")
    assert room["number"] == "4711"
    status, problem = await people.ask("ada", "POST", "", {"number": "4711"})
    assert (status, problem) == (409, "number-exists")
    assert len((await people.ask("ada", "GET", ""))[1]["items"]) == 1
    other = await people.make(number="auto")
    assert len(other["number"]) == 9
    assert await people.ask("ada", "PATCH", f"/{other['id']}", {"number": "4711"}) == (409, "number-exists")
    assert (await people.ask("ada", "GET", f"/{other['id']}"))[1]["number"] == other["number"]
    for wish, number in (("4712", "4712"), ("auto", "4712"), ("", None)):
        assert (await people.ask("ada", "PATCH", f"/{other['id']}", {"number": wish}))[1]["number"] == number


async def test_deleted(people: People) -> None:
    room = (await people.make(number="4711"))["id"]
    _, joined = await people.join("", room)
    assert await people.ask("bob", "DELETE", f"/{room}") == (403, "not-allowed")
    assert (await people.ask("ada", "DELETE", f"/{room}"))[0] == 204
    assert await people.ask("ada", "GET", f"/{room}") == (404, "room-unknown")
    assert (await people.join("", room, previous_token=joined["token"]))[0] == 404
    assert (await people.make(number="4711"))["number"] == "4711"
    assert await people.ask("root", "DELETE", "/lobby") == (409, "room-kept")


# --- members, invitations --------------------------------------------------------------------------------------------


async def test_members(people: People) -> None:
    room = (await people.make())["id"]
    assert await people.ask("ada", "PUT", f"/{room}/members/nobody", {}) == (404, "user-unknown")
    status, made = await people.ask("ada", "PUT", f"/{room}/members/bob", {"role": "host"})
    assert (status, made) == (200, {"user": "u_bob", "login": "bob", "display_name": "Bob", "role": "host"})
    assert (await people.ask("bob", "GET", f"/{room}/members"))[1]["items"] == [made]
    assert await people.ask("bob", "PUT", f"/{room}/members/mona", {}) == (403, "not-allowed")
    assert (await people.join("bob", room))[1]["role"] == "host"
    assert (await people.ask("ada", "DELETE", f"/{room}/members/bob"))[0] == 204
    assert await people.ask("ada", "DELETE", f"/{room}/members/bob") == (404, "member-unknown")
    assert (await people.join("bob", room))[1]["role"] == "guest"
    assert await people.ask("mona", "GET", f"/{room}/members") == (403, "not-allowed")


async def test_invitations(people: People) -> None:
    room = (await people.make(pin="1234"))["id"]
    wish = {"role": "guest", "max_uses": 1, "note": "for Bob"}
    status, made = await people.ask("ada", "POST", f"/{room}/invitations", wish)
    assert (status, made["created_by"], made["uses"]) == (201, "ada", 0)
    assert made["url"].endswith(f"/r/{room}#invitation={made['secret']}") and len(made["secret"]) >= 22
    assert (await people.join("", room))[1] == "pin-needed"
    assert (await people.join("", room, invitation=made["secret"]))[0] == 200
    assert (await people.join("", room, invitation=made["secret"]))[1] == "invitation-used"
    _, listed = await people.ask("ada", "GET", f"/{room}/invitations")
    assert listed["items"] == [{name: made[name] for name in listed["items"][0]} | {"uses": 1}]
    assert made["secret"] not in str(listed)
    assert await people.ask("bob", "DELETE", f"/{room}/invitations/{made['id']}") == (403, "not-allowed")
    assert (await people.ask("ada", "DELETE", f"/{room}/invitations/{made['id']}"))[0] == 204
    assert await people.ask("ada", "DELETE", f"/{room}/invitations/none") == (404, "invitation-unknown")
    past = {"expires_at": 1.0}
    assert await people.ask("ada", "POST", f"/{room}/invitations", past) == (422, "expired")


# --- PINs, lobby, dialling in ----------------------------------------------------------------------------------------


async def test_too_many_tries_say_when_to_come_again(people: People) -> None:
    room = (await people.make(pin="1234"))["id"]
    assert [(await people.join("", room, pin="0000"))[1] for _ in range(3)] == ["pin-wrong"] * 3
    url, body = f"{people.site.url}/api/v1/rooms/{room}/join", {"display_name": "A", "pin": "1234"}
    async with people.site.http.post(url, json=body, ssl=people.site.trust) as response:
        assert response.status == 429
        assert 1 <= int(response.headers["Retry-After"]) <= 30
    assert (await people.join("ada", room))[1]["role"] == "host"


async def test_the_lobby(people: People) -> None:
    room = (await people.make(lobby=True))["id"]
    _, host = await people.join("ada", room)
    waiting = [(await people.join("", room, name))[1] for name in ("Alice", "Bob", "Carol", "Dave")]
    assert {(one["waiting"], len(one["ice_servers"]), one["calls_out"]) for one in waiting} == {(True, 0, False)}
    lobby = f"/{room}/lobby"
    for who in (waiting[0]["token"], "bob", ""):
        assert (await people.ask(who, "GET", lobby))[0] in (401, 403)
    _, listed = await people.ask(host["token"], "GET", lobby)
    assert {one["display_name"] for one in listed["items"]} == {"Alice", "Bob", "Carol", "Dave"}
    assert (await people.ask(host["token"], "POST", f"{lobby}/{waiting[0]['participant']}"))[0] == 204
    assert await people.ask("ada", "POST", f"{lobby}/{waiting[0]['participant']}") == (404, "not-waiting")
    assert (await people.ask("ada", "DELETE", f"{lobby}/{waiting[1]['participant']}"))[0] == 204
    assert await people.ask("mona", "POST", lobby) == (200, {"admitted": 2})
    assert (await people.ask("ada", "GET", lobby))[1] == {"items": []}
    _, inside = await people.join("", room, previous_token=waiting[0]["token"])
    assert (inside["waiting"], inside["participant"]) == (False, waiting[0]["participant"])
    assert (await people.ask(waiting[1]["token"], "GET", f"/{room}"))[0] == 401


async def test_whoever_waits_comes_in_when_the_lobby_is_closed(people: People) -> None:
    room = (await people.make(lobby=True))["id"]
    _, waiting = await people.join("", room)
    await people.ask("ada", "PATCH", f"/{room}", {"lobby": False})
    assert not (await people.join("", room, previous_token=waiting["token"]))[1]["waiting"]


async def test_dialling_in(people: People) -> None:
    room = (await people.make(pin="1234", number="4711"))["id"]
    _, guest = await people.join("", room, pin="1234")
    expected = {
        "numbers": ["+44 20 7946 0123"],
        "room_number": "4711",
        "pin_needed": True,
        "sip_uri": f"sip:{room}@localhost",
    }
    assert await people.ask("ada", "GET", f"/{room}/dial-in") == (200, expected | {"pin": "1234"})
    assert await people.ask(guest["token"], "GET", f"/{room}/dial-in") == (200, expected | {"pin": None})
    assert await people.ask("bob", "GET", f"/{room}/dial-in") == (403, "not-allowed")


async def test_no_address_is_told_that_would_be_refused(people: People) -> None:
    """A room with a PIN and no number refuses telephones: nobody could ask them for the PIN."""
    room = (await people.make(pin="1234"))["id"]
    _, told = await people.ask("ada", "GET", f"/{room}/dial-in")
    assert (told["room_number"], told["sip_uri"]) == (None, None)
    await people.ask("ada", "PATCH", f"/{room}", {"pin": ""})
    _, told = await people.ask("ada", "GET", f"/{room}/dial-in")
    assert told["sip_uri"] == f"sip:{room}@localhost"


async def test_a_gateway_elsewhere_is_named_by_the_operator(make_site: SiteMaker) -> None:
    site = await make_site(sip_domain="sip.example.org:5070")
    people = People(site)
    await people.sign_in("ada", "user")
    room = (await people.make())["id"]
    assert (await people.ask("ada", "GET", f"/{room}/dial-in"))[1]["sip_uri"] == f"sip:{room}@sip.example.org:5070"


@pytest.mark.parametrize("text", [":5060", "a b", "sip:example.org", "example.org:", "[::1"])
def test_what_is_no_host_of_sip_addresses(text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="sip_domain"):
        AppserverConfig(state_dir=tmp_path, sip_domain=text)


async def test_an_administrators_session_lets_rooms_call(people: People) -> None:
    """What the page of telephony sends; sent again under its key it makes one rule."""
    room = (await people.make("ada", name="Team"))["id"]
    assert (await people.join("ada", room))[1]["calls_out"] is False
    rule = {"position": 10, "direction": "out", "source": "browser", "pattern": ".", "action": "address"}
    answers = []
    for who in ("ada", "root", "root"):
        cookie, csrf = people.signed_in[who]
        headers = {"Cookie": f"__Host-confero={cookie}", "X-CSRF-Token": csrf, "Idempotency-Key": '"key-1"'}
        answers.append(await people.site.call("POST", "/api/v1/sip/rules", rule, headers))
    assert [status for status, _ in answers] == [403, 201, 201]
    assert answers[1][1]["id"] == answers[2][1]["id"]
    assert (await people.join("ada", room))[1]["calls_out"] is True
    assert (await people.join("", room))[1]["calls_out"] is False
