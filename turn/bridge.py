"""The bridge between the machine that rules and the data path that relays: events up, actions down, each in its order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Protocol

from confero.errors import Refused
from confero.protocols.stun import IPV4, IPV6
from confero.protocols.turn import TCP, Client, Server, actions
from confero.relay import Closed, Disconnected, Event, Flow, NotStun, Request, Traffic, UnknownFlow

from .peerstreams import PeerStreams
from .ports import RelayPorts

VERSIONS = {IPV4: 4, IPV6: 6}
"""Of IP, by address family."""
SOON_S = 0.01
"""The data path's queue of orders is short, and emptied at each of its turns."""


class DataPath(Protocol):
    """What of ``confero.relay.Relay`` is used here; every call may raise its errors."""

    def events(self) -> list[Event]: ...
    def reply(self, client: Flow, data: bytes) -> None: ...
    def open(
        self, client: Flow, until: float, *, relay4: int | None, relay6: int | None, bytes_per_second: int
    ) -> int: ...
    def refresh(self, allocation: int, until: float) -> None: ...
    def permit(self, allocation: int, host: str, until: float, ports: Sequence[tuple[int, int]]) -> None: ...
    def bind(self, allocation: int, channel: int, peer: tuple[str, int], until: float) -> None: ...
    def withdraw(self, allocation: int, version: int) -> None: ...
    def close_allocation(self, allocation: int) -> None: ...
    def join(self, connection: int, fd: int, said: bytes, allocation: int) -> None: ...
    def hang_up(self, connection: int) -> None: ...


class News(Protocol):
    """Who hears what has happened: the log, and the metrics."""

    def opened(self, event: actions.Opened) -> None: ...
    def closed(self, event: actions.Closed, traffic: Traffic) -> None: ...
    def denied(self, event: actions.Denied) -> None: ...


