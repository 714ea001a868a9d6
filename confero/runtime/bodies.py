"""Bodies of requests and answers: JSON, bounded in size and time, through the wire models."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeVar, overload

from aiohttp import web
from pydantic import BaseModel, TypeAdapter, ValidationError

from confero.errors import RemoteError
from confero.runtime.problems import InvalidBody

BODY_S = 10.0
"""Seconds a body may take to arrive."""
Value = TypeVar("Value")
Model = TypeVar("Model", bound=BaseModel)


@lru_cache(maxsize=256)
def adapter_of(kind: Any) -> TypeAdapter[Any]:
    """The adapter of a model, of a union or list of models, or of itself."""
    return kind if isinstance(kind, TypeAdapter) else TypeAdapter(kind)


@overload
async def read_model(request: web.Request, kind: type[Value]) -> Value: ...
@overload
async def read_model(request: web.Request, kind: TypeAdapter[Value]) -> Value: ...
async def read_model(request: web.Request, kind: Any) -> Any:
    """The body as ``kind``: a model class or a TypeAdapter.

    Raises RemoteError: 415 for another content type than JSON, 413 too large, 408 too slow, 400 not JSON; and InvalidBody (422).
    """
    data = await read_json(request)
    try:
        return adapter_of(kind).validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise RemoteError("the body is not JSON", status=400, code="not-json") from None
        raise InvalidBody.of(error) from None


async def read_json(request: web.Request) -> bytes:
    """The body, which says that it is JSON. Raises RemoteError 415, 413 or 408."""
    if not _is_json(request.content_type):
        raise RemoteError("the body must be application/json", status=415, code="content-type")
    return await read_bytes(request)


def _is_json(content_type: str) -> bool:
    return content_type == "application/json" or (
        content_type.startswith("application/") and content_type.endswith("+json")
    )


async def read_bytes(request: web.Request) -> bytes:
    """The whole body, up to the app's limit. Raises RemoteError 413 or 408."""
    limit = request.client_max_size
    try:
        if request.content_length is not None and request.content_length > limit:
            raise web.HTTPRequestEntityTooLarge(limit, request.content_length)
        async with asyncio.timeout(BODY_S):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise RemoteError(f"the body has more than {limit} bytes", status=413, code="body-too-large") from None
    except TimeoutError:
        raise RemoteError(f"the body did not arrive within {BODY_S:g} s", status=408, code="too-slow") from None


def read_query(request: web.Request, kind: type[Model]) -> Model:
    """The query string as a model; of a repeated name the last counts. Raises InvalidBody (422)."""
    try:
        return kind.model_validate(dict(request.query))
    except ValidationError as error:
        invalid = InvalidBody.of(error)
        raise InvalidBody(invalid.errors, "the query does not validate") from None


def reply(model: BaseModel | Sequence[BaseModel] | None = None, status: int = 200) -> web.Response:
    """A JSON answer: an object, an array, or with None no body (204 unless another status is given)."""
    if model is None:
        return web.Response(status=204 if status == 200 else status)
    if isinstance(model, BaseModel):
        text = model.model_dump_json()
    else:
        text = "[" + ",".join(item.model_dump_json() for item in model) + "]"
    return web.Response(text=text, status=status, content_type="application/json")
