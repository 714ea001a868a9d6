"""OpenAPI 3.1 made from the routes and the wire models; what they do not say themselves is handed in as words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

import confero
from confero.access import ACCESS
from confero.models import Problem
from confero.runtime.bodies import adapter_of
from confero.runtime.problems import CONTENT_TYPE, URN, problem

if TYPE_CHECKING:
    from confero.runtime.http import Route

REF = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"\{(\w+)(?::[^{}]*(?:\{[^{}]*\}[^{}]*)*)?\}")
Json = dict[str, Any]
SERVICE: Json = {"type": "http", "scheme": "bearer", "description": "Service token: caller, audience, expiry."}
HEADERS: dict[str, Json] = {
    "X-Request-Id": {
        "description": "Names the request in the logs; the caller's own if it has sent a well-formed one.",
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "Seconds after which trying again may help.",
        "schema": {"type": "integer", "minimum": 1},
    },
}
WAITS = frozenset({429, 503})
"""Statuses that may come with ``Retry-After``."""


@dataclass(frozen=True)
class Note:
    """What is said of one operation beside what its route says."""

    tag: str = ""
    description: str = ""
    security: tuple[tuple[str, ...], ...] = ()
    """Ways to prove who asks, any of which is enough; each the schemes that it takes together; ``()``: nothing."""
    errors: tuple[str, ...] = ()
    """Problems, as ``Route.errors`` has them."""
    headers: tuple[str, ...] = ()
    """Names of ``Words.parameters`` that are headers of the request."""


@dataclass(frozen=True)
class Words:
    """What a description says beside the routes and models."""

    introduction: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    """What each is about, in the order in which they are shown."""
    schemes: Mapping[str, Json] = field(default_factory=dict)
    """Security schemes by name."""
    parameters: Mapping[str, Json] = field(default_factory=dict)
    """Of paths and headers, by name: ``description``, ``schema``, ``example``."""
    examples: Mapping[Any, Any] = field(default_factory=dict)
    """By the model of a body or reply."""
    note: Callable[[Route], Note] = lambda route: Note()


class _Schema(GenerateJsonSchema):
    """Without titles of fields, which only repeat their names."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def describe(title: str, routes: Sequence[Route], words: Words | None = None) -> Json:
    """The document of an app. Routes of one path stand together, in their order."""
    return _Document(title, routes, words or Words()).whole()


class _Document:
    def __init__(self, title: str, routes: Sequence[Route], words: Words) -> None:
        self._title = title
        self._routes = routes
        self._words = words
        self._notes = [words.note(route) for route in routes]
        self._schemas, self._definitions = _schemas(routes)
        self._codes: dict[str, Json] = {}
        """Examples of problems, by the name under which they are referred to."""
        self._refusals: dict[tuple[str, ...], str] = {}
        """Names of the answers that tell of problems, by status and codes: many operations have the same."""
        self._answers: dict[str, Json] = {}

    def whole(self) -> Json:
        words, paths = self._words, dict[str, Json]()
        for index, route in enumerate(self._routes):
            path = _PARAMETER.sub(r"{\1}", route.path)
            paths.setdefault(path, {})[route.method.lower()] = self._operation(index, route)
        info = {"title": self._title, "version": confero.__version__}
        return {
            "openapi": "3.1.0",
            "info": info | ({"description": words.introduction} if words.introduction else {}),
            "servers": [{"url": "/"}],
            "tags": [{"name": name, "description": text} for name, text in words.tags.items()],
            "paths": paths,
            "components": {
                "schemas": self._definitions,
                "responses": self._answers,
                "headers": HEADERS,
                "examples": self._codes,
                "securitySchemes": self._schemes(),
            },
        }

    def _schemes(self) -> Json:
        inside = {"service": SERVICE} if any(route.scope is not None for route in self._routes) else {}
        return inside | dict(self._words.schemes)

    # --- operations -----------------------------------------------------------------------------------------------

    def _operation(self, index: int, route: Route) -> Json:
        note = self._notes[index]
        operation: Json = {"operationId": operation_id(route)}
        if note.tag:
            operation["tags"] = [note.tag]
        if route.summary:
            operation["summary"] = route.summary
        if description := _description(route, note):
            operation["description"] = description
        if parameters := [*self._named(route, note), *_query_parameters(route)]:
            operation["parameters"] = parameters
        if route.body is not None:
            operation["requestBody"] = {"required": True, "content": self._json(index, "body", route.body)}
        if security := _security(route, note):
            operation["security"] = security
        return operation | {"responses": self._responses(index, route)}

    def _named(self, route: Route, note: Note) -> Iterable[Json]:
        """Parameters of the path, and headers."""
        plain: Json = {"schema": {"type": "string"}}
        for name in _PARAMETER.findall(route.path):
            yield {"name": name, "in": "path", "required": True} | plain | dict(self._words.parameters.get(name, {}))
        for name in note.headers:
            yield {"name": name, "in": "header"} | plain | dict(self._words.parameters.get(name, {}))

    def _json(self, index: int, part: str, model: Any) -> Json:
        content: Json = {"schema": self._schemas[index, part]}
        if model in self._words.examples:
            content["example"] = self._words.examples[model]
        return {"application/json": content}

    # --- answers --------------------------------------------------------------------------------------------------

    def _responses(self, index: int, route: Route) -> Json:
        success: Json = {"description": HTTPStatus(route.status).phrase, "headers": _headers(route.status)}
        if route.reply is not None:
            success["content"] = self._json(index, "reply", route.reply)
        elif route.reply_type:
            success["content"] = {route.reply_type: {}}
        found = _errors(route, self._notes[index])
        responses: Json = {str(route.status): success}
        responses |= {status: self._shared(status, codes) for status, codes in found.items() if status != "default"}
        return responses | {"default": self._shared("default", found.get("default", []))}

    def _shared(self, status: str, codes: list[str]) -> Json:
        key = (status, *sorted(codes))
        if key not in self._refusals:
            count = sum(known[0] == status for known in self._refusals) + 1
            self._refusals[key] = name = f"Problem-{status}-{count}"
            self._answers[name] = self._problem(status, sorted(codes))
        return {"$ref": f"#/components/responses/{self._refusals[key]}"}

    def _problem(self, status: str, codes: list[str]) -> Json:
        text = ", ".join(f"`{code}`" for code in codes)
        answer: Json = {"description": f"Problem {text}" if text else "Problem details (RFC 9457)"}
        content: Json = {"schema": self._schemas["problem"]}
        if status != "default":
            answer["headers"] = _headers(int(status))
            types = {"properties": {"type": {"enum": [URN + code for code in codes]}}}
            content = {"schema": {"allOf": [content["schema"], types]}, "examples": self._examples(int(status), codes)}
        return answer | {"content": {CONTENT_TYPE: content}}

    def _examples(self, status: int, codes: list[str]) -> Json:
        for code in codes:
            value = problem(status, code, request_id="req_5Jq0vA").model_dump(exclude_defaults=True)
            self._codes[f"{code}-{status}"] = {"value": value}
        return {code: {"$ref": f"#/components/examples/{code}-{status}"} for code in codes}


