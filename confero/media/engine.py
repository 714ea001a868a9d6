"""The media engine: threads, ports, rooms, legs and keys go down as commands; events, statistics and PCM come up.

One thread (asyncio's) calls all of this. Nothing here waits: commands take effect at the next turn of the media thread, and what
they lead to comes as events. ``loop.add_reader(engine.fileno(), ...)`` tells when to call :meth:`Engine.events`.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from . import _convert
from ._bind import Binder, bind_addresses
from ._core import ffi, lib
from ._handle import Handle
from .addresses import Advertised, AdvertisedAddresses
from .clip import Clip
from .errors import EngineBusy, EngineError, UnknownId, from_errno
from .ports import PortAllocator
from .tap import Tap
from .types import (
    Address,
    EngineConfig,
    Event,
    EventType,
    LegConfig,
    LegStats,
    RtpSockets,
    SrtpKeys,
    SrtpProfile,
    TapPoint,
    TcpRole,
)

_EVENTS_AT_ONCE = 256
_DTLS_MAX = 1500
_GAIN_ONE = 16384
_GAIN_LIMIT = 7.93
ALL_TALKERS: int = lib.CF_TALKERS_ALL
MAX_TALKERS: int = lib.CF_TALKERS_MAX
NOISE_DBOV = range(20, 127)


@dataclass(slots=True)
class _Room:
    thread: int
    legs: int = 0


@dataclass(slots=True)
class _Leg:
    room: int
    sockets: RtpSockets | None


class Engine:
    """Media threads with their shared ports bound; they run from :meth:`start` on, or inside ``with``.

    Raises LocalError for a configuration that cannot work, BindError and NoPortFree when the ports cannot be had.
    """

    def __init__(self, config: EngineConfig | None = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.config = config = config or EngineConfig()
        self.threads = config.threads or min(len(os.sched_getaffinity(0)), 64)
        seed = int.from_bytes(os.urandom(8)) if config.seed is None else config.seed & 0xFFFFFFFFFFFFFFFF
        self._handle = Handle(self.threads, seed)
        self._rooms: dict[int, _Room] = {}
        self._legs: dict[int, _Leg] = {}
        self._unclosed: list[RtpSockets] = []
        self._events = ffi.new("cf_event[]", _EVENTS_AT_ONCE)
        self._dtls = ffi.new("uint8_t[]", _DTLS_MAX)
        self._binder = Binder(self._handle, PortAllocator(config.port_low, config.port_high, seed=seed))
        try:
            self.bound = bind_addresses(config.bind)
            self._addresses = AdvertisedAddresses(self.bound, config.advertised, monotonic=monotonic)
            self._shared = [
                self._binder.bind_shared(thread, self.bound, tcp=config.tcp) for thread in range(self.threads)
            ]
        except BaseException:
            self.close()
            raise

    def start(self) -> None:
        """Starts the media threads."""
        lib.cf_engine_set_nice(self._handle.raw, self.config.nice)
        self._check(lib.cf_engine_start(self._handle.raw), "start")

    def close(self) -> None:
        """Ends the threads, closes every socket and frees everything; may be called again."""
        self._handle.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check(self, result: int, what: str) -> int:
        if result < 0:
            raise from_errno(-result, what)
        return result

    # -- what happens ------------------------------------------------------------------------------------------

    def fileno(self) -> int:
        """Readable while events wait."""
        return lib.cf_engine_fileno(self._handle.raw)

    def now(self) -> int:
        """The clock of events and taps: monotonic, in ns."""
        return lib.cf_engine_now(self._handle.raw)

    def events(self) -> list[Event]:
        """At most 256 waiting events, oldest first within a thread; :meth:`fileno` stays readable if there are more."""
        n = lib.cf_engine_events(self._handle.raw, self._events, _EVENTS_AT_ONCE)
        found = [_convert.event_from(self._events[i]) for i in range(n)]
        for event in found:
            if event.type is EventType.RELEASED:
                self._forget(event)
        waiting, self._unclosed = self._unclosed, []
        for sockets in waiting:
            self._close(sockets)
        return found

    def _forget(self, event: Event) -> None:
        if event.leg and (leg := self._legs.pop(event.leg, None)) is not None:  # never came in: was not removed by us
            self._let_go(leg)
        elif not event.leg:
            self._rooms.pop(event.room, None)

    # -- rooms -------------------------------------------------------------------------------------------------

    def add_room(
        self,
        room: int,
        *,
        thread: int | None = None,
        gate_dbov: int = 0,
        gate_hold_ms: int = 0,
        talkers: int = 0,
        noise_dbov: int = 0,
        transcode: bool = False,
    ) -> int:
        """Puts a room onto a media thread, by default the one with the fewest legs; returns the thread.

        ``gate_dbov``: a leg quieter than this (in -dBov; 0: 65) for ``gate_hold_ms`` (0: 500) adds nothing.
        ``talkers``: so many are mixed at once, the loudest (1-64; 0: 6), or ``ALL_TALKERS``.
        ``noise_dbov``: comfort noise in the mix (20-126, in -dBov; 0: none).
        ``transcode``: a sole talker's packets are never passed on as they are.
        Raises DuplicateId, EngineFull, EngineError for a number out of range.
        """
        if noise_dbov and noise_dbov not in NOISE_DBOV:
            raise EngineError(f"comfort noise of -{noise_dbov} dBov is not between -20 and -126")
        if not (talkers == ALL_TALKERS or 0 <= talkers <= MAX_TALKERS):
            raise EngineError(f"{talkers} talkers at once cannot be mixed")
        chosen = self._least_loaded() if thread is None else thread
        config = ffi.new(
            "cf_room_config *",
            {
                "id": room,
                "gate_dbov": gate_dbov,
                "gate_hold_ms": gate_hold_ms,
                "talkers": talkers,
                "noise_dbov": noise_dbov,
                "transcode": int(transcode),
            },
        )
        self._check(lib.cf_engine_room_add(self._handle.raw, chosen, config), f"add room {room}")
        self._rooms[room] = _Room(chosen)
        return chosen

    def remove_room(self, room: int) -> None:
        """Takes an empty room out; RELEASED follows. Raises UnknownId, StillInUse."""
        self._check(lib.cf_engine_room_remove(self._handle.raw, room), f"remove room {room}")

    def thread_of(self, room: int) -> int:
        """The media thread that a room lives on. Raises UnknownId."""
        return self._room(room).thread

    def _room(self, room: int) -> _Room:
        try:
            return self._rooms[room]
        except KeyError:
            raise UnknownId(f"no room {room}") from None

    def _least_loaded(self) -> int:
        load = [(0, 0)] * self.threads
        for room in self._rooms.values():
            legs, rooms = load[room.thread]
            load[room.thread] = (legs + room.legs, rooms + 1)
        return load.index(min(load))

    # -- addresses and ports -----------------------------------------------------------------------------------

    def shared_port(self, thread: int) -> int:
        """The port of a thread's WebRTC legs, the same on every bound address."""
        return self._shared[thread]

    @property
    def tcp(self) -> bool:
        """Whether WebRTC legs may come over TCP too, to the same addresses and ports."""
        return self.config.tcp

    @property
    def advertised(self) -> tuple[Advertised, ...]:
        """The addresses that peers are told now; those of a wildcard follow the machine's interfaces."""
        return self._addresses.current()

    def candidates(self, room: int) -> tuple[Address, ...]:
        """Where the peers of a room's WebRTC legs reach it: each advertised address with its thread's shared port."""
        port = self._shared[self.thread_of(room)]
        return tuple(Address(entry.external, port) for entry in self.advertised)

    def open_rtp(
        self, room: int, address: str | None = None, *, mux: bool = False, tcp: TcpRole | None = None
    ) -> RtpSockets:
        """Binds a pair of RTP and RTCP ports (with ``mux``: one port) for a leg of this room.

        ``address``: a local address; None: the first bound one. ``tcp``: needs ``EngineConfig.tcp``, and the leg
        ``any_port`` or ``symmetric``. Give them to :meth:`add_leg` or :meth:`close_rtp`. Raises UnknownId, BindError, NoPortFree.
        """
        return self._binder.bind_rtp(self.thread_of(room), address or self.bound[0], mux, tcp)

    def connect_rtp(self, sockets: RtpSockets, rtp: Address | None, rtcp: Address | None = None) -> None:
        """Begins to connect ``active`` sockets, anew if they were connected; that nobody is there shows by silence.

        Raises UnknownId, EngineBusy, EngineError.
        """
        wanted = {sockets.rtp: rtp} | ({sockets.rtcp: rtcp} if sockets.rtcp != sockets.rtp else {})
        for number, address in wanted.items():
            if address is not None:
                to = _convert.new_addr(address)
                result = lib.cf_engine_connect(self._handle.raw, sockets.thread, number, to)
                if -result in (errno.EINVAL, errno.ENOENT, errno.EAGAIN, errno.EMFILE):
                    raise from_errno(-result, f"connect to {address.host} port {address.port}")

    def close_rtp(self, sockets: RtpSockets) -> None:
        """Closes sockets that no leg has taken over; a busy thread's a little later. Raises UnknownId, StillInUse."""
        self._close(sockets)

    # -- legs --------------------------------------------------------------------------------------------------

    def add_leg(self, config: LegConfig) -> None:
        """Puts a leg into its room. If the core refuses it after all, RELEASED follows with ``value`` not 0.

        Raises UnknownId (room or sockets), DuplicateId, StillInUse (sockets), EngineFull, EngineBusy, EngineError.
        """
        room = self._room(config.room)
        if config.sockets is not None and config.sockets.thread != room.thread:
            raise EngineError(f"leg {config.id}: its sockets are on thread {config.sockets.thread}")
        self._check(lib.cf_engine_leg_add(self._handle.raw, _convert.new_leg_config(config)), f"add leg {config.id}")
        self._legs[config.id] = _Leg(config.room, config.sockets)
        room.legs += 1

    def remove_leg(self, leg: int, *, bye: bool = True) -> None:
        """Takes a leg out, with RTCP BYE if ``bye``; its sockets are closed and RELEASED follows. Raises UnknownId."""
        self._check(lib.cf_engine_leg_remove(self._handle.raw, leg, int(bye)), f"remove leg {leg}")
        self._let_go(self._legs.pop(leg))

    def _let_go(self, leg: _Leg) -> None:
        if (room := self._rooms.get(leg.room)) is not None:
            room.legs -= 1
        if leg.sockets is not None:
            self._close(leg.sockets)

    def _close(self, sockets: RtpSockets) -> None:
        """Nothing uses them any more: if the thread is too busy for the command now, they go after the next events."""
        try:
            self._binder.close_rtp(sockets)
        except EngineBusy:
            self._unclosed.append(sockets)

    def move_leg(self, leg: int, room: int) -> None:
        """Into another room of the same thread. Raises UnknownId, OtherThread."""
        self._check(lib.cf_engine_leg_move(self._handle.raw, leg, room), f"move leg {leg} to room {room}")
        entry = self._legs[leg]
        self._rooms[entry.room].legs -= 1
        self._rooms[room].legs += 1
        entry.room = room

    def mute(self, leg: int, muted: bool = True) -> None:
        """The others no longer hear this leg."""
        self._check(lib.cf_engine_leg_mute(self._handle.raw, leg, int(muted)), f"mute leg {leg}")

    def deafen(self, leg: int, deaf: bool = True) -> None:
        """This leg hears silence."""
        self._check(lib.cf_engine_leg_deaf(self._handle.raw, leg, int(deaf)), f"deafen leg {leg}")

    def set_gain(self, leg: int, gain: float) -> None:
        """How loud the others hear this leg: a factor, 1.0 unchanged, at most about 7.9 (+18 dB)."""
        if not 0 <= gain <= 8:
            raise EngineError(f"a gain of {gain} is out of range")
        self._check(lib.cf_engine_leg_gain(self._handle.raw, leg, round(gain * _GAIN_ONE)), f"gain of leg {leg}")

    def set_ear(self, leg: int, gain: float) -> None:
        """How loud this leg hears the room: a factor as in :meth:`set_gain`. Other than 1 it needs an encoder of its own."""
        if not 0 <= gain <= 8:
            raise EngineError(f"a gain of {gain} is out of range")
        self._check(lib.cf_engine_leg_ear(self._handle.raw, leg, round(gain * _GAIN_ONE)), f"ear of leg {leg}")

    def suspend(self, leg: int, suspended: bool = True) -> None:
        """This leg is neither heard nor sent media, and costs no mixing; its RTCP goes on."""
        self._check(lib.cf_engine_leg_suspend(self._handle.raw, leg, int(suspended)), f"suspend leg {leg}")

    def hold(self, leg: int, held: bool = True) -> None:
        """This leg is sent no media, which its peer does not want now (RFC 3264 section 8.4); it may be heard; its RTCP goes on."""
        self._check(lib.cf_engine_leg_hold(self._handle.raw, leg, int(held)), f"hold leg {leg}")

    def speak_aside(self, leg: int, aside: bool = True) -> None:
        """Only those hear this leg who have a pair gain with it."""
        self._check(lib.cf_engine_leg_aside(self._handle.raw, leg, int(aside)), f"take leg {leg} aside")

    def set_gate(self, leg: int, gate_dbov: int) -> None:
        """A gate of the leg's own (in -dBov, 1-127), in place of its room's; 0: the room's."""
        if not 0 <= gate_dbov <= 127:
            raise EngineError(f"a gate of {gate_dbov} is out of range")
        self._check(lib.cf_engine_leg_gate(self._handle.raw, leg, gate_dbov), f"gate of leg {leg}")

    def set_agc(self, leg: int, agc: bool = True) -> None:
        """The leg's speech is brought to the level of everybody else's (-23 dBov), by -12 to +18 dB."""
        self._check(lib.cf_engine_leg_agc(self._handle.raw, leg, int(agc)), f"automatic gain of leg {leg}")

    def set_pair_gain(self, listener: int, talker: int, gain: float | None) -> None:
        """How loud one leg hears another: a factor as in :meth:`set_gain`; None: as everybody. Raises UnknownId.

        A listener has at most 64 pairs; one beyond that has no effect.
        """
        if gain is None:
            self._check(lib.cf_engine_unpair(self._handle.raw, listener, talker), f"unpair legs {listener}, {talker}")
            return
        if not 0 <= gain <= _GAIN_LIMIT:
            raise EngineError(f"a gain of {gain} is out of range")
        result = lib.cf_engine_pair(self._handle.raw, listener, talker, round(gain * _GAIN_ONE))
        self._check(result, f"pair legs {listener}, {talker}")

    # -- playing and digits ------------------------------------------------------------------------------------

    def play_to_room(self, room: int, clip: Clip, *, gain: float = 1.0, loops: int = 1) -> int:
        """Everybody in the room hears it, from the next tick on; ``loops`` 0: until stopped. The number that PLAYED tells.

        Raises UnknownId, EngineFull, EngineBusy, EngineError for a gain above +18 dB.
        """
        return self._play(lib.cf_engine_room_play, room, clip, gain, loops)

    def play_to_leg(self, leg: int, clip: Clip, *, gain: float = 1.0, loops: int = 1) -> int:
        """This leg alone hears it, also while it is deaf to the room. As :meth:`play_to_room`."""
        return self._play(lib.cf_engine_leg_play, leg, clip, gain, loops)

    def _play(self, call: Any, target: int, clip: Clip, gain: float, loops: int) -> int:
        if not 0 <= gain < _GAIN_LIMIT or not 0 <= loops < 2**31:
            raise EngineError(f"a gain of {gain} or {loops} loops is out of range")
        config = ffi.new("cf_player_config *", {"gain_q14": round(gain * _GAIN_ONE), "loops": loops})
        return self._check(call(self._handle.raw, target, clip.raw, config), f"play to {target}")

    def stop_playing(self, number: int) -> None:
        """Fades out within 5 ms; PLAYED follows. Raises UnknownId when it has ended, EngineBusy."""
        self._check(lib.cf_engine_play_stop(self._handle.raw, number), f"stop {number}")

    def listen_for_digits(self, leg: int, listen: bool = True) -> None:
        """Digits are also found by their sound, told as DIGIT and cut from the mix. Raises UnknownId, EngineBusy."""
        self._check(lib.cf_engine_leg_listen(self._handle.raw, leg, listen), f"digits of leg {leg}")

    def send_digits(self, leg: int, digits: str, *, milliseconds: int = 100) -> None:
        """1 to 64 of 0-9 * # A-D and ! (flash) as events, if the leg has an ``event_pt``.

        Raises EngineError, UnknownId, EngineBusy.
        """
        try:
            text = digits.encode("ascii")
        except UnicodeEncodeError:
            raise EngineError("there are other digits than 0-9 * # A-D !") from None
        self._check(lib.cf_engine_leg_digits(self._handle.raw, leg, text, milliseconds), f"digits to leg {leg}")

    def set_remote(self, leg: int, rtp: Address | None, rtcp: Address | None = None) -> None:
        """Where an RTP leg sends to from now on (re-INVITE); None: nowhere."""
        addresses = _convert.new_addr(rtp), _convert.new_addr(rtcp)
        self._check(lib.cf_engine_leg_remote(self._handle.raw, leg, *addresses), f"remote address of leg {leg}")

    def prove(self, leg: int) -> None:
        """The peer of an RTP leg wants what is sent to its address. Raises UnknownId, EngineBusy."""
        self._check(lib.cf_engine_leg_prove(self._handle.raw, leg), f"proof of leg {leg}")

    def restart_ice(self, leg: int, local_ufrag: str, local_pwd: str, remote_ufrag: str) -> None:
        """New ICE credentials; media goes on over the old path until a check with the new ones picks another."""
        texts = local_ufrag.encode(), local_pwd.encode(), remote_ufrag.encode()
        self._check(lib.cf_engine_leg_ice(self._handle.raw, leg, *texts), f"ICE restart of leg {leg}")

    def set_keys(self, leg: int, profile: SrtpProfile, rx: SrtpKeys, tx: SrtpKeys) -> None:
        """SRTP keys: ``rx`` what the peer protects with, ``tx`` ours. Raises EngineError for wrong lengths."""
        for keys in (rx, tx):
            if (len(keys.key), len(keys.salt)) != (profile.key_length, profile.salt_length):
                raise EngineError(
                    f"{profile.name} needs a key of {profile.key_length} and a salt of {profile.salt_length} bytes"
                )
        result = lib.cf_engine_leg_keys(self._handle.raw, leg, profile, rx.key, rx.salt, tx.key, tx.salt)
        self._check(result, f"keys of leg {leg}")

    def dtls_send(self, leg: int, data: bytes) -> None:
        """Sends one DTLS datagram (1 to 1500 bytes) over the leg's selected path; of an RTP leg, to where the last came from."""
        self._check(lib.cf_engine_leg_dtls_send(self._handle.raw, leg, data, len(data)), f"DTLS to leg {leg}")

    def dtls_take(self, leg: int) -> list[bytes]:
        """Every DTLS datagram that waits at a leg; the next one is told by a DTLS event. Raises UnknownId."""
        found: list[bytes] = []
        while n := self._check(
            lib.cf_engine_leg_dtls_take(self._handle.raw, leg, self._dtls, _DTLS_MAX), f"DTLS of leg {leg}"
        ):
            found.append(bytes(ffi.buffer(self._dtls, n)))
        return found

    # -- what can be seen --------------------------------------------------------------------------------------

    def leg_stats(self, leg: int) -> LegStats:
        """A leg's counters as they stand. Raises UnknownId."""
        stats = ffi.new("cf_leg_stats *")
        self._check(lib.cf_engine_leg_stats(self._handle.raw, leg, stats), f"statistics of leg {leg}")
        return LegStats(_convert.counters(stats), _convert.counters(stats.playout))

    def thread_stats(self, thread: int) -> dict[str, int]:
        """The counters of a media thread (fields of ``cf_core_stats``)."""
        stats = ffi.new("cf_core_stats *")
        self._check(lib.cf_engine_stats(self._handle.raw, thread, stats), f"statistics of thread {thread}")
        return _convert.counters(stats)

    def tap(self, point: TapPoint, target: int, *, milliseconds: int = 1000) -> Tap:
        """PCM from inside: ``target`` is a leg, or a room for ``TapPoint.ROOM``; buffers up to ``milliseconds``.

        Raises UnknownId, EngineFull.
        """
        number = lib.cf_engine_tap(self._handle.raw, point, target, milliseconds)
        return Tap(self._handle, self._check(number, f"tap on {target}"))
