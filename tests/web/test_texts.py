"""Every problem that the real application server says it may answer the pages with has a sentence for people."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.appserver.site import Site

from .test_files import STATIC

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("web")]

REST = (STATIC / "js" / "pages" / "rest.js").read_text(encoding="utf-8")
ACCOUNT = (STATIC / "js" / "account.js").read_text(encoding="utf-8")
CALL = re.compile(r'request\("(GET|POST|PUT|PATCH|DELETE)", (?:at\()?[`"](?:/api/v1)?(/[^`"]+)[`"]')
SENTENCE = re.compile(r'^  "?([a-z][a-z-]*)"?: "([^"]+)",$', re.MULTILINE)
LISTED = re.compile(r"`([a-z0-9-]+)`")


def calls() -> set[tuple[str, str]]:
    """Method and path of each request that the pages make; what is filled in stands as ``{}``."""
    found = {(method, re.sub(r"\$\{[^}]*\}", "{}", path)) for method, path in CALL.findall(REST + ACCOUNT)}
    entered = re.findall(r'enter\("(POST)", "/api/v1(/[^"]+)"', ACCOUNT)
    return found | set(entered) | {("GET", "/session"), ("DELETE", "/session")}


def sentences() -> dict[str, str]:
    text = (STATIC / "js" / "texts" / "problems.js").read_text(encoding="utf-8")
    return dict(SENTENCE.findall(text[: text.index("export function sentence")]))


async def test_every_code_has_a_sentence(tmp_path: Path) -> None:
    site = Site(tmp_path)
    await site.start()
    try:
        _, document = await site.call("GET", "/api/v1/openapi.json")
    finally:
        await site.stop()
    answers: dict[str, set[str]] = {}
    known = {
        (method.upper(), re.sub(r"\{[^}]*\}", "{}", path.removeprefix("/api/v1"))): operation
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    asked = {(method, "/sip/accounts" if path == "/sip/{}" else path) for method, path in calls()}
    assert len(asked) > 30
    assert sorted(asked - known.keys()) == []
    for call in asked:
        for status, answer in known[call]["responses"].items():
            if status.isdigit() and int(status) >= 400:
                shared = document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
                for code in LISTED.findall(shared["description"]):
                    answers.setdefault(code, set()).add(" ".join(call))
    told = sentences()
    assert len(answers) > 10
    assert {code: sorted(calls) for code, calls in answers.items() if code not in told} == {}
