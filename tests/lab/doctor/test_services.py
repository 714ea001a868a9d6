"""Internal ports against services that answer as they are told, each with one fault."""

from __future__ import annotations

from email.utils import formatdate
from typing import Any

import pytest

from confero.appserver.config import AppserverConfig
from confero.clock import FakeClock
from confero.lab.doctor import services
from confero.lab.doctor.findings import NotTried, Told, Unwell, Verdict
from confero.lab.doctor.place import Row, Spot
from confero.mcu.config import McuConfig

from .rig import HOST, patient, place, says, serving, shows

APPSERVER: Row = ("appserver", "http")
HEALTHY = says({"status": "ok"})


def ready(status: int = 200, **checks: bool) -> Any:
    return says({"status": "ready" if status == 200 else "not-ready", "checks": {"started": True, **checks}}, status)


async def told(check: Any, routes: dict[str, Any], **configs: Any) -> Told:
    async with (
        serving(routes) as spot,
        patient(place({APPSERVER: spot, ("mcu", "http"): spot}, configs=configs)) as one,
    ):
        try:
            found: Told = await check(one)
        except (Unwell, NotTried) as ended:
            return ended.told
        return found


@pytest.mark.parametrize(
    ("routes", "verdict", "what", "advice"),
    [
        ({"/health": HEALTHY, "/ready": ready()}, Verdict.OK, "healthy and ready", ""),
        (
            {"/health": HEALTHY, "/ready": ready(503, database=False)},
            Verdict.FAIL,
            "cannot reach its database",
            "database_url",
        ),
        ({"/health": HEALTHY, "/ready": ready(503, started=False)}, Verdict.FAIL, "still starting", "log"),
        ({"/health": HEALTHY, "/ready": ready(503, disk=False)}, Verdict.FAIL, "disk is not met", "log"),
        ({"/health": shows("It works!")}, Verdict.FAIL, "not as the application server", "something else"),
        ({}, Verdict.FAIL, "/health answers 404", "something else"),
    ],
)
async def test_health_and_readiness(routes: dict[str, Any], verdict: Verdict, what: str, advice: str) -> None:
    found = await told(services.service("appserver"), routes)
    assert found.verdict is verdict and what in found.what and advice in found.advice


async def test_services_that_are_not_there() -> None:
    async with patient(place({APPSERVER: Spot(HOST, 1)})) as one:
        with pytest.raises(Unwell, match="nothing listens"):
            await services.service("appserver")(one)
        with pytest.raises(NotTried, match="see 'appserver'"):
            await services.database(one)
        with pytest.raises(NotTried, match="no TURN server is installed"):
            await services.service("turn")(one)


async def test_a_service_on_a_machine_with_another_clock() -> None:
    clock = FakeClock()
    routes = {"/health": HEALTHY, "/ready": says({"status": "ready"}, Date=formatdate(clock.wall() + 30, usegmt=True))}
    async with serving(routes) as spot, patient(place({APPSERVER: spot}), clock=clock) as one:
        found = await services.service("appserver")(one)
    assert found.verdict is Verdict.FAIL and "30 s ahead" in found.what and "NTP" in found.advice


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (None, "SQLite in the state folder"),
        ("mysql+aiomysql://confero:hush@db.internal:3307/confero", "mysql at db.internal:3307"),
    ],
)
async def test_the_database_by_the_application_servers_word(url: str | None, shown: str) -> None:
    config = AppserverConfig.model_validate({"database_url": url})
    good = await told(services.database, {"/ready": ready(database=True)}, appserver=config)
    bad = await told(services.database, {"/ready": ready(503, database=False)}, appserver=config)
    other = await told(services.database, {"/ready": says({"status": "?"})}, appserver=config)
    assert good.verdict is Verdict.OK and good.what.startswith(shown)
    assert bad.verdict is Verdict.FAIL and bad.what.startswith(shown) and "database_url" in bad.advice
    assert other.verdict is Verdict.SKIP
    assert "hush" not in good.what + bad.what + bad.advice


def figures(used: float, most: float) -> dict[str, Any]:
    return {"/metrics": shows(f"# HELP\nprocess_open_fds {used}\nprocess_max_fds {most}\n")}


@pytest.mark.parametrize(
    ("used", "most", "verdict", "words"),
    [
        (20, 20_000, Verdict.OK, "20000 files or more"),
        (900, 1000, Verdict.FAIL, "900 of 1000 files are open"),
        (20, 1000, Verdict.WARN, "1000 files may be open, 11000 are needed for [appserver] max_websockets"),
    ],
)
async def test_open_files(used: float, most: float, verdict: Verdict, words: str) -> None:
    found = await told(services.limits, figures(used, most), appserver=AppserverConfig())
    assert found.verdict is verdict and words in found.what
    assert verdict is Verdict.OK or "LimitNOFILE" in found.advice


async def test_open_files_that_nobody_tells() -> None:
    assert (await told(services.limits, {}, appserver=AppserverConfig())).verdict is Verdict.SKIP


@pytest.mark.parametrize(
    ("host", "verdict"),
    [("127.0.0.1", Verdict.OK), ("10.1.2.3", Verdict.OK), ("0.0.0.0", Verdict.WARN), ("8.8.4.4", Verdict.WARN)],
)
async def test_how_internal_ports_are_bound(host: str, verdict: Verdict) -> None:
    config = McuConfig(http_host=host)
    async with patient(place({("mcu", "http"): Spot(host, 2131)}, configs={"mcu": config})) as one:
        found = await services.exposure(one)
    assert found.verdict is verdict and (verdict is Verdict.OK or f"[mcu] http_host = {host}" in found.what)


async def test_only_our_own_services_count_as_exposed() -> None:
    async with (
        serving({"/health": HEALTHY}) as ours,
        serving({"/health": shows("nginx")}) as other,
        patient(place()) as one,
    ):
        assert await services._answers(one, ours, APPSERVER)
        assert not await services._answers(one, other, APPSERVER)
        assert await services._answers(one, other, ("database", "sql"))
        assert not await services._answers(one, Spot(HOST, 1), APPSERVER)
