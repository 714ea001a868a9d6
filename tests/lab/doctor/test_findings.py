"""Verdicts: which is the worst, and what the exit code says of them."""

from __future__ import annotations

import pytest

from confero.lab.doctor.findings import Finding, NotTried, Unwell, Verdict, worst
from confero.lab.doctor.report import exit_code

OK, WARN, FAIL, SKIP = Verdict.OK, Verdict.WARN, Verdict.FAIL, Verdict.SKIP


def finding(verdict: Verdict) -> Finding:
    return Finding("page", "443/tcp", verdict, 0.1, "seen")


@pytest.mark.parametrize(
    ("verdicts", "gravest", "code"),
    [
        ((), OK, 0),
        ((SKIP,), OK, 0),
        ((OK, SKIP), OK, 0),
        ((OK, WARN, SKIP), WARN, 0),
        ((FAIL, WARN, OK), FAIL, 1),
    ],
)
def test_the_worst_counts(verdicts: tuple[Verdict, ...], gravest: Verdict, code: int) -> None:
    found = [finding(verdict) for verdict in verdicts]
    assert worst(found) is gravest and exit_code(found) == code


def test_a_check_may_end_by_an_exception_that_says_the_same() -> None:
    assert Unwell("what", "advice").told.verdict is FAIL and Unwell("what", "advice").told.advice == "advice"
    assert NotTried("why").told.verdict is SKIP
