"""Names of SIP peers to addresses: RFC 3263 driven with the machine's own resolver, each lookup bounded in time."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Iterable, Sequence
from typing import Protocol

import dns.asyncresolver
import dns.exception
import dns.nameserver
import dns.rdatatype
import dns.resolver

from confero.protocols.sip.locate import ORDER, Answer, Destination, Hop, Naptr, Question, Srv, locate
from confero.protocols.sip.target import Transport
from confero.runtime.logging import get_logger

log = get_logger(__name__)

LOOKUP_S = 3.0
"""For one question; a name server that does not answer must not hold a call for longer."""
TOTAL_S = 8.0
"""For all questions of one destination."""
CACHED = 2048
"""Answers that are kept for their time to live."""


class Dns(Protocol):
    """What answers questions. Failures are empty answers: what is not found is not there."""

    async def ask(self, question: Question) -> Answer: ...


class SystemDns:
    """NAPTR and SRV records from the name servers of the machine, addresses from its resolver, which knows its hosts file too."""

    def __init__(self, nameservers: Sequence[str] = ()) -> None:
        """``nameservers``: addresses, each with ``:port`` if it is not 53; none: the machine's own."""
        self._resolver = dns.asyncresolver.Resolver(configure=not nameservers)
        self._own = not nameservers
        if nameservers:
            self._resolver.nameservers = [dns_server(one) for one in nameservers]
        self._resolver.lifetime = LOOKUP_S
        self._resolver.cache = dns.resolver.LRUCache(CACHED)

    async def ask(self, question: Question) -> Answer:
        if question.kind == "ADDRESS":
            return await self._addresses(question.name)
        try:
            found = await self._resolver.resolve(question.name, question.kind, search=False)
        except (dns.exception.DNSException, OSError) as error:
            log.debug("no records", kind=question.kind, name=question.name, reason=type(error).__name__)
            return ()
        if question.kind == "SRV":
            return [Srv(one.priority, one.weight, one.port, one.target.to_text()) for one in found]
        return [
            Naptr(one.order, one.preference, _text(one.flags), _text(one.service), one.replacement.to_text())
            for one in found
        ]

    async def _addresses(self, name: str) -> Sequence[str]:
        if not self._own:
            return await self._records(name)
        try:
            async with asyncio.timeout(LOOKUP_S):
                infos = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_DGRAM)
        except (OSError, TimeoutError, UnicodeError) as error:
            log.debug("no address", name=name, reason=type(error).__name__)
            return ()
        return list(dict.fromkeys(str(info[4][0]) for info in infos))

    async def _records(self, name: str) -> Sequence[str]:
        found: list[str] = []
        for kind in (dns.rdatatype.AAAA, dns.rdatatype.A):
            try:
                found += [one.address for one in await self._resolver.resolve(name, kind, search=False)]
            except (dns.exception.DNSException, OSError) as error:
                log.debug("no address", name=name, kind=kind.name, reason=type(error).__name__)
        return found


def dns_server(text: str) -> str | dns.nameserver.Nameserver:
    """``address`` or ``address:port`` (an IPv6 address with a port in brackets)."""
    host, colon, port = text.rpartition(":")
    if not colon or (":" in host.strip("[]") and not host.startswith("[")):
        return text
    return dns.nameserver.Do53Nameserver(host.strip("[]"), int(port))


def _text(value: bytes) -> str:
    return value.decode("ascii", "replace")


class Resolver:
    """Destinations to hops."""

    def __init__(self, dns: Dns, *, supported: Iterable[Transport] = ORDER, rng: random.Random | None = None) -> None:
        self._dns = dns
        self._supported = tuple(supported)
        self._random = rng or random.Random()

    async def hops(self, destination: Destination) -> list[Hop]:
        """Where to send, in the order of trying; empty: the destination cannot be found, or not within ``TOTAL_S``."""
        looking = locate(destination, self._random, self._supported)
        try:
            async with asyncio.timeout(TOTAL_S):
                question = next(looking)
                while True:
                    question = looking.send(await self._dns.ask(question))
        except StopIteration as end:
            hops: list[Hop] = end.value
            return hops
        except TimeoutError:
            log.info("a name took too long", host=destination.host)
            return []
