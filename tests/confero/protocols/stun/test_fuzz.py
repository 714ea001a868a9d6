"""Whatever comes in, the parser answers with a message that survives being written and read, or with StunError; nothing else."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from confero.protocols.stun import Integrity, Kind, Message, Method, StunError, build, has_true_fingerprint, proves
from confero.protocols.stun.attributes import ATTRIBUTES

from .test_message import ID, raw, row
from .test_values import PAIRS
from .vectors import VECTORS

KEY = b"key"
SEEDS = [
    *VECTORS.values(),
    build(Method.ALLOCATE, Kind.REQUEST, ID, [one.of(value) for one, value, _ in PAIRS], fingerprint=True),
    build(Method.REFRESH, Kind.REQUEST, ID, [PAIRS[6][0].of(0)], integrity=Integrity(KEY, True), fingerprint=True),
]
numbers = st.one_of(st.sampled_from(sorted(ATTRIBUTES)), st.integers(0, 0xFFFF))
rows = st.builds(row, numbers, st.binary(max_size=40), st.binary(min_size=3, max_size=3))


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A message with bytes dropped, doubled or bent, mostly with its length made true again."""
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
    if draw(st.booleans()) and len(data) >= 20:
        del data[20 + (len(data) - 20) // 4 * 4 :]
        data[0] &= 3
        data[2:8] = (len(data) - 20).to_bytes(2, "big") + b"\x21\x12\xa4\x42"
    return bytes(data)


def check(data: bytes) -> None:
    try:
        message = Message.parse(data)
    except StunError as error:
        assert error.status == 400 and error.detail
        return
    written = bytes(message)
    again = Message.parse(written)
    assert again == message and bytes(again) == written and len(written) == len(data)
    assert (again.method, again.kind, again.transaction_id) == (message.method, message.kind, message.transaction_id)
    proves(message, KEY), has_true_fingerprint(message), repr(message)
    read(message)


def read(message: Message) -> None:
    """Each value is there, or its StunError; what is there can be written, and is then read as the same."""
    for attribute in ATTRIBUTES.values():
        assert (attribute in message) or message.get(attribute) is None
        try:
            values = message.all(attribute)
            first = message.get(attribute)
        except StunError as error:
            assert error.status == 400
            continue
        assert (first is None) == (not values) and (not values or values[0] == first)
        for value in values:
            try:
                same = build(message.method, message.kind, message.transaction_id, [attribute.of(value)])
            except ValueError:
                continue
            assert Message.parse(same).get(attribute) == value


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
def test_mutated_messages(data: bytes) -> None:
    check(data)


@settings(max_examples=300, deadline=None)
@given(st.lists(rows, max_size=12), st.integers(0, 0x3FFF))
def test_attributes_in_any_order(parts: list[bytes], head: int) -> None:
    check(raw(*parts, head=head))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_noise(data: bytes) -> None:
    check(data)
    check(raw(data[: len(data) // 4 * 4]))


def test_every_cut() -> None:
    for seed in SEEDS:
        for end in range(len(seed) + 1):
            check(seed[:end])
            check(raw(seed[20:end][: (end - 20) // 4 * 4] if end > 20 else b""))
