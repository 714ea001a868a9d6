"""The two client transactions: figures 5 and 6 of RFC 3261, the former as RFC 6026 section 8.4 draws it anew."""

from __future__ import annotations

from .build import ack_for
from .events import ClientKey, ResponseIn, StrayResponse, TimedOut, TransportFailed
from .message import Request, Response
from .transaction import AnyMessage, Figure, Transaction, double, double_to_t2, resend, rest_at_t2

Client = Transaction[ClientKey]


def pass_up(client: Client, message: AnyMessage | None, now: float) -> None:
    """Response to the user."""
    if isinstance(message, Response):
        client.sink.emit(ResponseIn(client.key, message, client.arrived_from or client.target))


def pass_as_stray(client: Client, message: AnyMessage | None, now: float) -> None:
    """RFC 6026: further 2xx are the user's, who had its final."""
    if isinstance(message, Response):
        client.sink.emit(StrayResponse(message, client.arrived_from or client.target))


def acknowledge(client: Client, message: AnyMessage | None, now: float) -> None:
    """17.1.1.3: the ACK for a final that is not 2xx goes where the INVITE went."""
    if isinstance(client.request, Request) and isinstance(message, Response):
        client.last = ack_for(client.request, message)
        client.sink.send(client.last, client.target)


def time_out(client: Client, message: AnyMessage | None, now: float) -> None:
    client.sink.emit(TimedOut(client.key))


def fail(client: Client, message: AnyMessage | None, now: float) -> None:
    client.sink.emit(TransportFailed(client.key))


def let_go(client: Client, message: AnyMessage | None, now: float) -> None:
    """Nothing more will be made of the request; its ACK may have to be sent again."""
    client.request = None


def forget(client: Client, message: AnyMessage | None, now: float) -> None:
    """Nothing will be sent any more."""
    client.request = client.last = None


INVITE_CLIENT: Figure[ClientKey] = Figure(
    first="calling",
    arrows={
        "calling": {
            "A": ("calling", (resend, double)),
            "B": ("terminated", (time_out,)),
            "not sent": ("terminated", (fail,)),
            "connection lost": ("terminated", (fail,)),
            "1xx": ("proceeding", (pass_up,)),
            "2xx": ("accepted", (pass_up, forget)),
            "3xx-6xx": ("completed", (acknowledge, pass_up, let_go)),
        },
        "proceeding": {
            "1xx": ("proceeding", (pass_up,)),
            "2xx": ("accepted", (pass_up, forget)),
            "3xx-6xx": ("completed", (acknowledge, pass_up, let_go)),
            # Not in the figure. 9.1: after CANCEL, 64*T1 are enough.
            "cancelled": ("terminated", (time_out,)),
            # Nor this: without its connection the user would wait for ever. A 2xx by another is a stray one then.
            "connection lost": ("terminated", (fail,)),
        },
        "accepted": {
            "2xx": ("accepted", (pass_as_stray,)),
            "M": ("terminated", ()),
        },
        "completed": {
            "3xx-6xx": ("completed", (resend,)),
            "D": ("terminated", ()),
            # The figure informs the user here. It has had its final, and nothing is left for it to do.
            "not sent": ("terminated", ()),
            "connection lost": ("terminated", ()),
        },
    },
    timers={"calling": ("A", "B"), "proceeding": (None, None), "accepted": (None, "M"), "completed": (None, "D")},
)

NON_INVITE_CLIENT: Figure[ClientKey] = Figure(
    first="trying",
    arrows={
        "trying": {
            "E": ("trying", (resend, double_to_t2)),
            "F": ("terminated", (time_out,)),
            "not sent": ("terminated", (fail,)),
            "connection lost": ("terminated", (fail,)),
            "1xx": ("proceeding", (pass_up,)),
            "2xx": ("completed", (pass_up, forget)),
            "3xx-6xx": ("completed", (pass_up, forget)),
        },
        "proceeding": {
            "E": ("proceeding", (resend, rest_at_t2)),
            "F": ("terminated", (time_out,)),
            "not sent": ("terminated", (fail,)),
            "connection lost": ("terminated", (fail,)),
            "1xx": ("proceeding", (pass_up,)),
            "2xx": ("completed", (pass_up, forget)),
            "3xx-6xx": ("completed", (pass_up, forget)),
        },
        "completed": {
            "K": ("terminated", ()),
        },
    },
    # Proceeding goes on with the E and F of Trying.
    timers={"trying": ("E", "F"), "completed": (None, "K")},
)
