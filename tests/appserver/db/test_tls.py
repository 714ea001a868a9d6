"""TLS to the database: a real server with certificates of a test's own, good ones and others, and somebody in between."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from sqlalchemy import text
from sqlalchemy.engine import URL, make_url

from confero.appserver.db.backup import backup
from confero.appserver.db.checkup import Finding, Place, examine
from confero.appserver.db.command import host_of
from confero.appserver.db.engine import Database, database_url
from confero.appserver.db.migrate import look, migrate
from confero.errors import LocalError, Unavailable

from ...support.authority import Authority, Pair
from ..mariadb import MariaDb

OURS = Authority("The company's")
THEIRS = Authority("Somebody's")
HERE = ("127.0.0.1", "localhost")
NAME = "confero_tls"
SSL_BIT = 0x08
"""CLIENT_SSL (0x800) in the upper byte of the lower capabilities."""
Connect = Callable[..., Database]


class Secure(MariaDb):
    """A server that can speak TLS, and has a user who has to prove himself by a certificate."""

    def __init__(self) -> None:
        names = {"ca": "ca.pem", "cert": "cert.pem", "key": "key.pem"}
        super().__init__(*(f"--ssl-{kind}={{folder}}/{file}" for kind, file in names.items()))
        self.share("ca.pem", OURS.certificate)
        self._give(OURS.issue("db", *HERE))

    def _give(self, pair: Pair) -> None:
        self.share("cert.pem", pair.certificate)
        self.share("key.pem", pair.key)

    def show(self, pair: Pair) -> None:
        """Another certificate from now on."""
        self._give(pair)
        assert self.sql("FLUSH SSL").returncode == 0


@pytest.fixture(scope="module")
def server() -> Iterator[Secure]:
    server = Secure()
    try:
        server.start()
        who = "proven@'127.0.0.1'"
        made = f"CREATE DATABASE {NAME}; CREATE USER {who} REQUIRE X509; GRANT ALL ON {NAME}.* TO {who}"
        assert server.sql(made).returncode == 0
        yield server
    finally:
        server.stop()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """What an operator has on this machine."""
    me, stranger = OURS.issue("confero"), THEIRS.issue("confero")
    key = load_pem_private_key(me.key, None)
    sealed = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    contents = {
        "ca.pem": OURS.certificate, "other.pem": THEIRS.certificate, "me.pem": me.certificate, "me.key": me.key,
        "stranger.pem": stranger.certificate, "stranger.key": stranger.key, "sealed.key": sealed,
    }  # fmt: skip
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.fixture
async def connect(server: Secure, files: Path) -> AsyncIterator[Connect]:
    made: list[Database] = []

    def connect(user: str = "root", host: str = "127.0.0.1", port: int = server.port, **named: str) -> Database:
        """``named``: files by the parameters of the URL."""
        made.append(Database(url_of(files, user, host, port, **named)))
        return made[-1]

    yield connect
    for database in made:
        await database.close()


def url_of(files: Path, user: str, host: str, port: int, **named: str) -> URL:
    query = "&".join(f"{name}={files / file}" for name, file in named.items())
    return database_url(f"mysql://{user}@{host}:{port}/{NAME}?{query}", files)


async def refusal(database: Database) -> Unavailable:
    """What a start meets; people are told to come again, as ever."""
    with pytest.raises(Unavailable) as asked:
        await database.rows(text("SELECT 1"))
    assert asked.value.code == "database-down"
    with pytest.raises(Unavailable) as caught:
        await migrate(database)
    return caught.value


# --- the URL ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("ssl_capath=/x", "ssl_capath is not a parameter that is known here; there are ssl_ca, ssl_cert, ssl_key"),
        ("ssl_ca=/x&ssl_check_hostname=false", "ssl_check_hostname is not"),
        ("ssl=true", "ssl is not"),
        ("ssl_ca=/x&ssl_ca=/y", "each name one file"),
        ("ssl_ca=", "each name one file"),
        ("charset=utf8&ssl_ca", "each name one file"),
        ("ssl_ca=&unix_socket=/x", "each name one file"),
        ("ssl_ca=/x&ssl_cert=/y", "belong together"),
        ("ssl_cert=/x&ssl_key=/y", "nobody vouches"),
        ("ssl_ca=/x&unix_socket=/y", "no TLS over unix_socket"),
    ],
)
def test_parameters_that_make_no_sense_are_said_at_once(query: str, fault: str) -> None:
    with pytest.raises(LocalError, match=fault) as caught:
        database_url(f"mysql://u:sesame@h/d?{query}", Path())
    assert "sesame" not in str(caught.value)


def test_parameters_that_do() -> None:
    query = {"ssl_ca": "/a", "ssl_cert": "/b", "ssl_key": "/c"}
    found = database_url("mysql://u@h/d?ssl_ca=/a&ssl_cert=/b&ssl_key=/c", Path())
    assert dict(found.query) == {**query, "charset": "utf8mb4"}
    assert database_url("mysql://u@/d?unix_socket=/run/x", Path()).query["unix_socket"] == "/run/x"


# --- the server -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", HERE)
async def test_everything_goes_through_tls(connect: Connect, host: str) -> None:
    """Migrations and transactions; without the parameters nothing does."""
    database = connect(host=host, ssl_ca="ca.pem")
    await migrate(database)
    version = "SHOW SESSION STATUS LIKE 'Ssl_version'"
    assert (await database.rows(text(version)))[0][1] in ("TLSv1.2", "TLSv1.3")
    assert (await look(database, lambda connection: connection.execute(text(version)).one()))[1] != ""
    assert (await connect(host=host).rows(text(version)))[0][1] == ""


async def test_a_wrong_ca_is_refused_and_says_whose_fault_it_is(connect: Connect, files: Path) -> None:
    refused = await refusal(connect(ssl_ca="other.pem"))
    assert refused.code == "database-refused", "which ends a start after half a minute, with these words"
    assert f"ssl_ca ({files / 'other.pem'}) does not vouch for the server's certificate" in refused.detail
    assert "another CA, or somebody else answers there" in refused.detail


@pytest.mark.parametrize(
    ("shown", "fault"),
    [
        (OURS.issue("db", "db.example"), "the server's certificate is not for 127.0.0.1"),
        (OURS.issue("db", *HERE, lasts=-dt.timedelta(hours=1)), "the server's certificate is out of date"),
    ],
)
async def test_a_certificate_that_is_no_good(connect: Connect, server: Secure, shown: Pair, fault: str) -> None:
    server.show(shown)
    try:
        refused = await refusal(connect(ssl_ca="ca.pem"))
    finally:
        server.show(OURS.issue("db", *HERE))
    assert refused.code == "database-refused" and fault in refused.detail


async def test_a_server_without_tls_is_not_gone_to_in_the_clear(connect: Connect, mariadb: MariaDb) -> None:
    refused = await refusal(connect(port=mariadb.port, ssl_ca="ca.pem"))
    assert refused.code == "database-refused" and "the server offers no TLS, which ssl_ca asks for" in refused.detail


async def test_whoever_strips_the_offer_learns_nothing(connect: Connect, server: Secure) -> None:
    """Somebody in between takes TLS out of the server's greeting, to have a name and a password in the clear."""
    heard = asyncio.get_running_loop().create_future()

    async def between(victim: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        head = await reader.readexactly(4)
        greeting = bytearray(await reader.readexactly(int.from_bytes(head[:3], "little")))
        capabilities = greeting.index(0, 1) + 1 + 4 + 8 + 1  # after version, thread, salt, filler
        assert greeting[capabilities + 1] & SSL_BIT
        greeting[capabilities + 1] &= ~SSL_BIT
        back.write(head + greeting)
        if not heard.done():
            heard.set_result(await victim.read())
        back.close()
        writer.close()

    listening = await asyncio.start_server(between, "127.0.0.1", 0)
    async with listening:
        port: int = listening.sockets[0].getsockname()[1]
        refused = await refusal(connect(port=port, ssl_ca="ca.pem"))
    assert "offers no TLS" in refused.detail and await heard == b""


# --- whom we are to it ------------------------------------------------------------------------------------------------


async def test_a_user_who_has_to_show_a_certificate(connect: Connect) -> None:
    ours = connect("proven", ssl_ca="ca.pem", ssl_cert="me.pem", ssl_key="me.key")
    assert await ours.rows(text("SELECT 1"))
    refused = await refusal(connect("proven", ssl_ca="ca.pem"))
    assert refused.code == "database-refused" and "Access denied" in refused.detail


async def test_a_certificate_that_the_server_does_not_want(connect: Connect, files: Path) -> None:
    """It hangs up, which may be anybody's fault: that is tried on, with a hint."""
    refused = await refusal(connect("proven", ssl_ca="ca.pem", ssl_cert="stranger.pem", ssl_key="stranger.key"))
    assert refused.code == "database-down" and f"ssl_cert ({files / 'stranger.pem'})" in refused.detail


@pytest.mark.parametrize(
    ("named", "fault"),
    [
        ({"ssl_ca": "nowhere.pem"}, "nowhere.pem: No such file"),
        ({"ssl_ca": "me.key"}, "ssl_ca cannot be used: no certificate"),
        (
            {"ssl_ca": "ca.pem", "ssl_cert": "me.pem", "ssl_key": "stranger.key"},
            "ssl_cert or ssl_key cannot be used: key val",
        ),
        ({"ssl_ca": "ca.pem", "ssl_cert": "me.pem", "ssl_key": "sealed.key"}, "the key is encrypted"),
    ],
)
async def test_files_of_ours_that_are_no_good(connect: Connect, named: dict[str, str], fault: str) -> None:
    refused = await refusal(connect(**named))
    assert refused.code == "database-refused" and "database_url: " in refused.detail and fault in refused.detail


async def test_files_that_change_are_read_again(connect: Connect, files: Path) -> None:
    database = connect(ssl_ca="other.pem")
    assert not await database.answers()
    (files / "other.pem").write_bytes(OURS.certificate)
    assert await database.answers()


# --- the command ------------------------------------------------------------------------------------------------------


async def transport(database: Database, host: str) -> Finding:
    (found,) = [
        one for one in await look(database, lambda connection: examine(connection, Place(5, host=host)))
        if one.check == "transport"
    ]  # fmt: skip
    return found


async def test_check_warns_of_what_others_can_read(connect: Connect) -> None:
    """By what the connection is, and where the URL says that it leads."""
    clear, sealed = connect(), connect(ssl_ca="ca.pem")
    found = await transport(clear, "db.example")
    assert found.verdict == "warn" and "db.example" in found.what and "ssl_ca" in found.advice
    assert (await transport(clear, "10.0.0.1")).verdict == "warn"
    for here in (*HERE, "::1", "127.8.8.8"):
        assert (await transport(clear, here)).verdict == "ok"
    found = await transport(sealed, "db.example")
    assert found.verdict == "ok" and found.what.startswith("TLS")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("mysql://u@db.example/d", "db.example"),
        ("mysql://u@[2001:db8::1]/d", "2001:db8::1"),
        ("mysql://u@/d", "localhost"),
        ("mysql://u@db.example/d?unix_socket=/run/x", "localhost"),
    ],
)
def test_where_a_url_leads(url: str, host: str) -> None:
    assert host_of(make_url(url)) == host


async def test_backups_are_as_careful(server: Secure, mariadb: MariaDb, connect: Connect, files: Path) -> None:
    await migrate(connect(ssl_ca="ca.pem"))
    where = ("proven", "127.0.0.1", server.port)
    ours = {"ssl_ca": "ca.pem", "ssl_cert": "me.pem", "ssl_key": "me.key"}
    assert await asyncio.to_thread(backup, url_of(files, *where, **ours), files / "copy.sql") > 1000
    for port, named in ((server.port, {"ssl_ca": "other.pem"}), (mariadb.port, {"ssl_ca": "ca.pem"})):
        with pytest.raises(Unavailable, match=r"(?i)ssl|tls|certificate"):
            await asyncio.to_thread(backup, url_of(files, "root", "127.0.0.1", port, **named), files / "no.sql")
