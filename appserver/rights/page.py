"""docs/authorisation.md, made from the table of rules."""

from __future__ import annotations

from .table import RELATIONS, RULES, Rule

HEAD = """# Authorisation

Made by `python -m confero.appserver.rights` from `appserver/rights/table.py`; the same table guards the routes and makes the tests.

A rule lists what somebody has to be to what they ask for; any of them is enough. An API key also needs the scope,
and never may what its maker may not. Whoever has proved nothing is answered 401 `sign-in-needed`, else 403
`not-allowed` (404 `meeting-unknown` for records; 403 `scope-missing` for keys); a token that is
no good is 401 `token-invalid` or `token-expired` and never ignored. All of it is decided before a body is read.

"""


def render() -> str:
    """The page."""
    relations = "\n".join(f"| {name} | {what} |" for name, what in RELATIONS.items())
    rules = "\n".join(_row(name, rule) for name, rule in RULES.items())
    return (
        f"{HEAD}## Who\n\n| relation | is |\n|---|---|\n{relations}\n\n"
        f"## Rules\n\n| rule | what | who may | key's scope |\n|---|---|---|---|\n{rules}\n"
    )


def _row(name: str, rule: Rule) -> str:
    who = ", ".join(one for one in RELATIONS if one in rule.may)
    return f"| `{name}` | {rule.what} | {who} | {f'`{rule.scope}`' if rule.scope else 'none'} |"
