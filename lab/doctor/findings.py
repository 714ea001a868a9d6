"""What a check has to say: a verdict, what was seen, and what to change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """``WARN``: it works here, but not everywhere or not for long. ``SKIP``: nothing was tried, and why."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True)
class Told:
    """What a check returns."""

    verdict: Verdict
    what: str
    """What was seen, for a person."""
    advice: str = ""
    """Which setting or firewall rule to change; empty where there is nothing to do."""


@dataclass(frozen=True)
class Finding:
    """What a check returned, with its name and its time."""

    check: str
    port: str
    """Number and transport, such as ``443/tcp``; empty for what belongs to no port."""
    verdict: Verdict
    seconds: float
    what: str
    advice: str = ""


class Unwell(Exception):
    """Ends a check: it fails, for this reason."""

    def __init__(self, what: str, advice: str = "") -> None:
        super().__init__(what)
        self.told = fail(what, advice)


class NotTried(Exception):
    """Ends a check: what it needs is not there, which is another check's matter, or nobody's."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.told = skip(why)


def ok(what: str) -> Told:
    return Told(Verdict.OK, what)


def warn(what: str, advice: str) -> Told:
    return Told(Verdict.WARN, what, advice)


def fail(what: str, advice: str = "") -> Told:
    return Told(Verdict.FAIL, what, advice)


def skip(why: str) -> Told:
    return Told(Verdict.SKIP, why)


def worst(findings: Iterable[Finding]) -> Verdict:
    """The gravest verdict of a run; ``OK`` for none."""
    order = (Verdict.SKIP, Verdict.OK, Verdict.WARN, Verdict.FAIL)
    found = max((order.index(finding.verdict) for finding in findings), default=1)
    return order[max(1, found)]
