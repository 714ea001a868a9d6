"""SIP over HTTP: the administration behind its token, and what the gateway asks."""

from __future__ import annotations

import asyncio
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from confero.appserver.sip.entities import Trunk
from confero.appserver.sip.vault import Vault, ha1
from confero.clock import SystemClock
from confero.config import ConfigError
from confero.errors import Refused
from confero.models.sip import (
    SipCaller,
    SipCallRecord,
    SipCallRecords,
    SipConfigReply,
    SipCredentials,
    SipCredentialsAsk,
    SipDecision,
    SipPinAsk,
    SipPinReply,
    SipPlace,
    SipPlaceAsk,
    SipRouteAsk,
)
from confero.runtime.client import ServiceClient
from confero.runtime.tasks import spawn

from .conftest import SiteMaker
from .site import SECRET, Site

ACCOUNT = {"user": "alice", "realm": "pbx", "password": "correct horse", "display_name": "Alice"}
TRUNK = {"name": "pstn", "servers": [{"uri": "sip:pstn.example:5060"}], "secret": "battery staple"}
RULE = {"position": 5, "direction": "in", "pattern": "800X", "action": "menu"}
NUMBER = {"room": "lobby", "number": "4711", "pin": "123456"}
ROWS = {"accounts": (ACCOUNT, "id"), "trunks": (TRUNK, "name"), "rules": (RULE, "id"), "numbers": (NUMBER, "number")}
PATCHES: dict[str, dict[str, Any]] = {
    "accounts": {"display_name": "Alicia", "call_out_patterns": ["+49."], "may_call_out": True},
    "trunks": {"options_s": 60, "sources": ["192.0.2.0/24"]},
    "rules": {"action": "room", "target": "lobby", "enabled": False},
    "numbers": {"pin": None},
}


def token_of(site: Site) -> str:
    return (site._state_dir / "admin-token").read_text()


async def admin(site: Site, method: str, path: str, body: Any = None, token: str | None = None) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token_of(site) if token is None else token}"}
    return await site.call(method, f"/api/v1/sip/{path}", body, headers)


async def gateway(site: Site, method: str, path: str, body: BaseModel | None = None, reply: Any = None) -> Any:
    client = ServiceClient("sipgw", "appserver", site.internal_url, secret=SECRET, clock=SystemClock())
    try:
        return await client.call(method, f"/internal/v1/sip/{path}", body=body, reply=reply)
    finally:
        await client.close()


def stored(folder: Path) -> bytes:
    """All that the database has written."""
    return b"".join(path.read_bytes() for path in folder.glob("confero.db*"))


async def filled(site: Site) -> Site:
    for name, (body, _) in ROWS.items():
        status, made = await admin(site, "POST", name, body)
        assert status == 201, made
    return site


# --- the token -------------------------------------------------------------------------------------------------------


async def test_the_token_is_made_once_for_its_owner_alone(make_site: SiteMaker, tmp_path: Path) -> None:
    site = await make_site()
    assert len(token_of(site)) >= 32 and (tmp_path / "admin-token").stat().st_mode & 0o077 == 0
    assert token_of(site) != SECRET.decode()
    (tmp_path / "admin-token").chmod(0o644)
    await site.app.stop()
    with pytest.raises(ConfigError, match="others may read it"):
        await site.start_app()
    (tmp_path / "admin-token").chmod(0o600)
    await site.start_app()


async def test_a_configured_token(make_site: SiteMaker, tmp_path: Path) -> None:
    site = await make_site(admin_token="t" * 40)
    assert (await admin(site, "GET", "trunks", token="t" * 40))[0] == 200
    assert (await admin(site, "GET", "trunks", token="u" * 40))[0] == 401


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer x", "Basic {}", "Bearer {}x", "Bearer é", "{}"])
async def test_without_the_token_there_is_nothing(site: Site, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.replace("{}", token_of(site))}
    for method, path in (("GET", "accounts"), ("POST", "trunks"), ("DELETE", "rules/1"), ("GET", "calls/x")):
        status, problem = await site.call(method, f"/api/v1/sip/{path}", {} if method == "POST" else None, headers)
        code = "sign-in-needed" if header is None else "token-invalid"
        assert (status, problem["type"]) == (401, f"urn:confero:problem:{code}")


async def test_other_tokens_are_none(site: Site) -> None:
    join = (await site.join())["token"]
    assert (await admin(site, "GET", "accounts", token=join))[0] == 403
    async with site.http.get(
        site.internal_url + "/internal/v1/sip/config", headers={"Authorization": f"Bearer {token_of(site)}"}
    ) as response:
        assert response.status == 401


