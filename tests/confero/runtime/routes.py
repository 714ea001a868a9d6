"""Routes of the HTTP tests: an echo, one with a scope, one that fails."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import BaseModel, Field

from confero.runtime.http import Route, caller, read_model, reply


class Body(BaseModel):
    name: str = Field(max_length=8)
    n: int = 0


class Query(BaseModel):
    seconds: int = Field(default=1, ge=1, le=60)
    point: str = "in"


async def echo(request: web.Request) -> web.StreamResponse:
    return reply(await read_model(request, Body))


async def nothing(request: web.Request) -> web.StreamResponse:
    return reply(None)


async def who(request: web.Request) -> web.StreamResponse:
    return web.json_response({"caller": caller(request)})


def raises(error: BaseException) -> Route:
    async def handler(request: web.Request) -> web.StreamResponse:
        raise error

    return Route("GET", "/fail", handler)


JSON = {"Content-Type": "application/json"}
ECHO = Route("POST", "/v1/echo", echo, body=Body, reply=Body)
WHO = Route("GET", "/v1/who/{room}", who, "mcu:rooms")


def code_of(body: Any) -> str:
    assert set(body) >= {"type", "title", "status", "instance"}
    return str(body["type"]).removeprefix("urn:confero:problem:")
