"""OpenAPI 3.1 made from the routes and the wire models."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

import confero
from confero.access import ACCESS
from confero.models import Problem
from confero.runtime.bodies import adapter_of
from confero.runtime.problems import CONTENT_TYPE

if TYPE_CHECKING:
    from confero.runtime.http import Route

REF = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"\{(\w+)(?::[^{}]*(?:\{[^{}]*\}[^{}]*)*)?\}")
Json = dict[str, Any]
SCHEMES: dict[str, Json] = {
    "service": {"type": "http", "scheme": "bearer", "description": "Service token: caller, audience, expiry."},
    "admin": {"type": "http", "scheme": "bearer", "description": "The installation's admin token."},
    "participant": {"type": "http", "scheme": "bearer", "description": "The token of a join."},
}
"""How callers prove who they are."""


def describe(title: str, routes: Sequence[Route]) -> Json:
    """The document of an app. Routes of one path stand together, in their order."""
    schemas, definitions = _schemas(routes)
    paths: dict[str, Json] = {}
    for index, route in enumerate(routes):
        path = _PARAMETER.sub(r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(index, route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": confero.__version__},
        "paths": paths,
        "components": {
            "schemas": definitions,
            "securitySchemes": {name: SCHEMES[name] for name in sorted(_used_schemes(routes))},
        },
    }


def _used_schemes(routes: Sequence[Route]) -> set[str]:
    return {"service"} | {route.security for route in routes if route.security}


def _schemas(routes: Sequence[Route]) -> tuple[dict[Any, Json], Json]:
    """``{(route index, part): schema}`` and the definitions that these refer to."""
    wanted: list[tuple[Any, JsonSchemaMode, TypeAdapter[Any]]] = [("problem", "serialization", TypeAdapter(Problem))]
    for index, route in enumerate(routes):
        if route.body is not None:
            wanted.append(((index, "body"), "validation", adapter_of(route.body)))
        if route.reply is not None:
            wanted.append(((index, "reply"), "serialization", adapter_of(route.reply)))
    found, rest = TypeAdapter.json_schemas(wanted, ref_template=REF)
    return {key: schema for (key, _), schema in found.items()}, rest.get("$defs", {})


def _operation(index: int, route: Route, schemas: dict[Any, Json]) -> Json:
    operation: Json = {"operationId": _operation_id(route), "responses": _responses(index, route, schemas)}
    if route.summary:
        operation["summary"] = route.summary
    if parameters := [*_path_parameters(route), *_query_parameters(route)]:
        operation["parameters"] = parameters
    if route.body is not None:
        content = {"application/json": {"schema": schemas[index, "body"]}}
        operation["requestBody"] = {"required": True, "content": content}
    if route.security:
        operation["security"] = [{route.security: []}]
    if route.scope is not None:
        callers = ", ".join(sorted(ACCESS[route.scope]))
        operation["security"] = [{"service": []}]
        operation["description"] = f"Scope `{route.scope}`: {callers}."
    return operation


def _operation_id(route: Route) -> str:
    path = _PARAMETER.sub(r"by \1", route.path)
    return "_".join(re.findall(r"[a-z0-9]+", f"{route.method} {path}".lower()))


def _path_parameters(route: Route) -> Iterable[Json]:
    for name in _PARAMETER.findall(route.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query_parameters(route: Route) -> Iterable[Json]:
    """The fields of the query's model, which are plain values."""
    schema = {} if route.query is None else adapter_of(route.query).json_schema()
    for name, value in schema.get("properties", {}).items():
        yield {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": value}


def _responses(index: int, route: Route, schemas: dict[Any, Json]) -> Json:
    success: Json = {"description": HTTPStatus(route.status).phrase}
    if route.reply is not None:
        success["content"] = {"application/json": {"schema": schemas[index, "reply"]}}
    elif route.reply_type:
        success["content"] = {route.reply_type: {}}
    responses: Json = {str(route.status): success}
    content = {CONTENT_TYPE: {"schema": schemas["problem"]}}
    for status, codes in _errors(route).items():
        text = ", ".join(f"`{code}`" for code in codes)
        responses[status] = {"description": f"Problem {text}", "content": content}
    responses.setdefault("default", {"description": "Problem details (RFC 9457)", "content": content})
    return responses


def _errors(route: Route) -> dict[str, list[str]]:
    """Problem codes by status, from ``"404 room-unknown"``; a code without a status stands under ``default``."""
    found: dict[str, list[str]] = {}
    declared = list(route.errors)
    if route.body is not None:
        declared += ["400 not-json", "413 body-too-large", "415 content-type", "422 invalid-body"]
    if route.scope is not None:
        declared += ["401 token-invalid", "401 token-expired", "403 not-allowed"]
    for entry in declared:
        status, _, code = entry.rpartition(" ")
        found.setdefault(status or "default", []).append(code)
    return found
