"""The two server transactions: figures 7 and 8 of RFC 3261, the former as RFC 6026 section 8.5 draws it anew."""

from __future__ import annotations

from .build import response_to
from .events import ServerKey, TimedOut, TransportFailed
from .message import Response
from .transaction import AnyMessage, Figure, Transaction, double_to_t2, resend

Server = Transaction[ServerKey]


def send(server: Server, message: AnyMessage | None, now: float) -> None:
    """The user's response goes out, and is what a repeated request is answered with."""
    if isinstance(message, Response):
        server.again_at = None  # Whatever was said, no 100 is needed any more.
        server.last = message
        server.sink.send(message, server.target)


def send_trying(server: Server, message: AnyMessage | None, now: float) -> None:
    """17.2.1: the user has been silent for 200 ms."""
    if server.request is not None:
        send(server, response_to(server.request, 100), now)


def time_out(server: Server, message: AnyMessage | None, now: float) -> None:
    server.sink.emit(TimedOut(server.key))


def fail(server: Server, message: AnyMessage | None, now: float) -> None:
    server.sink.emit(TransportFailed(server.key))


def let_go(server: Server, message: AnyMessage | None, now: float) -> None:
    """Nothing more will be made of the request."""
    server.request = None


def forget(server: Server, message: AnyMessage | None, now: float) -> None:
    """RFC 6026: the 2xx is repeated by the user alone, so it need not be kept here."""
    server.request = server.last = None


INVITE_SERVER: Figure[ServerKey] = Figure(
    first="proceeding",
    arrows={
        "proceeding": {
            "trying": ("proceeding", (send_trying,)),
            "request": ("proceeding", (resend,)),
            "1xx": ("proceeding", (send,)),
            "2xx": ("accepted", (send, forget)),
            "3xx-6xx": ("completed", (send, let_go)),
            "not sent": ("proceeding", (fail,)),
            "connection lost": ("proceeding", (fail,)),
        },
        "accepted": {
            "2xx": ("accepted", (send, forget)),
            "not sent": ("accepted", (fail,)),
            "connection lost": ("accepted", (fail,)),
            "L": ("terminated", ()),
        },
        "completed": {
            "request": ("completed", (resend,)),
            "G": ("completed", (resend, double_to_t2)),
            "ack": ("confirmed", (forget,)),
            "not sent": ("completed", (fail,)),
            "connection lost": ("completed", (fail,)),
            "H": ("terminated", (time_out,)),
        },
        "confirmed": {
            "I": ("terminated", ()),
        },
    },
    timers={
        "proceeding": ("trying", None),
        "accepted": (None, "L"),
        "completed": ("G", "H"),
        "confirmed": (None, "I"),
    },
)

NON_INVITE_SERVER: Figure[ServerKey] = Figure(
    first="trying",
    arrows={
        "trying": {
            "1xx": ("proceeding", (send,)),
            "2xx": ("completed", (send, let_go)),
            "3xx-6xx": ("completed", (send, let_go)),
            # Not in the figure, but without it a silent user would leave transactions behind. RFC 4320: nobody listens now.
            "unanswered": ("terminated", (time_out,)),
        },
        "proceeding": {
            "request": ("proceeding", (resend,)),
            "1xx": ("proceeding", (send,)),
            "2xx": ("completed", (send, let_go)),
            "3xx-6xx": ("completed", (send, let_go)),
            "not sent": ("terminated", (fail,)),
            "connection lost": ("terminated", (fail,)),
            "unanswered": ("terminated", (time_out,)),
        },
        "completed": {
            "request": ("completed", (resend,)),
            "not sent": ("terminated", (fail,)),
            "connection lost": ("terminated", (fail,)),
            "J": ("terminated", ()),
        },
    },
    # Proceeding goes on with what runs in Trying.
    timers={"trying": (None, "unanswered"), "completed": (None, "J")},
)
