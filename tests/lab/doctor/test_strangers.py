"""Doors that are open to everybody are named where everybody comes by, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from confero.appserver.config import AppserverConfig
from confero.lab.doctor.findings import Verdict
from confero.lab.doctor.strangers import strangers

from .rig import patient, place

CLOSED = {"sign_up": "closed", "guests_make_rooms": False}


@pytest.mark.parametrize(
    ("name", "settings", "verdict", "what", "advice"),
    [
        ("203.0.114.7", {}, Verdict.WARN, "203.0.114.7, where anybody may make accounts and make rooms", "sign_up"),
        ("203.0.114.7", {"sign_up": "closed"}, Verdict.WARN, "anybody may make rooms", "guests_make_rooms = false"),
        ("2a00:1450::1", {"guests_make_rooms": False}, Verdict.WARN, "anybody may make accounts", '"closed"'),
        ("203.0.114.7", CLOSED, Verdict.OK, "makes nothing", ""),
        ("192.168.1.5", {}, Verdict.OK, "those of this network", ""),
        ("127.0.0.1", {}, Verdict.OK, "those of this network", ""),
        ("no-such-name.invalid", {}, Verdict.OK, "those of this network", ""),
    ],
)
async def test_doors(name: str, settings: dict[str, Any], verdict: Verdict, what: str, advice: str) -> None:
    at = replace(place(configs={"appserver": AppserverConfig(**settings)}), name=name)
    async with patient(at) as one:
        found = await strangers(one)
    assert (found.verdict, advice in found.advice, what in found.what) == (verdict, True, True), found


async def test_without_an_application_server() -> None:
    async with patient(place()) as one:
        assert (await strangers(one)).verdict is Verdict.SKIP