async def test_who_guesses_tokens_has_to_wait(site: Site) -> None:
    statuses = [(await admin(site, "GET", "accounts", token="wrong"))[0] for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    assert (await admin(site, "GET", "accounts"))[0] == 429


# --- rows ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ROWS)
async def test_a_rows_life(site: Site, name: str) -> None:
    body, key = ROWS[name]
    status, made = await admin(site, "POST", name, body)
    assert status == 201
    assert {field: made[field] for field in body if field in made} == {
        field: ([{**body[field][0], "priority": 10}] if field == "servers" else body[field])
        for field in body
        if field in made
    }
    path = f"{name}/{made[key]}"
    assert await admin(site, "GET", path) == (200, made)
    status, changed = await admin(site, "PATCH", path, PATCHES[name])
    expected = {"has_pin": False} if name == "numbers" else PATCHES[name]
    assert (status, changed) == (200, {**made, **expected})
    assert await admin(site, "GET", path) == (200, changed)
    assert (await admin(site, "DELETE", path))[0] == 204
    for method in ("GET", "DELETE"):
        assert (await admin(site, method, path))[0] == 404
    assert (await admin(site, "PATCH", path, PATCHES[name]))[0] == 404


async def test_secrets_are_never_told_nor_kept_in_clear(site: Site, tmp_path: Path) -> None:
    await filled(site)
    texts = [json.dumps((await admin(site, "GET", name))[1]) for name in ROWS]
    await site.app.stop()
    database = stored(tmp_path)
    await site.start_app()
    assert b"pstn.example" in database
    for secret in ("correct horse", "battery staple", "123456", ha1("MD5", "alice", "pbx", "correct horse")):
        assert not any(secret in text for text in texts) and secret.encode() not in database


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("accounts", ACCOUNT | {"password": "kurz5"}, 422, "invalid-body"),
        ("accounts", ACCOUNT | {"user": "a:b"}, 422, "invalid-body"),
        ("accounts", ACCOUNT | {"user": "a b"}, 422, "invalid-body"),
        ("accounts", ACCOUNT | {"call_out_patterns": ["a b"]}, 422, "pattern-invalid"),
        ("accounts", ACCOUNT | {"ha1": "x"}, 422, "invalid-body"),
        ("trunks", TRUNK | {"servers": []}, 422, "invalid-body"),
        ("trunks", TRUNK | {"servers": [{"uri": "http://x"}]}, 422, "invalid-body"),
        ("trunks", TRUNK | {"sources": ["1.2.3.4/99"]}, 422, "trunk-invalid"),
        ("trunks", TRUNK | {"registers": True}, 422, "trunk-invalid"),
        ("trunks", TRUNK | {"caller_id": "fixed"}, 422, "trunk-invalid"),
        ("rules", RULE | {"pattern": "a|b"}, 422, "pattern-invalid"),
        ("rules", RULE | {"target": "{x}"}, 422, "rule-invalid"),
        ("rules", RULE | {"action": "explode"}, 422, "invalid-body"),
        ("numbers", NUMBER | {"room": "nowhere"}, 404, "room-unknown"),
        ("numbers", NUMBER | {"pin": "12"}, 422, "invalid-body"),
        ("numbers", NUMBER | {"number": "47a"}, 422, "invalid-body"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_refusals(site: Site, path: str, body: dict[str, Any], status: int, code: str) -> None:
    answered, problem = await admin(site, "POST", path, body)
    assert (answered, problem["type"]) == (status, f"urn:confero:problem:{code}")
    assert "kurz5" not in str(problem)


async def test_a_rule_that_makes_no_sense_is_refused_with_its_field(site: Site) -> None:
    _, problem = await admin(site, "POST", "rules", RULE | {"target": "{x}"})
    assert [(one["loc"], one["type"]) for one in problem["errors"]] == [("target", "rule-invalid")]


@pytest.mark.parametrize("key", ["0", "x", "-1", "1e3", "9" * 25, "²", "%00"])
async def test_keys_that_are_none(site: Site, key: str) -> None:
    assert (await admin(site, "GET", f"accounts/{key}"))[0] == 404
    assert (await admin(site, "PATCH", f"rules/{key}", {}))[0] == 404


async def test_what_is_there_already(site: Site) -> None:
    await filled(site)
    for name in ("accounts", "trunks", "numbers"):
        status, problem = await admin(site, "POST", name, ROWS[name][0])
        assert (status, problem["type"].rpartition(":")[2]) == (409, f"{name[:-1]}-exists")


async def test_a_room_is_given_a_number(site: Site) -> None:
    _, room = await site.call("POST", "/api/v1/rooms", {})
    status, made = await admin(site, "POST", "numbers", {"room": room["id"]})
    assert (status, made["has_pin"], len(made["number"])) == (201, False, 9)


async def test_pages(site: Site) -> None:
    for n in range(5):
        await admin(site, "POST", "accounts", ACCOUNT | {"user": f"u{n}"})
    users: list[str] = []
    path = "accounts?limit=2"
    for _ in range(3):
        _, page = await admin(site, "GET", path)
        users += [item["user"] for item in page["items"]]
        path = f"accounts?limit=2&after={page['next']}"
    assert page["next"] is None and users == [f"u{n}" for n in range(5)]
    for query in ("limit=0", "limit=201", "sort=x"):
        assert (await admin(site, "GET", f"accounts?{query}"))[0] == 422


async def test_the_commands_of_the_page_work(site: Site) -> None:
    page = (Path(__file__).parents[2] / "docs" / "sip.md").read_text()
    blocks = "".join(re.findall(r"```sh\n(.*?)```", page, re.DOTALL))
    commands = re.findall(r"^sip (GET|POST) +(\w+)(?: +'(.*?)')?", blocks, re.DOTALL | re.MULTILINE)
    answers = [await admin(site, method, path, body or None) for method, path, body in commands]
    assert {status for status, _ in answers} == {200, 201}, answers


async def test_the_first_rules_are_seen(site: Site) -> None:
    _, page = await admin(site, "GET", "rules")
    assert [(rule["pattern"], rule["action"]) for rule in page["items"]] == [(".", "room"), (".", "user")]


async def test_a_null_is_no_value_where_there_must_be_one(site: Site) -> None:
    await filled(site)
    _, before = await admin(site, "GET", "accounts/1")
    assert await admin(site, "PATCH", "accounts/1", {"display_name": None, "enabled": None}) == (200, before)
    _, trunk = await admin(site, "PATCH", "trunks/pstn", {"secret": None})
    assert trunk["has_secret"] is False


# --- the gateway -----------------------------------------------------------------------------------------------------


async def test_only_the_gateway_asks(site: Site) -> None:
    for caller in ("mcu", "notifier", "lab"):
        with pytest.raises(Refused) as caught:
            await site.tell(caller, "POST", "sip/credentials", SipCredentialsAsk(user="a", realm="b"))
        assert caught.value.code == "not-allowed"


async def test_the_configuration_and_its_version(site: Site) -> None:
    first = await gateway(site, "GET", "config", reply=SipConfigReply)
    assert (first.changed, first.trunks, first.accounts) == (True, [], [])
    same = await gateway(site, "GET", f"config?version={first.version}", reply=SipConfigReply)
    assert (same.changed, same.version) == (False, first.version)
    await filled(site)
    news = await gateway(site, "GET", f"config?version={first.version}&wait_s=30", reply=SipConfigReply)
    (trunk,), (account,) = news.trunks, news.accounts
    assert (trunk.name, trunk.secret, trunk.servers[0].uri) == ("pstn", "battery staple", "sip:pstn.example:5060")
    assert (account.user, account.realm, account.allow_md5_without_qop) == ("alice", "pbx", False)
    assert (account.media_security, account.key_exchange, account.symmetric) == ("optional", "sdes", False)
    media = {"media_security": "required", "key_exchange": "dtls", "symmetric": True}
    status, changed = await admin(site, "PATCH", "accounts/1", media)
    assert (status, changed | media) == (200, changed)
    (account,) = (await gateway(site, "GET", "config", reply=SipConfigReply)).accounts
    assert (account.media_security, account.key_exchange, account.symmetric) == ("required", "dtls", True)
    await admin(site, "PATCH", "trunks/pstn", {"enabled": False})
    assert (await gateway(site, "GET", "config", reply=SipConfigReply)).trunks == []


async def test_who_waits_for_another_version_does_not_hold_up_the_end(site: Site) -> None:
    known = (await gateway(site, "GET", "config", reply=SipConfigReply)).version
    waiting = spawn(
        gateway(site, "GET", f"config?version={known}&wait_s=30", reply=SipConfigReply), name="a gateway that waits"
    )
    await asyncio.sleep(0.2)
    async with asyncio.timeout(4):  # less than what a listener gives running requests
        await site.app.stop()
    assert (await waiting).changed is False


async def test_a_trunk_of_another_secret_does_not_take_the_others_along(site: Site) -> None:
    await filled(site)
    await admin(site, "POST", "trunks", TRUNK | {"name": "other"})
    sealed = Vault(b"the secret of another installation").seal("x", "trunk pstn")
    await site.app.telephony.store.change(Trunk, "pstn", {"secret": sealed})
    config = await gateway(site, "GET", "config", reply=SipConfigReply)
    assert [trunk.name for trunk in config.trunks] == ["other"]


async def test_credentials(site: Site) -> None:
    await filled(site)
    for algorithm in ("MD5", "SHA-256", "SHA-512-256"):
        ask = SipCredentialsAsk(user="alice", realm="pbx", algorithm=algorithm)
        found = await gateway(site, "POST", "credentials", ask, SipCredentials)
        assert found.ha1 == ha1(algorithm, "alice", "pbx", "correct horse")
    await admin(site, "PATCH", "accounts/1", {"password": "another horse"})
    found = await gateway(site, "POST", "credentials", ask, SipCredentials)
    assert found.ha1 == ha1("SHA-512-256", "alice", "pbx", "another horse")
    await admin(site, "PATCH", "accounts/1", {"enabled": False})
    for user in ("alice", "Alice", "bob"):
        with pytest.raises(Refused) as caught:
            await gateway(site, "POST", "credentials", SipCredentialsAsk(user=user, realm="pbx"))
        assert (caught.value.status, caught.value.code) == (404, "account-unknown")


async def test_a_call_comes_into_its_room(site: Site) -> None:
    ask = SipRouteAsk(call="c1", direction="in", caller=SipCaller(from_name="Bob"), user="lobby")
    decision = await gateway(site, "POST", "route", ask, SipDecision)
    assert (decision.action, decision.place.mcu_url) == ("room", site.mcu.url)
    assert (await site.call("GET", "/api/v1/rooms/lobby"))[1]["participants"] == 1
    again = SipPlaceAsk(room="lobby", participant=decision.place.participant)
    assert (await gateway(site, "POST", "places", again, SipPlace)).participant == decision.place.participant


async def test_a_pin_over_the_wire(site: Site) -> None:
    await filled(site)
    said = SipCaller(source="192.0.2.1")
    for pin, outcome in ((None, "ask-pin"), ("000000", "wrong"), ("123456", "accepted")):
        ask = SipPinAsk(call="c1", caller=said, number="4711", pin=pin)
        assert (await gateway(site, "POST", "pin", ask, SipPinReply)).outcome == outcome


def record(**values: Any) -> SipCallRecord:
    now = time.time()
    given: dict[str, Any] = {"id": "c1", "revision": 1, "direction": "in", "started_at": now}
    given |= {"from_uri": "sip:bob@b", "to_uri": "sip:lobby@c", "room": "lobby"}
    given |= {"ladder": [{"at": now, "sent": False, "peer": "192.0.2.1:5060", "text": "INVITE sip:lobby@c SIP/2.0"}]}
    return SipCallRecord(**(given | values))


async def test_records_of_calls(site: Site) -> None:
    for _ in range(2):
        await gateway(site, "POST", "calls", SipCallRecords(records=[record()]))
    last = record(revision=2, status=200, ended_at=time.time(), mos=4.2, media={"codec": "opus", "lost": 3})
    await gateway(site, "POST", "calls", SipCallRecords(records=[last, record(id="c2", started_at=1.0)]))
    _, page = await admin(site, "GET", "calls?limit=1")
    assert [item["id"] for item in page["items"]] == ["c1"] and page["next"] == "c1"
    _, rest = await admin(site, "GET", "calls?limit=1&after=c1")
    assert ([item["id"] for item in rest["items"]], rest["next"]) == (["c2"], None)
    status, one = await admin(site, "GET", "calls/c1")
    assert (status, one["status"], one["mos"], one["media"]["codec"]) == (200, 200, 4.2, "opus")
    assert one["ladder"][0]["text"].startswith("INVITE") and "ladder" not in page["items"][0]
    assert (await admin(site, "GET", "calls/c3"))[0] == 404
    assert (await admin(site, "GET", "calls?after=c3"))[0] == 422


async def test_a_restart_keeps_it_all(site: Site) -> None:
    await filled(site)
    before = [await admin(site, "GET", name) for name in ROWS]
    await site.app.stop()
    await site.start_app()
    assert [await admin(site, "GET", name) for name in ROWS] == before
