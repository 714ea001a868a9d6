"""Connections handed from one process to another: the open socket itself, over a Unix socket, with what is known of it.

No byte is copied, the connection keeps its peer's address, and once it has been handed on the giver may end without it noticing.
The one who takes them listens (``receive``), those who give connect (``confero.runtime.giving``), each as often as the
other restarts. One message of SOCK_SEQPACKET is one connection: this head, the kind, the client's host, and one descriptor::

    version u8 | flags u8 | client port u16 | length of kind u8 | length of host u8

Both sides ask the kernel who is at the other end (SO_PEERCRED); the socket's file is its owner's alone.
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntFlag
from pathlib import Path

from confero.errors import LocalError, RemoteError
from confero.runtime.logging import get_logger

log = get_logger(__name__)

VERSION = 1
HEAD = struct.Struct("!BBHBB")
MAX_TEXT = 64
"""Characters of a kind, and of a host: an IPv6 address with its zone."""
MAX_MESSAGE = HEAD.size + 2 * MAX_TEXT
DESCRIPTORS = 4
"""Room for so many in a message, so that one too many is seen and closed."""
AT_ONCE = 64
"""Connections taken before other work has its turn."""
GIVERS = 16
"""Who may be connected at once; a further one is turned away."""
PAUSE_S = 1.0
Address = tuple[str, int]


class Flags(IntFlag):
    """What else is to be known of a connection."""

    NONE = 0
    TLS_ENDED = 1
    """Bytes come decrypted: the giver has ended TLS, and the socket is one end of a pair. To be treated as HTTPS."""


@dataclass(frozen=True)
class Handed:
    """What is said of a connection."""

    kind: str
    """What it speaks; the values of ``confero.protocols.sniff.Kind``."""
    client: Address
    """The peer's IP address as text, and its port."""
    flags: Flags = Flags.NONE


Take = Callable[[socket.socket, str, Address, Flags], None]
"""Called with a connection, which it then owns (non-blocking), its kind, the client's address and flags."""


def pack(handed: Handed) -> bytes:
    """The message. Raises LocalError for what does not fit into it."""
    kind, host = handed.kind.encode(), handed.client[0].encode()
    if not 0 < len(kind) <= MAX_TEXT or len(host) > MAX_TEXT:
        raise LocalError(f"cannot hand on a {handed.kind!r} of {handed.client[0]!r}")
    return HEAD.pack(VERSION, handed.flags, handed.client[1], len(kind), len(host)) + kind + host


def unpack(data: bytes) -> Handed:
    """Raises RemoteError, and nothing else, for what ``pack`` does not make."""
    if len(data) < HEAD.size:
        raise RemoteError("a message that is cut")
    version, flags, port, kind, host = HEAD.unpack_from(data)
    if version != VERSION or flags & ~int(Flags.TLS_ENDED):
        raise RemoteError("a message of another version")
    if not 0 < kind <= MAX_TEXT or host > MAX_TEXT or len(data) != HEAD.size + kind + host:
        raise RemoteError("a message of the wrong length")
    try:
        text = data[HEAD.size :].decode("ascii")
    except UnicodeDecodeError:
        raise RemoteError("a message that is no text") from None
    return Handed(text[:kind], (text[kind:], port), Flags(flags))


def peer_uid(connection: socket.socket) -> int:
    """The user behind the other end of a Unix socket, by the kernel's word (unix(7))."""
    _, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return int(uid)


def trusted(uids: Iterable[int]) -> frozenset[int]:
    """Ourselves and the users named. Not root as such: it needs no leave of ours, but its processes have no business here."""
    return frozenset({os.geteuid(), *uids})


