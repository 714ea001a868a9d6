"""Every public route has a method of the client, and every method a route: each is called, and answered by its example."""

from __future__ import annotations

import inspect
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from aiohttp import web
from pydantic import BaseModel

from confero.appserver.api.description import PARAMETERS, words
from confero.appserver.app import AppserverApp
from confero.appserver.config import AppserverConfig
from confero.client import Client
from confero.client.parts import Part
from confero.client.telephony import Collection, Telephony
from confero.models import JoinReply
from confero.runtime.http import Listener, Route

WEBSOCKETS = {"GET /events", "GET /sip"}
EVENTS = {"POST /events/stream", "POST /events/poll", "POST /events/sessions/{listening}"}
"""The client listens to the first, test_listening.py; the others are for browsers."""
EXAMPLES = words().examples
MODELS = {
    "accounts": "SipAccount",
    "trunks": "SipTrunk",
    "rules": "DialRule",
    "numbers": "SipNumber",
}


class Echo:
    """Answers each route with its example, and remembers which were asked."""

    def __init__(self, routes: list[Route]) -> None:
        self.asked: dict[str, int] = {}
        self.bodies: dict[str, Any] = {}
        self.app = web.Application()
        for route in routes:
            self.app.router.add_route(route.method, route.path, self._answer(route))

    def _answer(self, route: Route) -> Any:
        name = f"{route.method} {route.path}"

        async def handle(request: web.Request) -> web.StreamResponse:
            self.asked[name] = self.asked.get(name, 0) + 1
            if route.body is not None:
                self.bodies[name] = await request.json()
                assert self.bodies[name] == EXAMPLES[route.body]
            if route.reply is None:
                return web.Response(status=route.status, text="{}" if route.status == 200 else None)
            value = dict(EXAMPLES[route.reply])
            if "next" in value:
                value["next"] = None if set(request.query) & {"page", "after"} else "more"
            return web.json_response(value, status=route.status)

        return handle


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> list[Route]:
    app = AppserverApp(AppserverConfig(state_dir=tmp_path_factory.mktemp("state"), https_port=0, http_port=0))
    return [route for route in app.site.routes if route.documented]


@pytest.fixture
async def echo(routes: list[Route]) -> AsyncIterator[tuple[Echo, Client]]:
    server = Echo(routes)
    listener = await Listener.start(server.app, "127.0.0.1", 0)
    async with Client(f"http://127.0.0.1:{listener.port}", key="ck_x") as client:
        yield server, client
    await listener.close()


def methods(client: Client) -> Iterator[tuple[str, Any]]:
    """Everything public that can be called on the client and its parts, a seat's included."""
    joined = JoinReply.model_validate(EXAMPLES[JoinReply])
    for owner in (client, client.telephony, client.seat(joined)):
        for name, part in vars(owner).items():
            if isinstance(part, Part | Collection) and not name.startswith("_"):
                yield from ((f"{name}.{one}", getattr(part, one)) for one in public(type(part)))
    yield from (("site", client.site), ("network_test", client.network_test), ("openapi", client.openapi))


def public(kind: type) -> list[str]:
    return [name for name in dir(kind) if not name.startswith("_") and inspect.isfunction(getattr(kind, name))]


def argument(method: Any, owner: str, name: str, kind: Any) -> Any:
    """By its type a model's example, by its name the example of a parameter."""
    if kind in ("Create", "Patch") or (not isinstance(kind, type) and str(kind) in ("~Create", "~Patch")):
        part = owner.partition(".")[0]
        found = next(one for one in EXAMPLES if getattr(one, "__name__", "") == f"{MODELS[part]}{str(kind).strip('~')}")
        return found.model_validate(EXAMPLES[found])
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind.model_validate(EXAMPLES.get(kind, {}))
    if kind is int:
        return int(PARAMETERS[name]["example"])
    return PARAMETERS[name]["example"]


async def call(name: str, method: Any) -> None:
    hints = get_type_hints(method, vars(inspect.getmodule(method)))
    given = []
    for parameter in inspect.signature(method).parameters.values():
        if parameter.default is inspect.Parameter.empty:
            given.append(argument(method, name, parameter.name, hints[parameter.name]))
    result = method(*given)
    if hasattr(result, "__aiter__"):
        items = [item async for item in result]
        assert items
    else:
        await result


async def test_every_route_has_a_method(echo: tuple[Echo, Client], routes: list[Route]) -> None:
    server, client = echo
    for name, method in methods(client):
        before = dict(server.asked)
        if name.startswith("session."):
            continue
        await call(name, method)
        assert server.asked != before, f"{name} asked for nothing"
    for one in public(type(client.session)):  # the last of them signs out
        await call(f"session.{one}", getattr(client.session, one))
    assert {f"{route.method} {route.path}" for route in routes} - server.asked.keys() == WEBSOCKETS | EVENTS


def test_telephony_has_a_collection_of_each_kind() -> None:
    source = inspect.getsource(Telephony)
    assert set(re.findall(r"self\.(\w+) = Collection", source)) == set(MODELS)
    assert Path(inspect.getfile(Telephony)).parent.name == "client"
