"""Trunks and accounts: followed, kept over starts without the application server, sealed on disk."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from confero.errors import LocalError, Unavailable
from confero.models.sip import SipConfigReply, SipGatewayAccount
from confero.runtime.tasks import TaskBag
from confero.sipgw.directory import Directory
from confero.sipgw.sealed import SealedFile

from ..support.waiting import until
from .test_trunks import settings

SECRET = b"s" * 32


def reply(version: int, user: str = "alice") -> SipConfigReply:
    account = SipGatewayAccount(user=user, realm="confero", display_name=user, allow_md5_without_qop=False)
    return SipConfigReply(version=version, changed=True, trunks=[settings()], accounts=[account])


class AppServer:
    """Has a version, and answers as the real one: at once with what is new, else after a while with nothing."""

    def __init__(self, held: SipConfigReply | None) -> None:
        self.held = held
        self.asked: list[tuple[int, float]] = []

    async def config(self, version: int, wait_s: float) -> SipConfigReply:
        self.asked.append((version, wait_s))
        if self.held is None:
            raise Unavailable("nobody is there")
        if self.held.version == version:
            await asyncio.sleep(0.01)
            return SipConfigReply(version=version, changed=False)
        return self.held


def directory(path: Path, server: AppServer) -> Directory:
    return Directory(server, SealedFile(path, SECRET), jitter=lambda: 0.0)


async def test_changes_are_followed_and_told(tmp_path: Path) -> None:
    server = AppServer(reply(1))
    one, told, tasks = directory(tmp_path / "d", server), [], TaskBag()
    one.changed.append(lambda: told.append(one.version))
    tasks.spawn(one.follow(), name="follow")
    await until(lambda: one.version == 1)
    assert one.account("alice", "confero") and one.account("alice", "elsewhere") is None and "pstn" in one.trunks
    server.held = reply(2, "bob")
    await until(lambda: one.version == 2)
    assert one.account("bob", "confero") and one.account("alice", "confero") is None and told == [1, 2]
    server.held = None
    await until(lambda: len(server.asked) > 4)
    assert one.account("bob", "confero"), "while the application server is away what was known holds"
    server.held = reply(1)
    await until(lambda: one.version == 1)
    assert one.account("alice", "confero"), "another database counts for itself"
    await tasks.close()


async def test_a_start_without_the_application_server(tmp_path: Path) -> None:
    await directory(tmp_path / "d", AppServer(reply(5))).ask()
    server = AppServer(None)
    one = directory(tmp_path / "d", server)
    one.recall()
    assert one.trunks["pstn"].secret == "pass word" and one.account("alice", "confero")
    with pytest.raises(Unavailable):
        await one.ask()
    assert server.asked == [(-1, 0.0)], "whoever is asked next may count otherwise"


def test_nothing_kept_is_nothing_known(tmp_path: Path) -> None:
    one = directory(tmp_path / "d", AppServer(None))
    one.recall()
    assert one.trunks == {} and one.version == -1


@pytest.mark.parametrize("content", [b"", b"x" * 5, b"x" * 500])
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "d").write_bytes(content)
    one = directory(tmp_path / "d", AppServer(None))
    one.recall()
    assert one.trunks == {}


def test_what_is_kept_cannot_be_read_by_others(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "d"
    SealedFile(path, SECRET).write(b"pass word")
    assert SealedFile(path, SECRET).read() == b"pass word"
    assert b"pass" not in path.read_bytes() and path.stat().st_mode & 0o077 == 0
    with pytest.raises(LocalError, match="another secret"):
        SealedFile(path, b"t" * 32).read()
    other = tmp_path / "sub" / "e"
    other.write_bytes(path.read_bytes())
    with pytest.raises(LocalError):
        SealedFile(other, SECRET).read()
