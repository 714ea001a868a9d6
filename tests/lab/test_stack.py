"""Where the lab's system listens, what it says of that, and what it reads of files and processes; nothing is started here."""

from __future__ import annotations

import ipaddress
import socket
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from confero.lab import stack
from confero.lab.members.rtp import RtpMember, remote_of
from confero.lab.stack import SERVICES, Stack, addresses
from confero.ports import UNPRIVILEGED, find


def test_each_service_has_a_loopback_address_of_its_own() -> None:
    found = addresses(41)
    assert list(found) == list(SERVICES)
    assert list(found.values()) == ["127.0.41.11", "127.0.41.12", "127.0.41.13", "127.0.41.14", "127.0.41.15"]
    assert all(ipaddress.ip_address(address).is_loopback for address in found.values())


def test_networks_share_no_address() -> None:
    assert not set(addresses(41).values()) & set(addresses(42).values())


def test_urls_are_as_browsers_write_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "_is_free", lambda *_: True)
    found = Stack(tmp_path, network=41)
    assert found.page_url == "https://127.0.41.11"
    assert found.url("mcu") == f"http://127.0.41.13:{find('mcu', 'http').number}"
    assert Stack(tmp_path, host="::1").page_url == "https://[::1]"


def test_ports_that_are_taken_have_their_stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "_is_free", lambda _, port: port != 443)
    found = Stack(tmp_path, host="::1")
    assert found.page_url == f"https://[::1]:{UNPRIVILEGED['appserver', 'https']}"
    assert found.port("appserver", "http") == find("appserver", "http").number


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_port_is_free_until_somebody_listens(family: socket.AddressFamily, host: str) -> None:
    with socket.socket(family) as listener:
        listener.bind((host, 0))
        port = listener.getsockname()[1]
        listener.listen()
        assert not stack._is_free(host, port)
    assert stack._is_free(host, port)


def test_rows_of_the_database(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "confero.db") as database:
        database.execute("CREATE TABLE rooms (id TEXT)")
        database.executemany("INSERT INTO rooms VALUES (?)", [("lobby",), ("attic",)])
    database.close()
    found = Stack(tmp_path, network=41)
    assert found.rows("SELECT id FROM rooms WHERE id > ? ORDER BY id", "b") == [("lobby",)]
    with pytest.raises(sqlite3.OperationalError):
        found.rows("DELETE FROM rooms")


def test_descriptors_leave_tcp_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Stack(tmp_path, network=41)
    monkeypatch.setattr(found, "pid", lambda _: "self")
    before = found.descriptors("mcu")
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM):
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        assert found.descriptors("mcu") == before + 1
    assert found.descriptors("mcu") == before


@pytest.mark.parametrize("host", ["127.0.41.101", "::1"])
def test_a_phones_offer_names_its_address(host: str) -> None:
    phone = RtpMember("Phone", np.zeros(960), mcu=None, room="lobby", host=host, port=9000)  # type: ignore[arg-type]
    offer = phone.offer()
    assert f"c=IN IP{6 if ':' in host else 4} {host}" in offer
    assert remote_of(offer) == (host, 9000)