class Receiver:
    """Takes connections. Made by ``receive``."""

    def __init__(self, listening: socket.socket, take: Take, uids: frozenset[int]) -> None:
        self._listening = listening
        self._take = take
        self._uids = uids
        self._givers: set[socket.socket] = set()
        self._loop = asyncio.get_running_loop()
        self._paused: asyncio.TimerHandle | None = None
        self._listen()
        self.taken = 0
        """Connections so far."""
        self.lost = 0
        """Messages whose connection did not come along, as this process had no descriptor for it."""

    def _admit(self) -> None:
        """A giver connects. Without a descriptor for it we wait: the socket stays readable, and asking in vain takes all time."""
        try:
            giver, _ = self._listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError as error:
            log.error("no giver of connections can be taken on", reason=error.strerror)
            self._loop.remove_reader(self._listening)
            self._paused = self._loop.call_later(PAUSE_S, self._listen)
            return
        giver.setblocking(False)
        uid = peer_uid(giver)
        if uid not in self._uids or len(self._givers) >= GIVERS:
            log.warning("a giver of connections is turned away", uid=uid, givers=len(self._givers))
            giver.close()
            return
        self._givers.add(giver)
        self._loop.add_reader(giver, self._readable, giver)

    def _listen(self) -> None:
        self._paused = None
        self._loop.add_reader(self._listening, self._admit)

    def _readable(self, giver: socket.socket) -> None:
        for _ in range(AT_ONCE):
            try:
                data, descriptors, cut = _receive(giver)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                log.info("a giver of connections has gone", reason=error.strerror)
                self._drop(giver)
                return
            if not data:
                self._drop(giver)
                return
            if not self._one(data, descriptors, cut):
                self._drop(giver)
                return

    def _one(self, data: bytes, descriptors: list[int], cut: bool) -> bool:
        """False: the giver does not speak as it should."""
        try:
            handed = unpack(data)
            if cut and not descriptors:
                self.lost += 1
                log.error("a connection was lost: no descriptor for it", kind=handed.kind)
                return True
            connection = _connection(descriptors)
        except RemoteError as error:
            _close(descriptors)
            log.error("a giver of connections is not understood", reason=error.detail)
            return False
        self.taken += 1
        self._take(connection, handed.kind, handed.client, handed.flags)
        return True

    def _drop(self, giver: socket.socket) -> None:
        self._loop.remove_reader(giver)
        self._givers.discard(giver)
        giver.close()

    def close(self) -> None:
        """Takes no more; what was taken goes on. The file stays, so that givers wait for a successor. Idempotent."""
        if self._paused is not None:
            self._paused.cancel()
        if self._listening.fileno() >= 0:
            self._loop.remove_reader(self._listening)
            self._listening.close()
        for giver in list(self._givers):
            self._drop(giver)


async def receive(path: Path, take: Take, *, uids: Iterable[int] = (), mode: int = 0o600) -> Receiver:
    """Listens at ``path`` in place of whoever did before; folders that are missing are made. Raises LocalError if that cannot be.

    ``take(connection, kind, client, flags)`` is called for each connection that a process of this user, or of one of
    ``uids``, hands over. ``mode``: of the file; 0o660 where a giver of another user shares our group.
    """
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o750 if mode & 0o060 else 0o700)
        # Under a name of its own first, then in place of the old one: at no moment is there a file that nobody listens behind.
        new = path.with_name(f".{path.name}.{os.getpid()}")
        new.unlink(missing_ok=True)
        listening.bind(str(new))
        new.chmod(mode)
        listening.listen(GIVERS)
        new.replace(path)
    except OSError as error:
        listening.close()
        raise LocalError(f"cannot listen at {path}: {error.strerror or error}") from error
    return Receiver(listening, take, trusted(uids))


def _receive(giver: socket.socket) -> tuple[bytes, list[int], bool]:
    """One message, its descriptors, and whether the kernel kept some of them."""
    flags = socket.MSG_CMSG_CLOEXEC
    data, ancillary, told, _ = giver.recvmsg(MAX_MESSAGE + 1, socket.CMSG_SPACE(4 * DESCRIPTORS), flags)
    descriptors = array.array("i")
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(content[: len(content) - len(content) % descriptors.itemsize])
    return data, list(descriptors), bool(told & socket.MSG_CTRUNC)


def _connection(descriptors: list[int]) -> socket.socket:
    """The one descriptor as a socket. Raises RemoteError, and then closes nothing."""
    if len(descriptors) != 1:
        raise RemoteError(f"{len(descriptors)} descriptors instead of one")
    try:
        connection = socket.socket(fileno=descriptors[0])
    except OSError as error:
        raise RemoteError("a descriptor that is no socket") from error
    if connection.type != socket.SOCK_STREAM:
        connection.detach()
        raise RemoteError("a socket that is no stream")
    connection.setblocking(False)
    return connection


def _close(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            os.close(descriptor)
