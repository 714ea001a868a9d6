"""Pages and their headers, over TLS."""

from __future__ import annotations

import asyncio
import re
import ssl
from pathlib import Path

import pytest
import trustme
from yarl import URL

from confero.appserver.web import policy

from .conftest import SiteMaker
from .site import Site


@pytest.mark.parametrize("path", ["/", "/r/lobby", "/r/no-such-room"])
async def test_pages(site: Site, path: str) -> None:
    async with site.http.get(site.url + path, ssl=site.trust) as response:
        assert response.status == 200
        assert response.content_type == "text/html"
        assert "<!doctype html>" in await response.text()


async def test_headers_that_protect(site: Site) -> None:
    async with site.http.get(site.url + "/", ssl=site.trust) as response:
        headers = response.headers
    policies = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policies["default-src"] == "'none'"
    assert policies["script-src"] == "'self'"
    assert policies["style-src"] == "'self'"
    assert policies["frame-ancestors"] == "'none'"
    assert f"wss://localhost:{site.url.rpartition(':')[2]}" in policies["connect-src"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Server" not in headers
    assert "Strict-Transport-Security" not in headers


async def test_headers_stand_on_errors_too(site: Site) -> None:
    async with site.http.get(site.url + "/nothing", ssl=site.trust) as response:
        assert response.status == 404
        assert response.content_type == "application/problem+json"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "Content-Security-Policy" in response.headers


@pytest.mark.parametrize("host", ["evil.example; script-src *", "a b", "x" * 300, "", "[::1]x"])
def test_host_cannot_write_policy(host: str) -> None:
    assert "wss:" not in policy(host)


@pytest.mark.parametrize("host", ["meet.example", "meet.example:8443", "127.0.0.1:443", "[::1]:8443", "[2001:db8::1]"])
def test_host_of_the_socket(host: str) -> None:
    assert f"connect-src 'self' wss://{host};" in policy(host)


def test_the_documented_policy_is_the_one_served() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "web-client.md").read_text()
    quoted = re.findall(r"```\n(default-src .*?)```", page, re.DOTALL)
    assert [" ".join(text.split()) for text in quoted] == [policy("HOST")]


async def test_every_file_that_the_page_names_is_served(site: Site) -> None:
    async with site.http.get(site.url + "/", ssl=site.trust) as response:
        names = re.findall(r'(?:src|href)="(/static/[^"]+)"', await response.text())
    assert names
    for name in names:
        async with site.http.get(site.url + name, ssl=site.trust) as response:
            assert response.status == 200, name
            assert response.content_type not in ("application/octet-stream", "text/html"), name


async def test_entity_tags(site: Site) -> None:
    async with site.http.get(site.url + "/", ssl=site.trust) as response:
        tag = response.headers["ETag"]
        assert response.headers["Cache-Control"] == "no-cache"
    for given, status in ((tag, 304), (f'"other", W/{tag}', 304), ('"other"', 200), ("*x", 200)):
        async with site.http.get(site.url + "/", headers={"If-None-Match": given}, ssl=site.trust) as response:
            assert response.status == status
            assert response.headers["ETag"] == tag


async def test_head(site: Site) -> None:
    async with site.http.head(site.url + "/", ssl=site.trust) as response:
        assert response.status == 200
        assert int(response.headers["Content-Length"]) > 100
        assert await response.read() == b""


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/app.py",
        "/static//etc/passwd",
        "/static/js/",
        "/static/vendor/preact.d.ts",
        "/static/js%00main.js",
        "/app.py",
    ],
)
async def test_only_the_clients_files(site: Site, path: str) -> None:
    async with site.http.get(URL(site.url + path, encoded=True), ssl=site.trust) as response:
        assert response.status == 404
        assert b"import" not in await response.read()


async def test_wrong_method(site: Site) -> None:
    assert (await site.call("POST", "/", {}))[0] == 405
    assert (await site.call("PUT", "/api/v1/rooms/lobby"))[0] == 405


async def test_probes_are_not_public(site: Site) -> None:
    for path in ("/metrics", "/ready", "/health", "/internal/v1/mcus"):
        assert (await site.call("GET", path))[0] == 404


async def test_hsts_with_the_operators_certificate(make_site: SiteMaker, tmp_path: Path) -> None:
    ca = trustme.CA()
    issued = ca.issue_cert("localhost")
    certificate, key = tmp_path / "own.pem", tmp_path / "own.key"
    certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    site = await make_site(certificate=certificate, certificate_key=key)
    trust = ssl.create_default_context()
    ca.configure_trust(trust)
    async with site.http.get(site.url + "/", ssl=trust) as response:
        assert response.headers["Strict-Transport-Security"] == "max-age=31536000"


async def test_plain_http_on_the_tls_port(site: Site) -> None:
    """Garbage costs that connection only."""
    port = int(site.url.rpartition(":")[2])
    for garbage in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"\0" * 100, b"\x00" * 4096):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(garbage)
        try:
            async with asyncio.timeout(5):
                await reader.read()
        except ConnectionError:
            pass
        finally:
            writer.close()
    assert (await site.call("GET", "/api/v1/rooms/lobby"))[0] == 200


async def test_every_address_of_both_families(make_site: SiteMaker) -> None:
    site = await make_site(https_host="*")
    port = site.url.rpartition(":")[2]
    for host in ("127.0.0.1", "127.0.0.7", "[::1]"):
        async with site.http.get(f"https://{host}:{port}/", ssl=False) as response:
            assert response.status == 200
            assert f"wss://{host}:{port}" in response.headers["Content-Security-Policy"]
