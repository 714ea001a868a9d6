"""Every problem that the real application server says it may answer the pages and the meeting with has a sentence for people."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.appserver.site import Site

from .test_files import STATIC

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("web")]

REST = (STATIC / "js" / "pages" / "rest.js").read_text(encoding="utf-8")
ACCOUNT = (STATIC / "js" / "account.js").read_text(encoding="utf-8")
CALL = re.compile(r'request\("(GET|POST|PUT|PATCH|DELETE)", (?:at\()?[`"](?:/api/v1)?(/[^`"]+)[`"]')
MADE = re.compile(r'make\(at\([`"](/[^`"]+)[`"]')
SENTENCE = re.compile(r'^  "?([a-z][a-z-]*)"?: "([^"]+)",$', re.MULTILINE)
LISTED = re.compile(r"`([a-z0-9-]+)`")
PAGES_FAULT = """bad-host scope-missing too-slow not-json csrf content-type body-too-large invalid-body number-exists
too-many-numbers idempotency-key-invalid idempotency-key-used idempotency-key-unproven request-in-progress"""
"""What somebody who joins, or makes a room by its name alone, can do nothing about: "Something went wrong" says as much."""


def calls() -> set[tuple[str, str]]:
    """Method and path of each request that the pages make; what is filled in stands as ``{}``."""
    asked = CALL.findall(REST + ACCOUNT) + [("POST", path) for path in MADE.findall(REST)]
    found = {(method, re.sub(r"\$\{[^}]*\}", "{}", path)) for method, path in asked}
    entered = re.findall(r'enter\("(POST)", "/api/v1(/[^"]+)"', ACCOUNT)
    return found | set(entered) | {("GET", "/session"), ("DELETE", "/session")}


def sentences() -> dict[str, str]:
    text = (STATIC / "js" / "texts" / "problems.js").read_text(encoding="utf-8")
    return dict(SENTENCE.findall(text[: text.index("export function sentence")]))


def texts(file: str, name: str) -> set[str]:
    """The codes of a table of ``js/<file>``."""
    text = (STATIC / "js" / file).read_text(encoding="utf-8")
    begin = text.index(f"const {name} = ")
    return set(re.findall(r'^  "?([a-z][a-z-]*)"?: ', text[begin : text.index("});", begin)], re.MULTILINE))


def meeting_calls() -> dict[str, set[tuple[str, str]]]:
    """What the meeting asks: joining, telephones, and all else, because each has sentences of its own."""
    api = (STATIC / "js" / "api.js").read_text(encoding="utf-8")
    meeting = (STATIC / "js" / "meetingapi.js").read_text(encoding="utf-8")
    found = {
        (method, filled(path))
        for method, path in re.findall(r'(?:call|asMyself)\("([A-Z]+)", [`"]/api/v1(.+?)[`"],?', api)
    }
    asked = {(method, filled(path)) for method, path in re.findall(r'#ask\("([A-Z]+)", [`"](.*?)[`"][,)]', meeting)}
    telephones = {call for call in found if "calls" in call[1]}
    return {
        "join": found - telephones - {("GET", "/site")},
        "telephones": telephones,
        "meeting": {
            (method, f"/rooms/{{}}{path.removesuffix('{}') if path.startswith('/messages{}') else path}")
            for method, path in asked
        },
    }


def filled(path: str) -> str:
    return re.sub(r"\$\{(?:[^{}]|\{[^{}]*\}|`[^`]*`)*\}", "{}", path)


async def described(tmp_path: Path) -> dict[tuple[str, str], set[str]]:
    """Method and path -> the problem codes that the running server's description names."""
    site = Site(tmp_path)
    await site.start()
    try:
        _, document = await site.call("GET", "/api/v1/openapi.json")
    finally:
        await site.stop()
    return {
        (method.upper(), re.sub(r"\{[^}]*\}", "{}", path.removeprefix("/api/v1"))): codes(document, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }


def codes(document: dict[str, Any], operation: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    for status, answer in operation["responses"].items():
        if status.isdigit() and int(status) >= 400:
            shared = document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
            found |= set(LISTED.findall(shared["description"]))
    return found


def untold(known: dict[tuple[str, str], set[str]], asked: set[tuple[str, str]], told: set[str]) -> dict[str, list[str]]:
    assert sorted(asked - known.keys()) == []
    answers: dict[str, list[str]] = {}
    for call in sorted(asked):
        for code in known[call] - told:
            answers.setdefault(code, []).append(" ".join(call))
    return answers


async def test_every_code_has_a_sentence(tmp_path: Path) -> None:
    known = await described(tmp_path)
    asked = {(method, "/sip/accounts" if path == "/sip/{}" else path) for method, path in calls()}
    assert len(asked) > 30 and ("POST", "/rooms/{}/invitations") in asked
    assert sum(map(len, known.values())) > 100
    assert untold(known, asked, set(sentences())) == {}


async def test_every_code_of_a_meeting_has_a_sentence(tmp_path: Path) -> None:
    known = await described(tmp_path)
    asked = meeting_calls()
    assert {name: len(found) for name, found in asked.items()} == {"join": 4, "telephones": 4, "meeting": 20}
    general = set(sentences())
    assert (
        untold(known, asked["join"], texts("text.js", "CODES") | texts("texts/meeting.js", "MEETING_CODES") | general)
        == {}
    )
    assert untold(known, asked["telephones"], texts("text.js", "CALL_FAULTS") | general) == {}
    assert untold(known, asked["meeting"], texts("texts/meeting.js", "FAULTS") | general) == {}
