"""Stand-ins for what the MCU meets: an engine that only remembers, a listener of news, wires for DTLS."""

from __future__ import annotations

import itertools
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from confero import models
from confero.clock import FakeClock
from confero.errors import ConferoError
from confero.mcu.legs.base import LegContext, LegSettings
from confero.mcu.rooms.participant import Participant
from confero.mcu.rooms.room import Room
from confero.media import (
    Address,
    Advertised,
    Clip,
    Event,
    EventType,
    LegConfig,
    LegStats,
    OtherThread,
    RtpSockets,
    SrtpKeys,
    SrtpProfile,
    StillInUse,
    TapPoint,
    TcpRole,
    UnknownId,
)

SECRET = b"a secret of the tests of the mcu 123"


class FakeTap:
    """Gives what it was told to give."""

    def __init__(self, *pieces: NDArray[np.int16]) -> None:
        self.pieces = deque(pieces)
        self.ended = False
        self.closed = False

    def read(self, limit: int = 48_000) -> tuple[NDArray[np.int16], int]:
        if not self.pieces:
            self.ended = True
            return np.empty(0, np.int16), 0
        piece = self.pieces.popleft()
        return piece[:limit], 0

    def close(self) -> None:
        self.closed = True


class FakeEngine:
    """Remembers commands; ``fail`` makes one of them raise."""

    def __init__(self) -> None:
        self.bound: tuple[str, ...] = ("0.0.0.0", "::")
        self.tcp = False
        self.advertised = (Advertised("192.0.2.10", "192.0.2.10"), Advertised("2001:db8::10", "2001:db8::10"))
        self.rooms: dict[int, int] = {}
        self.legs: dict[int, LegConfig] = {}
        self.sockets: set[RtpSockets] = set()
        self.log: list[tuple[Any, ...]] = []
        self.fail: dict[str, ConferoError] = {}
        self.stats: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self.inbox: dict[int, list[bytes]] = defaultdict(list)
        self.on_send: Callable[[int, bytes], None] = lambda leg, data: None
        self.keys: dict[int, SrtpProfile] = {}
        self.waiting: deque[Event] = deque()
        self.taps: list[FakeTap] = []
        self.playing: set[int] = set()
        self._ports = itertools.count(6000, 2)

    def _do(self, name: str, *arguments: Any) -> None:
        if name in self.fail:
            raise self.fail[name]
        self.log.append((name, *arguments))

    def said(self, name: str) -> list[tuple[Any, ...]]:
        return [entry[1:] for entry in self.log if entry[0] == name]

    def add_room(self, room: int, *, talkers: int = 0, noise_dbov: int = 0, transcode: bool = False) -> int:
        self._do("add_room", room, talkers, noise_dbov, transcode)
        self.rooms[room] = len(self.rooms) % 2
        return self.rooms[room]

    def remove_room(self, room: int) -> None:
        self._do("remove_room", room)
        if any(leg.room == room for leg in self.legs.values()):
            raise StillInUse(f"room {room}")
        del self.rooms[room]

    def thread_of(self, room: int) -> int:
        return self.rooms[room]

    def candidates(self, room: int) -> tuple[Address, ...]:
        return tuple(Address(entry.external, 5000 + self.rooms[room]) for entry in self.advertised)

    def open_rtp(
        self, room: int, address: str | None = None, *, mux: bool = False, tcp: TcpRole | None = None
    ) -> RtpSockets:
        self._do("open_rtp", room, address, mux, *([tcp] if tcp else []))
        port = next(self._ports)
        sockets = RtpSockets(self.rooms[room], port, port if mux else port + 1, str(address), port, port + (not mux))
        self.sockets.add(sockets)
        return sockets

    def connect_rtp(self, sockets: RtpSockets, rtp: Address | None, rtcp: Address | None = None) -> None:
        self._do("connect_rtp", sockets, rtp, rtcp)

    def close_rtp(self, sockets: RtpSockets) -> None:
        self._do("close_rtp", sockets)
        self.sockets.remove(sockets)

    def add_leg(self, config: LegConfig) -> None:
        self._do("add_leg", config)
        assert config.id not in self.legs
        assert config.room in self.rooms
        self.legs[config.id] = config

    def remove_leg(self, leg: int, *, bye: bool = True) -> None:
        self._check(leg)
        self._do("remove_leg", leg)
        config = self.legs.pop(leg)
        if config.sockets is not None:
            self.sockets.remove(config.sockets)

    def move_leg(self, leg: int, room: int) -> None:
        config = self._check(leg)
        if self.rooms[config.room] != self.rooms[room]:
            raise OtherThread("another thread")
        self._do("move_leg", leg, room)

    def mute(self, leg: int, muted: bool = True) -> None:
        self._check(leg)
        self._do("mute", leg, muted)

    def deafen(self, leg: int, deaf: bool = True) -> None:
        self._check(leg)
        self._do("deafen", leg, deaf)

    def set_gain(self, leg: int, gain: float) -> None:
        self._check(leg)
        self._do("set_gain", leg, round(gain, 4))

    def set_ear(self, leg: int, gain: float) -> None:
        self._check(leg)
        self._do("set_ear", leg, gain)

    def suspend(self, leg: int, suspended: bool = True) -> None:
        self._check(leg)
        self._do("suspend", leg, suspended)

    def hold(self, leg: int, held: bool = True) -> None:
        self._check(leg)
        self._do("hold", leg, held)

    def speak_aside(self, leg: int, aside: bool = True) -> None:
        self._check(leg)
        self._do("speak_aside", leg, aside)

    def set_gate(self, leg: int, gate_dbov: int) -> None:
        self._check(leg)
        self._do("set_gate", leg, gate_dbov)

    def set_agc(self, leg: int, agc: bool = True) -> None:
        self._check(leg)
        self._do("set_agc", leg, agc)

    def set_pair_gain(self, listener: int, talker: int, gain: float | None) -> None:
        self._check(listener)
        self._check(talker)
        self._do("set_pair_gain", listener, talker, gain if gain is None else round(gain, 4))

    def play_to_room(self, room: int, clip: Clip, *, gain: float = 1.0, loops: int = 1) -> int:
        if room not in self.rooms:
            raise UnknownId(f"no room {room}")
        return self._play("play_to_room", room, clip, gain, loops)

    def play_to_leg(self, leg: int, clip: Clip, *, gain: float = 1.0, loops: int = 1) -> int:
        self._check(leg)
        return self._play("play_to_leg", leg, clip, gain, loops)

    def _play(self, name: str, target: int, clip: Clip, gain: float, loops: int) -> int:
        self._do(name, target, clip.seconds, round(gain, 4), loops)
        self.playing.add(len(self.log))
        return len(self.log)

    def stop_playing(self, number: int) -> None:
        if number not in self.playing:
            raise UnknownId(f"nothing plays under {number}")
        self._do("stop_playing", number)

    def listen_for_digits(self, leg: int, listen: bool = True) -> None:
        self._check(leg)
        self._do("listen_for_digits", leg, listen)

    def send_digits(self, leg: int, digits: str, *, milliseconds: int = 100) -> None:
        self._check(leg)
        self._do("send_digits", leg, digits, milliseconds)

    def set_remote(self, leg: int, rtp: Address | None, rtcp: Address | None = None) -> None:
        self._check(leg)
        self._do("set_remote", leg, rtp, rtcp)

    def prove(self, leg: int) -> None:
        self._check(leg)
        self._do("prove", leg)

    def restart_ice(self, leg: int, local_ufrag: str, local_pwd: str, remote_ufrag: str) -> None:
        self._check(leg)
        self._do("restart_ice", leg, local_ufrag, local_pwd, remote_ufrag)

    def set_keys(self, leg: int, profile: SrtpProfile, rx: SrtpKeys, tx: SrtpKeys) -> None:
        self._check(leg)
        self._do("set_keys", leg, profile, rx, tx)
        self.keys[leg] = profile

    def dtls_send(self, leg: int, data: bytes) -> None:
        self._check(leg)
        self.on_send(leg, data)

    def dtls_take(self, leg: int) -> list[bytes]:
        self._check(leg)
        return self.inbox.pop(leg, [])

    def leg_stats(self, leg: int) -> LegStats:
        self._check(leg)
        return LegStats(dict(self.stats[leg]) | {n: self.stats[leg][n] for n in ("stun_checks", "rx_packets")}, {})

    def tap(self, point: TapPoint, target: int, *, milliseconds: int = 1000) -> FakeTap:
        if target not in (self.rooms if point is TapPoint.ROOM else self.legs):
            raise UnknownId(f"no {target}")
        tap = FakeTap(np.arange(480, dtype=np.int16), np.zeros(480, np.int16))
        self.taps.append(tap)
        return tap

    def events(self) -> list[Event]:
        found = list(self.waiting)
        self.waiting.clear()
        return found

    def _check(self, leg: int) -> LegConfig:
        if leg not in self.legs:
            raise UnknownId(f"no leg {leg}")
        return self.legs[leg]


