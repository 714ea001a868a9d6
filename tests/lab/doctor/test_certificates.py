"""Certificates, on real handshakes: what is wrong with each is named."""

from __future__ import annotations

import datetime as dt
import ssl
from pathlib import Path
from typing import Any

import pytest

from confero.lab.doctor import certificates
from confero.lab.doctor.findings import Told, Unwell, Verdict
from confero.lab.doctor.place import PAGE, Place, Spot

from .rig import HOST, NAME, certificate, patient, place, streams, write_ca

NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)


async def judged(tls: ssl.SSLContext | None, ca: Path | None = None, name: str = NAME) -> Told:
    async with streams(lambda _: None, tls) as spot:
        where = place({PAGE: spot}, ca=ca)
        async with patient(Place(name, True, where.spots, ca=ca)) as one:
            return await certificates.of_page(one)


async def test_one_of_the_own_authority_is_good_for_local_names(tmp_path: Path) -> None:
    authority, tls = certificate()
    told = await judged(tls, write_ca(authority, tmp_path))
    assert told.verdict is Verdict.OK and f"for {NAME}" in told.what and "authority in" in told.what


async def test_one_of_the_own_authority_is_no_good_for_the_world(tmp_path: Path) -> None:
    authority, tls = certificate("meet.example")
    told = await judged(tls, write_ca(authority, tmp_path), "meet.example")
    assert told.verdict is Verdict.WARN and "public authority" in told.advice


@pytest.mark.parametrize(
    ("dates", "verdict", "what", "advice"),
    [
        ({"not_before": NOW - 9 * DAY, "not_after": NOW - 2.5 * DAY}, Verdict.FAIL, "expired on", "renew it"),
        ({"not_before": NOW + DAY, "not_after": NOW + 9 * DAY}, Verdict.FAIL, "not valid before", "clock"),
    ],
)
async def test_its_dates(tmp_path: Path, dates: dict[str, Any], verdict: Verdict, what: str, advice: str) -> None:
    authority, tls = certificate(**dates)
    told = await judged(tls, write_ca(authority, tmp_path))
    assert told.verdict is verdict and what in told.what and advice in told.advice


async def test_one_that_ends_soon_where_the_world_trusts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    authority, tls = certificate(not_after=NOW + 3.5 * DAY)
    real = certificates._context

    def trusting(alpn: tuple[str, ...]) -> ssl.SSLContext:
        context = real(alpn)
        authority.configure_trust(context)
        return context

    monkeypatch.setattr(certificates, "_context", trusting)
    told = await judged(tls)
    assert told.verdict is Verdict.WARN and "ends in" in told.what and "renew" in told.advice


@pytest.mark.parametrize("name", ["other.test", "192.0.2.9"])
async def test_its_name(tmp_path: Path, name: str) -> None:
    authority, tls = certificate(NAME, "www.meet.test", "10.0.0.1")
    told = await judged(tls, write_ca(authority, tmp_path), name)
    assert told.verdict is Verdict.FAIL
    assert f"not for {name}" in told.what and "www.meet.test" in told.what and "10.0.0.1" in told.what


async def test_its_name_is_judged_though_nobody_trusts_it() -> None:
    _, tls = certificate("other.test")
    assert "not for meet.test" in (await judged(tls)).what


async def test_one_that_nobody_trusts() -> None:
    _, tls = certificate()
    told = await judged(tls)
    assert told.verdict is Verdict.WARN and "not trusted here" in told.what and "--ca" in told.advice


async def test_a_port_without_tls() -> None:
    async with streams(lambda _: b"HTTP/1.1 400 Bad Request\r\n\r\n") as spot, patient(place({PAGE: spot})) as one:
        with pytest.raises(Unwell) as raised:
            await certificates.of_page(one)
    assert "does not speak TLS" in raised.value.told.what


async def test_a_closed_port() -> None:
    async with patient(place({PAGE: Spot(HOST, 1)})) as one:
        with pytest.raises(Unwell, match="nothing listens"):
            await certificates.of_page(one)


def test_every_port_with_tls_has_its_settings() -> None:
    assert {PAGE, ("sipgw", "sips"), ("turn", "tls")} == set(certificates.SETTINGS)