class Bridge:
    """``pump`` when the data path has events; ``wake`` when ``timer`` says so."""

    def __init__(
        self,
        path: DataPath,
        server: Server,
        ports: RelayPorts,
        now: Callable[[], float],
        news: News,
        not_stun: Callable[[NotStun], None],
        changed: Callable[[], None],
    ) -> None:
        """``now``: seconds of the data path's clock. ``not_stun`` decides about connections that begin with something else.
        ``changed`` is called when ``timer`` may have another answer, as it has when a peer has connected.
        """
        self._path = path
        self._server = server
        self._ports = ports
        self._now = now
        self._news = news
        self._not_stun = not_stun
        self._changed = changed
        self._numbers: dict[int, int] = {}
        """The data path's number of each allocation of the machine."""
        self._closing: dict[int, int] = {}
        """The number of an allocation that the machine has just closed, until it says more of that."""
        self._ending: dict[int, actions.Closed] = {}
        """Allocations that the data path is closing, by its number: their traffic is known when it has."""
        self._unsaid: list[Callable[[], None]] = []
        """Ends that the data path had no room for."""
        self.streams = PeerStreams(path, server, now, self.do, self._hang_up)
        self.refused = 0
        """Orders that the data path had no room for: who asked gets no reply, and asks again."""

    def number_of(self, allocation: int) -> int | None:
        """The data path's number of an allocation of the machine."""
        return self._numbers.get(allocation)

    def timer(self) -> float | None:
        """When ``wake`` wants to be called; soon while something could not be said."""
        return self._now() + SOON_S if self._unsaid else self._server.timer()

    def wake(self) -> None:
        """Ends what is over."""
        unsaid, self._unsaid = self._unsaid, []
        for order in unsaid:
            self._say(order)
        self.do(self._server.expire(self._now()))

    def pump(self) -> None:
        """Takes the events that wait, and does what follows from them."""
        for event in self._path.events():
            if isinstance(event, Request):
                self.do(self._server.receive(Client(*event.client), event.data, self._now()))
            elif isinstance(event, Disconnected):
                self.do(self._server.closed(Client(*event.client), self._now()))
            elif isinstance(event, Closed):
                self._closed(event)
            else:
                self._not_stun(event)

    def close(self, allocation: int) -> None:
        """Ends an allocation of the machine, as the operator wants."""
        self.do(self._server.close(allocation, self._now()))

    def _closed(self, event: Closed) -> None:
        told = self._ending.pop(event.allocation, None)
        if told is not None:
            self._news.closed(told, event.traffic)
            return
        # It never came to be, or its sockets failed: the machine does not know yet.
        known = next((one for one, number in self._numbers.items() if number == event.allocation), None)
        if known is not None:
            self._forget(known)
            self.do(self._server.close(known, self._now(), "relay failed"))

    # -- actions --

    def do(self, wanted: Iterable[actions.Action]) -> None:
        """Does them in order. Where the data path has no room, the client that it is for gets no reply, so that it asks again."""
        failed: set[Client] = set()
        for action in wanted:
            try:
                self._do(action, failed)
            except UnknownFlow:
                continue  # it has ended a moment ago; the event is on its way
            except Refused:
                self.refused += 1
                self._failed(action, failed)
        self._changed()

    def _do(self, action: actions.Action, failed: set[Client]) -> None:
        path = self._path
        match action:
            case actions.Reply(client, data):
                if client not in failed:
                    path.reply(client, data)
            case actions.Open():
                self._open(action)
            case actions.Refresh(allocation, _, _, longest):
                path.refresh(self._number(allocation), longest)
            case actions.Permit(allocation, ip, until, ports):
                path.permit(self._number(allocation), ip, until, ports)
            case actions.Bind(allocation, channel, peer, until):
                path.bind(self._number(allocation), channel, peer, until)
            case actions.Drop(allocation, family):
                self.streams.drop(allocation, family)
                self._say(partial(path.withdraw, self._number(allocation), VERSIONS[family]))
            case actions.Close(allocation):
                self.streams.forget(allocation)
                number = self._closing[allocation] = self._forget(allocation)
                self._say(partial(path.close_allocation, number))
            case actions.Told(event):
                self._tell(event)
            case actions.Connect():
                self.streams.connect(action)
            case actions.Join():
                self.streams.join(action, self._number(action.allocation))
            case actions.Disconnect(connection):
                self.streams.end(connection)

    def _number(self, allocation: int) -> int:
        number = self._numbers.get(allocation)
        if number is None:
            raise UnknownFlow(f"allocation {allocation}")
        return number

    def _open(self, action: actions.Open) -> None:
        """The sockets are the data path's when it has taken them all; those for TCP listen here."""
        sockets = {relay.family: self._ports.take(relay) for relay in action.relays}
        is_tcp = any(relay.protocol == TCP for relay in action.relays)
        files = {} if is_tcp else {family: sock.fileno() for family, sock in sockets.items()}
        try:
            number = self._path.open(
                action.client,
                action.until,
                relay4=files.get(1),
                relay6=files.get(2),
                bytes_per_second=action.bytes_per_s,
            )
        except BaseException:
            for sock in sockets.values():
                sock.close()
            raise
        self._numbers[action.allocation] = number
        if is_tcp:
            self.streams.listen(action.allocation, sockets)
            return
        for sock in sockets.values():
            sock.detach()

    def _forget(self, allocation: int) -> int:
        """Its number. Raises UnknownFlow."""
        number = self._number(allocation)
        del self._numbers[allocation]
        return number

    def _say(self, order: Callable[[], None]) -> None:
        """An order that nobody will give again: it waits until there is room for it."""
        try:
            order()
        except Refused:
            self.refused += 1
            self._unsaid.append(order)

    def _hang_up(self, connection: int) -> None:
        self._say(partial(self._path.hang_up, connection))

    def _tell(self, event: actions.Event) -> None:
        match event:
            case actions.Opened():
                self._news.opened(event)
            case actions.Closed():
                number = self._closing.pop(event.allocation, None)
                if number is None:
                    self._news.closed(event, Traffic())
                else:
                    self._ending[number] = event
            case actions.Denied():
                self._news.denied(event)

    def _failed(self, action: actions.Action, failed: set[Client]) -> None:
        """What the machine has granted and the data path has not: an allocation ends; all else is asked for again."""
        if isinstance(action, actions.Open):
            failed.add(action.client)
            self.do(self._server.close(action.allocation, self._now(), "relay failed"))
        elif isinstance(action, actions.Refresh | actions.Permit | actions.Bind):
            failed.update(self._clients_of(action.allocation))

    def _clients_of(self, allocation: int) -> list[Client]:
        return [one.client for one in self._server.listing() if one.id == allocation]
