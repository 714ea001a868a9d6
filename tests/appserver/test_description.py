"""The OpenAPI document of the public API: valid, whole, and its examples are what they are examples of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from confero.appserver.api.description import TAGS, words
from confero.appserver.app import AppserverApp
from confero.appserver.config import AppserverConfig
from confero.appserver.rights.schemes import SCHEMES, ways
from confero.appserver.rights.table import RULES
from confero.runtime.bodies import adapter_of
from confero.runtime.http import Route

CODE = re.compile(r"urn:confero:problem:([a-z0-9-]+)")


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> list[Route]:
    app = AppserverApp(AppserverConfig(state_dir=tmp_path_factory.mktemp("state"), https_port=0, http_port=0))
    return [route for route in app.site.routes if route.documented]


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    app = AppserverApp(AppserverConfig(state_dir=tmp_path_factory.mktemp("state"), https_port=0, http_port=0))
    return app.site.openapi(words())


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, found in document["paths"].items():
        for method, operation in found.items():
            yield f"{method.upper()} {path}", operation


def test_it_is_valid(document: dict[str, Any]) -> None:
    validate(document)


def test_each_operation_says_what_it_is_about(document: dict[str, Any]) -> None:
    seen = set()
    for name, operation in operations(document):
        assert operation["summary"] and operation["description"] and operation["security"], name
        [tag] = operation["tags"]
        seen.add(tag)
        for parameter in operation.get("parameters", ()):
            assert parameter["schema"], name
            assert parameter["in"] == "query" or ("description" in parameter and "example" in parameter), name
    assert seen == set(TAGS)
    assert set(document["components"]["securitySchemes"]) == set(SCHEMES)


def test_proofs_are_those_of_the_table(routes: list[Route]) -> None:
    """Somebody of each kind that a rule lets do something has a way to show it, and nobody else."""
    for route in routes:
        rule, found = RULES[route.rule], ways(RULES[route.rule], route.method)
        assert (() in found) == ("anyone" in rule.may)
        assert (("key",) in found) == (rule.scope is not None), route
        changes = route.method not in ("GET", "HEAD")
        assert not changes or ("session",) not in found
        assert ("participant",) in found or not rule.may & {"participant"}
        assert ("admin",) in found or "admin" not in rule.may


def test_every_body_and_answer_has_an_example_which_its_model_takes(routes: list[Route]) -> None:
    examples = words().examples
    models = {model for route in routes for model in (route.body, route.reply) if model is not None}
    assert models - examples.keys() == set()
    assert examples.keys() - models == set()
    for model, example in examples.items():
        adapter_of(model).validate_python(example)


def test_examples_fit_their_schemas(document: dict[str, Any]) -> None:
    """Those of bodies and answers, of parameters and of problems, by a validator that is not ours."""
    registry = Registry().with_resource("doc:", Resource(document, DRAFT202012))
    checked = 0

    def check(schema: dict[str, Any], example: Any) -> None:
        nonlocal checked
        local = {"$id": "doc:", **_absolute(schema)}
        Draft202012Validator(local | {"$id": "here:"}, registry=registry).validate(example)
        checked += 1

    for _, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            if "example" in parameter:
                check(parameter["schema"], parameter["example"])
        for content in contents(operation.get("requestBody", {}), *operation["responses"].values()):
            check(content["schema"], content["example"])
    for content in contents(*document["components"]["responses"].values()):
        for reference in content.get("examples", {}).values():
            name = reference["$ref"].rpartition("/")[2]
            check(content["schema"], document["components"]["examples"][name]["value"])
    assert checked > 200


def contents(*parts: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Those that have a schema: what is no JSON has none."""
    for part in parts:
        yield from (one for one in part.get("content", {}).values() if "schema" in one)


def _absolute(schema: Any) -> Any:
    """References as seen from outside of the document."""
    if isinstance(schema, dict):
        return {k: f"doc:{v}" if k == "$ref" else _absolute(v) for k, v in schema.items()}
    return [_absolute(one) for one in schema] if isinstance(schema, list) else schema


def test_every_code_that_is_raised_stands_in_it(document: dict[str, Any]) -> None:
    """Refusals of the public handlers and of the rules below them, by their sources."""
    told = set(CODE.findall(str(document)))
    source = Path(__file__).parents[2] / "appserver"
    inside = {"internal.py", "sipinternal.py", "relays.py", "fleet.py", "farm.py", "places.py"}
    raised = {
        code
        for path in sorted(source.rglob("*.py"))
        if path.name not in inside and "migrations" not in path.parts
        for code in re.findall(r'code="([a-z0-9-]+)"', path.read_text(encoding="utf-8"))
    }
    assert sorted(raised - told) == []