def event(type: EventType, *, leg: int = 0, room: int = 0, text: str = "", value: int = 0, speakers: Any = ()) -> Event:
    return Event(type=type, room=room, leg=leg, at_ns=0, value=value, speakers=speakers, text=text)


class FakeOwner:
    """A LegOwner that keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, ...]] = []

    def connected(self, leg: str) -> None:
        self.heard.append(("connected",))

    def disconnected(self, leg: str) -> None:
        self.heard.append(("disconnected",))

    def failed(self, leg: str, reason: str) -> None:
        self.heard.append(("failed", reason))

    def renumbered(self, leg: str, old: int) -> None:
        self.heard.append(("renumbered", str(old)))


class FakeNews:
    """Keeps what happened, as short words."""

    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []

    def joined(self, room: Room, participant: Participant) -> None:
        self.heard.append(("joined", room.id, participant.id))

    def changed(self, room: Room, participant: Participant) -> None:
        self.heard.append(("changed", participant.id, participant.state, participant.settings.muted))

    def connected(self, room: Room, participant: Participant) -> None:
        self.heard.append(("connected", participant.id))

    def left(self, room: Room, participant: Participant, reason: str, last: models.LegStats) -> None:
        self.heard.append(("left", room.id, participant.id, reason))

    def replaced(self, room: Room, earlier: Participant, last: models.LegStats) -> None:
        self.heard.append(("replaced", earlier.id, earlier.leg.id))

    def digit(self, room: Room, participant: Participant, digit: str, milliseconds: int) -> None:
        self.heard.append(("digit", room.id, participant.id, digit, milliseconds))

    def played(self, room: Room, participant: Participant | None, number: int) -> None:
        self.heard.append(("played", room.id, participant.id if participant else "", number))

    def speakers(self, room: Room, speakers: list[models.ActiveSpeaker]) -> None:
        self.heard.append(("speakers", room.id, [(s.participant, s.level) for s in speakers]))


def context(engine: FakeEngine, owner: FakeOwner, clock: FakeClock | None = None, **settings: Any) -> LegContext:
    """For one leg in room 1, which is made."""
    engine.rooms.setdefault(1, 0)

    def remove(number: int) -> None:
        if number in engine.legs:
            engine.remove_leg(number)

    numbers = itertools.count(100)
    return LegContext(engine, owner, clock or FakeClock(), LegSettings(**settings), remove, lambda: next(numbers), 1)
