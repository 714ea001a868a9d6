"""The API as its description says, by a tool that makes requests up from it (schemathesis), with the credentials of two people.

Never a fault of the server's; every answer fits its schema and carries a declared code; and whatever Grace sends, also with the ids
of all that is Ada's, changes nothing of Ada's and shows nothing of it. ``CONFERO_TEST_LONG=1`` sends thirty times as many,
another number that many times as many, and the same once more with MariaDB.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from pydantic import SecretStr
from schemathesis import GenerationMode
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from confero.appserver.api.description import words
from confero.models import LegRecord, LegRecords

from .browser import Browser
from .conftest import SiteMaker
from .mariadb import MariaDb
from .site import Site

LONG = int(os.environ.get("CONFERO_TEST_LONG", "0") or 0)
EXAMPLES = {0: 1, 1: 30}.get(LONG, LONG)
"""For each operation, mode and kind of sender."""
ENGINES = ("sqlite", "mariadb") if LONG else ("sqlite",)
WEBSOCKETS = frozenset({"/events", "/sip"})
LAST = "DELETE /api/v1/session"
"""Ends the session with which everything else is asked."""
WIDE = {
    "mcu_silence_s": 600,
    "room_creations_per_minute": 1e6,
    "joins_per_minute": 1e6,
    "accounts_per_hour": 1e6,
    "sign_up": "open",
}
PINS = {"pin": "31415926535", "host_pin": "27182818284"}
SECRETS = (*PINS.values(), "ada@secret.example", "What Ada alone has written", "For Ada's eyes", "Ada's own panel")
EVERYWHERE = frozenset({(404, "not-found"), (405, "method-not-allowed"), (413, "body-too-large"), (408, "too-slow")})
"""What HTTP itself answers."""
AWAY = frozenset({"no-media-server", "notifier-down", "sipgw-down", "unavailable", "gateway-busy"})
"""Services that there are none of in this test."""
CHECKS = [
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]
QUICK = settings(
    max_examples=EXAMPLES,
    database=None,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@dataclass
class World:
    """Ada with all that she has, and who else sends: their headers."""

    site: Site
    ada: Browser
    theirs: dict[str, str] = field(default_factory=dict)
    """Of Ada's things, the ids by the names of parameters."""
    senders: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: int = 0
    faults: set[str] = field(default_factory=set)
    reached: set[tuple[str, int]] = field(default_factory=set)

    async def have(self) -> Any:
        """All that Ada has, without the times of use."""
        paths = ("me", "me/keys", "me/sessions", "rooms", "meetings", f"meetings/{self.theirs['meeting']}")
        inside = ("", "/members", "/invitations", "/messages", "/meeting", "/lobby", "/dial-in")
        found = []
        for path in (*paths, *(f"rooms/{self.theirs['room']}{part}" for part in inside)):
            status, answer = await self.ada.ask("GET", path)
            assert status == 200, (path, answer)
            found.append(re.sub(r'"(used_at|version|participants)": [0-9.e+]+', "", json.dumps(answer)))
        return found


@pytest.fixture(params=ENGINES)
async def world(request: pytest.FixtureRequest, make_site: SiteMaker) -> AsyncIterator[World]:
    site: Site = await make_site(**WIDE, **(of_server(request) if request.param == "mariadb" else {}))
    await site.mcu.register(site.internal_url)
    ada, grace, root = Browser(site), Browser(site), Browser(site)
    made = World(site, ada)
    await root.set_up()
    await furnish(made)
    await grace.sign_up("grace")
    scopes = ["rooms:read", "rooms:write", "meetings:moderate", "records:read", "admin"]
    key = (await grace.ask("POST", "me/keys", {"name": "k", "scopes": scopes}))[1]["key"]
    token = (await site.join("Grace"))["token"]
    made.senders = {
        "session": cookie(grace),
        "nobody": {},
        "key": {"Authorization": f"Bearer {key}"},
        "guest elsewhere": {"Authorization": f"Bearer {token}"},
        "admin": {
            "Authorization": f"Bearer {(await root.ask('POST', 'me/keys', {'name': 'k', 'scopes': scopes}))[1]['key']}"
        },
    }
    yield made
    for browser in (ada, grace, root):
        await browser.close()


def of_server(request: pytest.FixtureRequest) -> dict[str, SecretStr]:
    """An empty database of a server, which this run starts."""
    server: MariaDb = request.getfixturevalue("mariadb")
    created = server.sql("CREATE DATABASE confero_contract")
    assert created.returncode == 0, created.stderr
    return {"database_url": SecretStr(server.url("confero_contract"))}


def cookie(browser: Browser) -> dict[str, str]:
    return {"Cookie": f"__Host-confero={browser.cookie}", "X-CSRF-Token": browser.csrf}


