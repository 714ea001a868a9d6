"""The dial plan: which rules fit a call, in their order, and what each makes of the number. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from confero.errors import RemoteError

from .entities import Direction, Rule, Source
from .patterns import MAX_USER, parse, plain_number

FIELDS = re.compile(r"\{(user|number)\}")
DOMAIN = re.compile(r"(\*\.)?[A-Za-z0-9.:\[\]-]{1,255}")
NEEDS_TARGET = frozenset({"room", "user", "trunk"})


class RuleError(RemoteError):
    """The rule makes no sense; the detail says why, ``field`` where."""

    def __init__(self, detail: str, field: str) -> None:
        place = {"loc": field, "type": "rule-invalid", "msg": detail}
        super().__init__(detail, status=422, code="rule-invalid", errors=[place])


@dataclass(frozen=True)
class Dialled:
    """A call that looks for its way."""

    direction: Direction
    user: str
    """The called user part, unescaped."""
    domain: str = ""
    source: Source = "unknown"
    """Who calls: proven to be a trunk, an account, a browser; or not proven."""
    source_name: str = ""


@dataclass(frozen=True)
class Match:
    """A rule that fits."""

    rule: Rule
    number: str
    """What was dialled, without separators, stripped and prefixed as the rule says."""
    target: str


def check(rule: Rule) -> None:
    """Raises PatternError or RuleError for a rule that could not be applied."""
    parse(rule.pattern)
    if "{" in (bare := FIELDS.sub("", rule.target)) or "}" in bare:
        raise RuleError("a target has no other fields than {user} and {number}", "target")
    if rule.action in NEEDS_TARGET and not rule.target:
        raise RuleError(f"the action {rule.action} needs a target", "target")
    if rule.domain and not DOMAIN.fullmatch(rule.domain):
        raise RuleError("a domain is a host's name, or *. and the end of it", "domain")
    if rule.source_name and rule.source not in ("trunk", "account"):
        raise RuleError("a source's name goes with the source trunk or account", "source_name")
    if rule.direction == "out" and rule.source not in ("any", "browser"):
        raise RuleError("calls out are made by browsers", "source")
    if rule.direction == "out" and rule.action in ("room", "menu"):
        raise RuleError("a browser enters rooms by their links", "action")


def find(rules: Iterable[Rule], call: Dialled) -> Iterator[Match]:
    """The rules that fit, by position and then by age."""
    if not 0 < len(call.user) <= MAX_USER:
        return
    for rule in sorted(rules, key=lambda rule: (rule.position, rule.id or 0)):
        if rule.enabled and fits(rule, call):
            yield _applied(rule, call.user)


def fits(rule: Rule, call: Dialled) -> bool:
    """Whether a rule is for this call."""
    if rule.direction != call.direction or rule.source not in ("any", call.source):
        return False
    if rule.source_name not in ("", call.source_name) or not _in_domain(rule.domain, call.domain):
        return False
    pattern = parse(rule.pattern)
    return pattern.matches(call.user) or pattern.matches(plain_number(call.user))


def _in_domain(wanted: str, domain: str) -> bool:
    """RFC 3261 section 19.1.4: hosts compare without regard to case."""
    wanted, domain = wanted.lower(), domain.lower()
    return wanted in ("", domain) or (wanted.startswith("*.") and domain.endswith(wanted[1:]))


def _applied(rule: Rule, user: str) -> Match:
    number = rule.prepend + plain_number(user)[rule.strip :]
    values = {"user": user, "number": number}
    return Match(rule, number, FIELDS.sub(lambda found: values[found[1]], rule.target)[: 2 * MAX_USER])
