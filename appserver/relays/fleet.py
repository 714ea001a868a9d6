"""The TURN servers that live, as their registrations and heartbeats tell."""

from __future__ import annotations

from dataclasses import dataclass

from confero.clock import Clock
from confero.errors import Refused
from confero.models.turn import TurnHeartbeat, TurnListener, TurnRegister

MAX_TURNS = 1000


@dataclass
class Turn:
    """One TURN server."""

    id: str
    boot: str
    listeners: tuple[TurnListener, ...]
    trusted_names: tuple[str, ...]
    seen_at: float
    """Monotonic time."""
    allocations: int = 0
    draining: bool = False


class Fleet:
    """One that is silent for ``silence_s`` is lost. Nothing is remembered over a restart: each registers again within seconds."""

    def __init__(self, clock: Clock, silence_s: float) -> None:
        self._clock = clock
        self._silence_s = silence_s
        self._turns: dict[str, Turn] = {}

    def __len__(self) -> int:
        return sum(self._lives(turn) for turn in self._turns.values())

    def register(self, body: TurnRegister) -> bool:
        """A TURN server is there. True if it is news. Raises Refused 503 when the table is full."""
        self._forget_lost()
        known = self._turns.get(body.id)
        if known is None and len(self._turns) >= MAX_TURNS:
            raise Refused("there are too many TURN servers", status=503, code="too-many-turns")
        news = known is None or known.boot != body.boot
        turn = Turn(body.id, body.boot, tuple(body.listeners), tuple(body.trusted_names), self._clock.monotonic())
        if known is not None and not news:
            turn.allocations, turn.draining = known.allocations, known.draining
        self._turns[body.id] = turn
        return news

    def heartbeat(self, turn_id: str, body: TurnHeartbeat) -> None:
        """Note its load. Raises Refused 404 ``turn-unknown`` if it is to register."""
        turn = self._turns.get(turn_id)
        if turn is None or turn.boot != body.boot or not self._lives(turn):
            raise Refused("register first", status=404, code="turn-unknown")
        turn.allocations, turn.draining, turn.seen_at = body.allocations, body.draining, self._clock.monotonic()

    def able(self) -> list[Turn]:
        """Those that take new clients, the least busy first."""
        living = [turn for turn in self._turns.values() if self._lives(turn) and not turn.draining]
        return sorted(living, key=lambda turn: (turn.allocations, turn.id))

    def _lives(self, turn: Turn) -> bool:
        return self._clock.monotonic() - turn.seen_at < self._silence_s

    def _forget_lost(self) -> None:
        self._turns = {turn.id: turn for turn in self._turns.values() if self._lives(turn)}
