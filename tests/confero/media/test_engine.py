"""The engine through its Python face: telephones over real sockets, releases, rooms on threads."""

from __future__ import annotations

import dataclasses
import os
import time
from pathlib import Path

import numpy as np
import pytest

from confero.media import (
    Address,
    Engine,
    EngineConfig,
    EventType,
    OtherThread,
    StillInUse,
    TapPoint,
    UnknownId,
    build_info,
)

from .engine_rig import LOCAL, RATE, Phone, join, rtp_leg, running, talk, webrtc_leg


async def test_two_phones_hear_each_other_and_not_themselves() -> None:
    async with running() as state:
        engine = state.engine
        engine.add_room(1)
        a, b = await Phone.open(440, "127.0.0.2"), await Phone.open(1000, "127.0.0.3")
        to_a, to_b = join(engine, 10, 1, a), join(engine, 20, 1, b)
        tap = engine.tap(TapPoint.LEG_OUT, 10, milliseconds=3000)
        talking = [(a, to_a), (b, to_b)]
        await talk(talking, 60)
        for _ in range(10):  # a machine that stands still tears a hole into any half second: then the next one counts
            if min(a.hears(1000), b.hears(440)) > 4000:
                break
            await talk(talking, 30)
        await state.wait_for(EventType.MEDIA, leg=10)
        await state.wait_for(EventType.SPEAKERS, room=1)
        assert a.hears(1000) > 4000
        assert b.hears(440) > 4000
        assert a.hears(440) < 20
        assert b.hears(1000) < 20

        stats = engine.leg_stats(10)
        assert stats.leg["rx_packets"] > 30
        assert stats.leg["tx_packets"] > 30
        assert stats.playout["packets"] > 30
        assert "playout" not in stats.leg
        thread = engine.thread_stats(0)
        assert thread["legs"] == 2
        assert thread["ticks"] > 30
        pcm, at = tap.read()
        assert pcm.dtype == np.int16
        assert pcm.size > RATE
        assert 0 < at <= engine.now()
        tap.close()
        tap.close()
        assert tap.read()[0].size == 0
        a.transport.close()
        b.transport.close()


async def test_separate_rtcp_port_and_symmetric_rtp() -> None:
    async with running() as state:
        engine = state.engine
        engine.add_room(1)
        phone = await Phone.open(440, "127.0.0.2")
        sockets = engine.open_rtp(1, "127.0.0.1")
        assert sockets.rtp_port % 2 == 0
        assert sockets.rtcp_port == sockets.rtp_port + 1
        engine.add_leg(rtp_leg(10, 1, sockets))
        await talk([(phone, Address("127.0.0.1", sockets.rtp_port))], 30)
        assert len(phone.heard) > 5, "it answers where the packets come from"
        engine.set_remote(10, None)
        phone.transport.close()


async def test_removed_leg_is_released_and_its_port_closed() -> None:
    async with running() as state:
        engine = state.engine
        engine.add_room(1)
        phone = await Phone.open(440, "127.0.0.2")
        address = join(engine, 10, 1, phone)
        with pytest.raises(StillInUse):
            engine.remove_room(1)
        await talk([(phone, address)], 15)
        engine.remove_leg(10)
        with pytest.raises(UnknownId):
            engine.leg_stats(10)
        engine.remove_room(1)
        assert (await state.wait_for(EventType.RELEASED, leg=10)).value == 0
        await state.wait_for(EventType.RELEASED, room=1)
        with pytest.raises(UnknownId):
            engine.thread_of(1)
        engine.add_room(1)
        join(engine, 10, 1, phone)  # ids are free again
        assert any(data[1] == 200 or data[1] == 201 for data in phone.others), "BYE in a compound"
        phone.transport.close()


async def test_refused_leg_comes_back_with_its_reason_and_closes_its_sockets() -> None:
    async with running() as state:
        engine = state.engine
        engine.add_room(1)
        engine.add_leg(webrtc_leg(10, 1))
        engine.add_leg(webrtc_leg(11, 1))  # the same ufrag
        event = await state.wait_for(EventType.RELEASED, leg=11)
        assert event.value == 17  # EEXIST
        engine.remove_leg(10)
        engine.remove_room(1)
        await state.wait_for(EventType.RELEASED, room=1)


async def test_rooms_go_to_the_thread_with_the_fewest_legs() -> None:
    config = EngineConfig(threads=2, seed=7, bind=("127.0.0.1",))
    async with running(config) as state:
        engine = state.engine
        assert engine.shared_port(0) != engine.shared_port(1)
        assert [engine.add_room(room) for room in (1, 2)] == [0, 1]
        engine.add_leg(webrtc_leg(10, 1))
        assert engine.add_room(3) == 1
        assert engine.add_room(4, thread=0) == 0
        with pytest.raises(OtherThread):
            engine.move_leg(10, 2)
        engine.move_leg(10, 4)
        engine.remove_room(1)
        await state.wait_for(EventType.RELEASED, room=1)


async def test_every_control_of_a_leg_is_accepted() -> None:
    async with running() as state:
        engine = state.engine
        engine.add_room(1, gate_dbov=70, gate_hold_ms=200)
        engine.add_leg(webrtc_leg(10, 1))
        engine.mute(10)
        engine.mute(10, False)
        engine.deafen(10)
        engine.set_gain(10, 0.5)
        engine.set_gate(10, 45)
        engine.set_agc(10)
        engine.set_agc(10, False)
        engine.remove_leg(10, bye=False)
        await state.wait_for(EventType.RELEASED, leg=10)


def media_thread_nice() -> int:
    for task in Path("/proc/self/task").iterdir():
        if (task / "comm").read_text() == "cf-media-0\n":
            return os.getpriority(os.PRIO_PROCESS, int(task.name))
    raise AssertionError("there is no media thread")


def test_media_threads_take_their_nice_value_and_nobody_else() -> None:
    mine = os.getpriority(os.PRIO_PROCESS, 0)
    with Engine(dataclasses.replace(LOCAL, nice=mine + 1)) as engine:
        engine.add_room(1)
        deadline = time.monotonic() + 5
        while media_thread_nice() != mine + 1 and time.monotonic() < deadline:
            time.sleep(0.001)
        assert media_thread_nice() == mine + 1
        assert os.getpriority(os.PRIO_PROCESS, 0) == mine


def test_build_info_is_one_line() -> None:
    assert "libopus" in build_info()
    assert "\n" not in build_info()
