"""Telephony of the pretended application server, as an administrator sees it: it refuses what the real one does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from confero.appserver.sip.dialplan import check
from confero.appserver.sip.entities import Rule
from confero.errors import RemoteError
from confero.models.sipadmin import (
    DialRuleCreate,
    DialRuleInfo,
    DialRulePage,
    DialRulePatch,
    SipNumberCreate,
    SipNumberInfo,
)
from confero.runtime.problems import problem_of

from .backend import json_reply, problem

RULES_PAGE = 3
"""On one page, whatever is asked for."""


class Telephony:
    """``rules`` by id; ``shown``: what the other lists say."""

    def __init__(self) -> None:
        self.rules: dict[int, DialRuleInfo] = {}
        self.shown: dict[str, list[dict[str, Any]]] = {"accounts": [], "trunks": [], "numbers": []}

    def add(self, wish: DialRuleCreate) -> DialRuleInfo:
        """Raises RemoteError for what the real server refuses."""
        rule = DialRuleInfo(id=max(self.rules, default=0) + 1, **wish.model_dump())
        return self._keep(rule)

    def _keep(self, rule: DialRuleInfo) -> DialRuleInfo:
        check(Rule(**rule.model_dump()))
        self.rules[rule.id] = rule
        return rule

    def table(self) -> dict[str, Callable[[web.Request], Awaitable[web.Response]]]:
        """Method and path -> who answers."""
        return {
            "GET /sip/rules": self._list_rules,
            "POST /sip/rules": refusing(self._make_rule),
            "PATCH /sip/rules/{id}": refusing(self._patch_rule),
            "DELETE /sip/rules/{id}": self._delete_rule,
            "GET /sip/{what}": self._list,
            "POST /sip/numbers": refusing(self._make_number),
            "DELETE /sip/numbers/{number}": self._delete_number,
        }

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response({"items": self.shown[request.match_info["what"]], "next": None})

    async def _list_rules(self, request: web.Request) -> web.Response:
        after = int(request.query.get("after", "0"))
        found = [rule for key, rule in sorted(self.rules.items()) if key > after]
        mark = str(found[RULES_PAGE - 1].id) if len(found) > RULES_PAGE else None
        return json_reply(DialRulePage(items=found[:RULES_PAGE], next=mark))

    async def _make_rule(self, request: web.Request) -> web.Response:
        return json_reply(self.add(DialRuleCreate.model_validate_json(await request.text())), 201)

    async def _patch_rule(self, request: web.Request) -> web.Response:
        wish = DialRulePatch.model_validate_json(await request.text())
        rule = self.rules[int(request.match_info["id"])]
        return json_reply(self._keep(rule.model_copy(update=wish.model_dump(exclude_unset=True))))

    async def _delete_rule(self, request: web.Request) -> web.Response:
        del self.rules[int(request.match_info["id"])]
        return web.Response(status=204)

    async def _make_number(self, request: web.Request) -> web.Response:
        wish = SipNumberCreate.model_validate_json(await request.text())
        number, known = wish.number or "123456789", self.shown["numbers"]
        if any(one["number"] == number for one in known):
            return json_reply(problem("number-exists", 409), 409)
        made = SipNumberInfo(number=number, room=wish.room, has_pin=wish.pin is not None, created_at=0.0)
        known.append(made.model_dump())
        return json_reply(made, 201)

    async def _delete_number(self, request: web.Request) -> web.Response:
        known = self.shown["numbers"]
        known[:] = [one for one in known if one["number"] != request.match_info["number"]]
        return web.Response(status=204)


def refusing(
    handler: Callable[[web.Request], Awaitable[web.Response]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """What makes no sense is refused with the real server's words."""

    async def handle(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except RemoteError as error:
            return json_reply(problem_of(error), error.status)

    return handle