async def furnish(world: World) -> None:
    """A room with PINs, an invitation, a message, a key and a record."""
    ada, theirs = world.ada, world.theirs
    theirs["user"] = (await ada.sign_up("ada", mail="ada@secret.example"))["id"]
    theirs["room"] = room = (await ada.ask("POST", "rooms", {"name": "Open", **PINS}))[1]["id"]
    invited = await ada.ask("POST", f"rooms/{room}/invitations", {"note": "For Ada's eyes"})
    theirs["invitation"] = invited[1]["id"]
    theirs["key"] = (await ada.ask("POST", "me/keys", {"name": "Ada's own panel", "scopes": ["rooms:read"]}))[1]["id"]
    theirs["session"] = (await ada.ask("GET", "me/sessions"))[1]["items"][0]["id"]
    joined = (await ada.ask("POST", f"rooms/{room}/join", {"display_name": "Ada"}))[1]
    theirs["participant"] = joined["participant"]
    status, said = await world.site.call(
        "POST", f"/api/v1/rooms/{room}/messages", {"text": SECRETS[3]}, {"Authorization": f"Bearer {joined['token']}"}
    )
    assert status == 201
    theirs["message"] = str(said["id"])
    record = LegRecord(
        at=time.time(), mcu=world.site.mcu.id, boot=world.site.mcu.boot, room=room, participant=joined["participant"],
        display_name="Ada", kind="webrtc", event="joined",
    )  # fmt: skip
    await world.site.tell("mcu", "POST", "records", LegRecords(records=[record]))
    theirs["meeting"] = (await ada.ask("GET", "meetings"))[1]["items"][0]["id"]
    theirs["mcu"] = world.site.mcu.id


@pytest.mark.filterwarnings("ignore:Do not use the `random` module")  # schemathesis' own
@pytest.mark.timeout(3600 if LONG else 300)
async def test_whatever_is_sent(world: World) -> None:
    before = await world.have()
    document = world.site.app.site.openapi(words())
    grace = [name for name in world.senders if name != "admin"]
    await asyncio.to_thread(explore, world, document, grace, secret=True)
    assert await world.have() == before
    await asyncio.to_thread(explore, world, document, ["admin"], secret=False)
    assert sorted(world.faults) == []
    assert world.asked > 300
    successes = {name for name, status in world.reached if status < 300}
    assert len(successes) > 40, sorted(successes)


def explore(world: World, document: dict[str, Any], senders: list[str], *, secret: bool) -> None:
    """In a thread: the tool is not asynchronous."""
    schema = schemathesis.openapi.from_dict(document)
    schema.config.generation.update(with_security_parameters=False)
    operations = [one.ok() for one in schema.get_all_operations() if one.ok().path not in WEBSOCKETS]
    with requests.Session() as session:
        session.verify = str(Path(world.site._state_dir) / "tls" / "ca.pem")
        for operation in sorted(operations, key=turn):
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                if mode is GenerationMode.POSITIVE or operation.body or operation.query:
                    try_out(world, session, operation, mode, senders, secret=secret)


def turn(operation: Any) -> int:
    """What takes away comes after what looks and changes."""
    return 2 if f"{operation.method.upper()} {operation.path}" == LAST else int(operation.method == "delete")


def try_out(
    world: World, session: requests.Session, operation: Any, mode: Any, senders: list[str], *, secret: bool
) -> None:
    """With made-up ids, then with Ada's. ``secret``: nothing of hers may be seen. What is wrong is noted, and the next one sent."""
    declared = declared_codes(operation)
    name = f"{operation.method.upper()} {operation.path}"

    def send(case: Any, sender: str) -> None:
        response = case.call(
            base_url=world.site.url, session=session, headers=world.senders[sender], verify=session.verify
        )
        world.asked += 1
        world.reached.add((name, response.status_code))
        world.faults |= {f"{name} by {sender}: {fault}" for fault in faults_of(case, response, declared)}
        if secret:
            seen = [text for text in SECRETS if text in response.text]
            world.faults |= {f"{name} shows {sender}: {text}" for text in seen}

    @QUICK
    @given(case=operation.as_strategy(mode))
    def once(case: Any) -> None:
        send(case, senders[0])
        case.path_parameters = {**case.path_parameters, **known(world, case.path_parameters)}
        for sender in senders:
            send(case, sender)

    once()


def known(world: World, parameters: dict[str, Any]) -> dict[str, str]:
    return {name: world.theirs[name] for name in parameters if name in world.theirs}


def declared_codes(operation: Any) -> set[tuple[int, str]]:
    """From the description of the operation, by status."""
    found = set(EVERYWHERE)
    for status, answer in operation.definition.raw["responses"].items():
        if status.isdecimal() and int(status) >= 400:
            name = answer["$ref"].rpartition("/")[2]
            listed = operation.schema.raw_schema["components"]["responses"][name]["description"]
            found |= {(int(status), code) for code in re.findall(r"`([a-z0-9-]+)`", listed)}
    return found


def faults_of(case: Any, response: Any, declared: set[tuple[int, str]]) -> list[str]:
    """What the answer does that the description does not say."""
    try:
        case.validate_response(response, checks=CHECKS)
    except (FailureGroup, Failure) as found:
        return [" ".join(str(one).split())[:300] for one in getattr(found, "exceptions", [found])]
    if response.status_code < 400:
        return []
    code = json.loads(response.text)["type"].rpartition(":")[2]
    if response.status_code >= 500 and code not in AWAY:
        return [f"{response.status_code} {code}"]
    return [] if (response.status_code, code) in declared else [f"undeclared {response.status_code} {code}"]