def _schemas(routes: Sequence[Route]) -> tuple[dict[Any, Json], Json]:
    """``{(route index, part): schema}`` and the definitions that these refer to."""
    wanted: list[tuple[Any, JsonSchemaMode, TypeAdapter[Any]]] = [("problem", "serialization", TypeAdapter(Problem))]
    for index, route in enumerate(routes):
        if route.body is not None:
            wanted.append(((index, "body"), "validation", adapter_of(route.body)))
        if route.reply is not None:
            wanted.append(((index, "reply"), "serialization", adapter_of(route.reply)))
    found, rest = TypeAdapter.json_schemas(wanted, ref_template=REF, schema_generator=_Schema)
    return {key: schema for (key, _), schema in found.items()}, rest.get("$defs", {})


def operation_id(route: Route) -> str:
    """``post_api_v1_rooms_by_room_join``: unique, and the same in every version."""
    path = _PARAMETER.sub(r"by \1", route.path)
    return "_".join(re.findall(r"[a-z0-9]+", f"{route.method} {path}".lower()))


def _description(route: Route, note: Note) -> str:
    callers = f"Scope `{route.scope}`: {', '.join(sorted(ACCESS[route.scope]))}." if route.scope is not None else ""
    return "\n\n".join(text for text in (note.description, callers) if text)


def _security(route: Route, note: Note) -> list[Json]:
    if route.scope is not None:
        return [{"service": []}]
    return [{scheme: [] for scheme in way} for way in note.security]


def _query_parameters(route: Route) -> Iterable[Json]:
    """The fields of the query's model, which are plain values."""
    if route.query is None:
        return
    schema = adapter_of(route.query).json_schema(schema_generator=_Schema)
    for name, value in schema.get("properties", {}).items():
        described = {"description": value.pop("description")} if "description" in value else {}
        yield (
            {"name": name, "in": "query", "required": name in schema.get("required", ())}
            | described
            | {"schema": value}
        )


def _headers(status: int) -> Json:
    names = ("X-Request-Id", "Retry-After") if status in WAITS else ("X-Request-Id",)
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _errors(route: Route, note: Note) -> dict[str, list[str]]:
    """Problem codes by status, from ``"404 room-unknown"``; a code without a status stands under ``default``."""
    found: dict[str, list[str]] = {}
    declared = [*route.errors, *note.errors]
    if route.query is not None:
        declared += ["422 invalid-body"]
    if route.body is not None:
        declared += ["400 not-json", "408 too-slow", "413 body-too-large", "415 content-type", "422 invalid-body"]
    if route.scope is not None:
        declared += ["401 token-invalid", "401 token-expired", "403 not-allowed"]
    for entry in dict.fromkeys(declared):
        status, _, code = entry.rpartition(" ")
        found.setdefault(status or "default", []).append(code)
    return dict(sorted(found.items()))
