"""Deliveries too large for one turn of the event loop: made in pieces, and to each session in order. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from .messages import Message
from .session import Session, Sink
from .topics import Topic

WHOLE = 1000
"""Sessions that are told at once, where a topic has no more: 6 to 9 ms of the loop, as each is a ``send`` of the kernel's."""
PIECE = 250
"""Of more those that are told in one turn."""
MOST = 8
"""Deliveries of one topic that may be under way. The oldest of more is finished at once: its publisher has to wait so long."""


class Delivery:
    """One message on its way to those who were there when it was numbered; who comes later has it from the topic's window."""

    __slots__ = ("_left", "_message", "_over")

    def __init__(self, topic: Topic, message: Message, over: Callable[[Session], None] | None) -> None:
        """``over`` is told of each session after the message has gone to it."""
        self._message = message
        self._over = over
        self._left: dict[Session, Sink | None] = {each: each.sink for each in reversed(topic.sessions.values())}
        """The last is the next. With the connection of now: ``Hub.attach`` sends a later one what it needs."""

    def __len__(self) -> int:
        """Sessions that are still to be told."""
        return len(self._left)

    def advance(self, most: int) -> None:
        """Tell the next of them, ``most`` at most."""
        for _ in range(min(most, len(self._left))):
            self._tell(*self._left.popitem())

    def reach(self, session: Session) -> None:
        """Tell this one out of turn, if it is still to be told."""
        if session in self._left:
            self._tell(session, self._left.pop(session))

    def _tell(self, session: Session, sink: Sink | None) -> None:
        if sink is not None and session.sink is sink:
            sink.send(self._message)
        if self._over is not None:
            self._over(session)


class Deliveries:
    """Those under way, of each topic in order."""

    def __init__(self, whole: int = WHOLE, piece: int = PIECE) -> None:
        self._whole = whole
        self._piece = piece
        self._lines: dict[Topic, deque[Delivery]] = {}
        """The first topic has the next piece."""
        self.begun: Callable[[], None] | None = None
        """Told when there is something to do for ``turn``."""

    def __bool__(self) -> bool:
        """Whether any is under way."""
        return bool(self._lines)

    def takes(self, topic: Topic) -> bool:
        """Whether the topic's next message has to go this way."""
        return len(topic.sessions) > self._whole or topic in self._lines

    def add(self, topic: Topic, message: Message, over: Callable[[Session], None] | None = None) -> None:
        """Begin; the first piece is made in the next turn. ``over`` as Delivery's."""
        line = self._lines.setdefault(topic, deque())
        line.append(Delivery(topic, message, over))
        if len(line) > MOST:
            oldest = line.popleft()
            oldest.advance(len(oldest))
        if self.begun is not None:
            self.begun()

    def hasten(self, session: Session) -> None:
        """It is about to be told something of another topic: what is on its way to it goes first."""
        for topic in session.topics:
            for delivery in tuple(self._lines.get(topic, ())):
                delivery.reach(session)

    def turn(self) -> bool:
        """One piece of one topic, which has the last turn then; False if nothing is left to do."""
        if not self._lines:
            return False
        topic, line = next(iter(self._lines.items()))
        line[0].advance(self._piece)
        if not line[0]:
            line.popleft()
        del self._lines[topic]
        if line:
            self._lines[topic] = line
        return bool(self._lines)
