"""The dial plan: order, conditions, what becomes of the number, and rules that are refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from confero.appserver.sip.dialplan import Dialled, RuleError, check, find
from confero.appserver.sip.entities import Rule
from confero.appserver.sip.patterns import PatternError


def rule(number: int = 1, **values: Any) -> Rule:
    given: dict[str, Any] = {"position": 10, "direction": "in", "pattern": ".", "action": "room"}
    return Rule(number, **(given | values))


def ids(rules: list[Rule], **call: Any) -> list[int | None]:
    given: dict[str, Any] = {"direction": "in", "user": "4711"}
    return [match.rule.id for match in find(rules, Dialled(**(given | call)))]


def test_by_position_and_then_by_age() -> None:
    assert ids([rule(3, position=5), rule(2), rule(1), rule(4, position=1, enabled=False)]) == [3, 1, 2]


@pytest.mark.parametrize(
    ("values", "call", "fits"),
    [
        ({}, {"direction": "out"}, False),
        ({"source": "trunk"}, {"source": "trunk", "source_name": "a"}, True),
        ({"source": "trunk", "source_name": "b"}, {"source": "trunk", "source_name": "a"}, False),
        ({"source": "account"}, {"source": "unknown"}, False),
        ({"source": "unknown"}, {"source": "unknown"}, True),
        ({"domain": "a.example"}, {"domain": "A.Example"}, True),
        ({"domain": "a.example"}, {"domain": "b.example"}, False),
        ({"domain": "a.example"}, {}, False),
        ({"domain": "*.example"}, {"domain": "x.example"}, True),
        ({"domain": "*.example"}, {"domain": "example"}, False),
        ({"domain": "*.example"}, {"domain": "evilexample"}, False),
        ({"pattern": "471X"}, {"user": "47-11"}, True),
        ({"pattern": "47-11"}, {"user": "47-11"}, True),
        ({}, {"user": "x" * 129}, False),
        ({}, {"user": ""}, False),
    ],
)
def test_conditions(values: dict[str, Any], call: dict[str, Any], fits: bool) -> None:
    assert ids([rule(**values)], **call) == ([1] if fits else [])


def test_what_becomes_of_the_number() -> None:
    one = rule(pattern="0.", action="trunk", target="pbx-{number}/{user}", strip=1, prepend="+49")
    (match,) = find([one], Dialled("in", "0 30-12"))
    assert (match.number, match.target) == ("+493012", "pbx-+493012/0 30-12")
    (match,) = find([rule(target="{user}")], Dialled("in", "{number}"))
    assert match.target == "{number}"  # what was dialled is never a template


def test_brackets_and_plus_are_literals_and_nothing_more() -> None:
    one = rule(pattern="(a+)+")
    check(one)
    assert ids([one], user="(a+)+") == [1] and ids([one], user="aaaa") == []


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"target": "{secret}"}, "target"),
        ({"target": "{user"}, "target"),
        ({"target": ""}, "target"),
        ({"domain": "a b"}, "domain"),
        ({"source_name": "x"}, "source_name"),
        ({"direction": "out", "source": "trunk", "action": "user"}, "source"),
        ({"direction": "out", "action": "room"}, "action"),
    ],
)
def test_rules_that_make_no_sense_say_which_field_is_wrong(values: dict[str, Any], field: str) -> None:
    with pytest.raises(RuleError) as refused:
        check(replace(rule(), **values))
    assert [one["loc"] for one in refused.value.errors] == [field]


def test_a_rule_whose_pattern_is_none() -> None:
    with pytest.raises(PatternError):
        check(replace(rule(), pattern="a|b"))
