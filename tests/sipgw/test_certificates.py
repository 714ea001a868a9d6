"""Certificates that appear, are renewed, or are no good."""

from __future__ import annotations

import asyncio
import os
import ssl
from pathlib import Path

import pytest
import trustme

from confero.errors import LocalError
from confero.runtime.tasks import spawn
from confero.sipgw import certificates
from confero.sipgw.certificates import Certificates

from ..support.waiting import until


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "LOOK_S", 0.02)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "leaf.pem", tmp_path / "leaf.key"


def issue(files: tuple[Path, Path]) -> bytes:
    """Another certificate, as its bytes on the wire."""
    leaf = trustme.CA().issue_cert("127.0.0.1")
    for path, data in zip(files, (leaf.cert_chain_pems[0].bytes(), leaf.private_key_pem.bytes()), strict=True):
        aside = path.with_suffix(".new")
        aside.write_bytes(data)
        aside.replace(path)
    return ssl.PEM_cert_to_DER_cert(files[0].read_text())


async def shown(context: ssl.SSLContext) -> bytes:
    """The certificate that a peer sees."""
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2], ssl=client)
        found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        return bytes(found)


async def test_one_that_appears_later(files: tuple[Path, Path]) -> None:
    watched, told = Certificates(*files), asyncio.Event()
    assert not watched.look()

    async def first() -> None:
        assert not told.is_set()
        told.set()

    task = spawn(watched.watch(first), name="watch")
    await asyncio.sleep(0.1)
    assert not told.is_set()
    wire = issue(files)
    await asyncio.wait_for(told.wait(), 5)
    assert await shown(watched.server) == wire
    renewed = issue(files)
    await until(lambda: watched._taken == certificates._stamp(files))
    await asyncio.sleep(0.1)
    assert await shown(watched.server) == renewed
    task.cancel()


async def test_one_that_is_no_good_leaves_the_one_before(files: tuple[Path, Path]) -> None:
    wire = issue(files)
    watched = Certificates(*files)
    assert watched.look()
    task = spawn(watched.watch(_never), name="watch")
    files[1].write_text("half a key")
    os.utime(files[1])
    await asyncio.sleep(0.2)
    assert not task.done() and await shown(watched.server) == wire
    renewed = issue(files)
    await until(lambda: watched._taken == certificates._stamp(files))
    assert await shown(watched.server) == renewed
    task.cancel()


async def test_one_that_is_no_good_at_the_start(files: tuple[Path, Path]) -> None:
    issue(files)
    files[1].write_text("half a key")
    with pytest.raises(LocalError, match="certificate"):
        Certificates(*files).look()


async def _never() -> None:
    raise AssertionError("there was one from the beginning")
