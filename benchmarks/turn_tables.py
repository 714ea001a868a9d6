"""The relay's data path with a control side that asks nobody who they are: what a benchmark of packets needs of a TURN server.

    python benchmarks/turn_tables.py --port 3478 [--certificate chain.pem --key key.pem]

Allocate and ChannelBind are answered, nothing is checked, nothing expires. For loopback only.
"""

from __future__ import annotations

import argparse
import selectors
import socket
import struct
from pathlib import Path

from confero.relay import Client, Disconnected, Relay, RelayConfig, Request

COOKIE = 0x2112A442
HOST = "127.0.0.1"
ALLOCATE, REFRESH, CHANNEL_BIND, SUCCESS = 0x0003, 0x0004, 0x0009, 0x0100
CHANNEL_NUMBER, XOR_PEER, XOR_RELAYED, LIFETIME = 0x000C, 0x0012, 0x0016, 0x000D
FOREVER = 1e6


def attributes(message: bytes) -> dict[int, bytes]:
    found, at = {}, 20
    while at < len(message):
        kind, size = struct.unpack_from("!HH", message, at)
        found[kind] = message[at + 4 : at + 4 + size]
        at += 4 + size + -size % 4
    return found


def success(request: bytes, *more: tuple[int, bytes]) -> bytes:
    body = b"".join(struct.pack("!HH", kind, len(value)) + value for kind, value in more)
    kind = int.from_bytes(request[:2]) | SUCCESS
    return struct.pack("!HHI", kind, len(body), COOKIE) + request[8:20] + body


def xor(host: str, port: int) -> bytes:
    packed = int.from_bytes(socket.inet_aton(host)) ^ COOKIE
    return struct.pack("!BBHI", 0, 1, port ^ COOKIE >> 16, packed)


def unxor(value: bytes) -> tuple[str, int]:
    port, packed = struct.unpack("!HI", value[2:8])
    return socket.inet_ntoa(struct.pack("!I", packed ^ COOKIE)), port ^ COOKIE >> 16


class Tables:
    """Clients and their allocations."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self.allocations: dict[Client, int] = {}

    def answer(self, request: Request) -> None:
        kind = int.from_bytes(request.data[:2])
        if kind == ALLOCATE:
            self._allocate(request)
        elif kind == CHANNEL_BIND:
            self._bind(request)
        elif kind == REFRESH:  # to nothing: no other is asked for
            self.end(request.client)
            self.relay.reply(request.client, success(request.data, (LIFETIME, struct.pack("!I", 0))))

    def _allocate(self, request: Request) -> None:
        relayed = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        relayed.bind((HOST, 0))
        host, port = relayed.getsockname()
        until = self.relay.now() + FOREVER
        self.allocations[request.client] = self.relay.open(request.client, until, relay4=relayed.detach())
        lifetime = (LIFETIME, struct.pack("!I", 600))
        self.relay.reply(request.client, success(request.data, (XOR_RELAYED, xor(host, port)), lifetime))

    def end(self, client: Client) -> None:
        """It has gone, or gives its allocation back."""
        if allocation := self.allocations.pop(client, None):
            self.relay.close_allocation(allocation)

    def _bind(self, request: Request) -> None:
        found = attributes(request.data)
        peer, number = unxor(found[XOR_PEER]), int.from_bytes(found[CHANNEL_NUMBER][:2])
        allocation, until = self.allocations[request.client], self.relay.now() + FOREVER
        self.relay.permit(allocation, peer[0], until)
        self.relay.bind(allocation, number, peer, until)
        self.relay.reply(request.client, success(request.data))


def serve(relay: Relay, listener: socket.socket) -> None:
    tables = Tables(relay)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    selector.register(relay, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                relay.adopt(listener.accept()[0].detach())
                continue
            for event in relay.events():
                if isinstance(event, Request):
                    tables.answer(event)
                elif isinstance(event, Disconnected):
                    tables.end(event.client)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rest-ms", type=float, default=RelayConfig().rest_ms)
    parser.add_argument("--certificate", type=Path)
    parser.add_argument("--key", type=Path)
    options = parser.parse_args()
    config = RelayConfig(
        allocations=20000, connections=2048, rest_ms=options.rest_ms, handshakes=2000, handshakes_source=2000
    )
    relay = Relay(config)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((HOST, options.port))
    relay.listen(udp.detach())
    if options.certificate:
        relay.certificate(options.certificate, options.key)
    with relay, socket.create_server((HOST, options.port), backlog=1024) as listener:
        print("ready", flush=True)
        serve(relay, listener)


if __name__ == "__main__":
    main()
