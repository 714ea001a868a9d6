"""One participant of a room: who it is, what was decided about it, and through which leg its media goes."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Literal, Protocol

from confero import models
from confero.media import Event

State = Literal["connecting", "connected", "disconnected"]
Kind = Literal["webrtc", "rtp"]


class Leg(Protocol):
    """The media of one participant, whatever carries it."""

    id: str
    number: int
    """The engine's name for it; 0: it has nothing in the engine (yet, or any more)."""

    @property
    def kind(self) -> Kind: ...

    @property
    def codec(self) -> str:
        """Name of what it is sent; "" before that is agreed."""
        ...

    remote: str
    """The peer's address as far as it is known."""

    @property
    def listens(self) -> bool:
        """False while the peer's description says that it takes no media: on hold."""
        ...

    @property
    def takes_events(self) -> bool:
        """Whether digits can be sent to it as events (RFC 4733)."""
        ...

    @property
    def wish(self) -> models.RtpLegCreate | None:
        """What made it; None: a browser's offer."""
        ...

    @property
    def security(self) -> str:
        """How its media is protected: ``plain``, ``sdes``, ``dtls``; "" before that is agreed."""
        ...

    def offer(self, sdp: str) -> str:
        """A new offer of the peer on this leg; the answer. Raises SdpError: then nothing has changed."""
        ...

    def answer(self, sdp: str) -> None:
        """The peer's answer to our offer. Raises SdpError, Refused when no offer is open."""
        ...

    def ask(self) -> str:
        """An offer of ours on a leg that may be running. Raises Refused ``offer-pending``, ``not-for-browsers``."""
        ...

    def withdraw(self) -> None:
        """Our offer will not be answered: all stays as it was. Raises Refused ``no-offer-pending``."""
        ...

    def signalled_from(self, host: str) -> None:
        """The peer's signalling comes from there."""
        ...

    def prove(self) -> None:
        """The peer has shown that it wants what is sent to the address that it has signalled."""
        ...

    def start(self) -> None:
        """Called once, when the leg is in the room and its owner listens."""
        ...

    def handle(self, event: Event) -> None:
        """Something that the engine says about it."""
        ...

    def tick(self, now: float) -> None:
        """Called every other second with the monotonic time: looks at its deadlines."""
        ...

    def moved(self, room: int) -> None:
        """It is in another room now (the engine's number)."""
        ...

    def close(self) -> None:
        """Lets go of everything, saying goodbye to the peer. Idempotent."""
        ...


@dataclass(frozen=True)
class Settings:
    """What was decided about somebody's hearing and being heard; the defaults are how a leg begins in the engine."""

    muted: bool = False
    deaf: bool = False
    gain_db: float = 0.0
    hear_db: float = 0.0
    suspended: bool = False
    held: bool = False
    """Not heard by the room's rules, until a host lets: its own unmute does not end it."""
    on_hold: bool = False
    """Its peer wants no media now: of the leg's description, never of a patch."""
    aside: bool = False
    agc: bool = False
    gate_dbov: int = 0
    """0: the room's."""

    def patched(self, patch: models.LegPatch) -> Settings:
        """With what the patch says; absent fields stay."""
        said = patch.model_dump(include={field.name for field in fields(self)}, exclude_none=True)
        return replace(self, **said)

    @property
    def shown(self) -> tuple[bool, bool, bool]:
        """What the roster shows of it."""
        return self.muted, self.deaf, self.held


@dataclass
class Participant:
    """Lives as long as its leg: a fresh leg of the same person is a new object that takes over what was decided."""

    id: str
    display_name: str
    role: models.Role
    leg: Leg
    settings: Settings = Settings()
    state: State = "connecting"
    was_connected: bool = False
    told: Settings = Settings()
    """What the engine has been told of the leg with this number:"""
    told_number: int = 0
    has_listened: bool = False
    """Its peer has taken media: when it takes none any more, it holds. One that never did is a player."""
    owner: str = ""
    """Who keeps it alive by saying so; "": nobody has to."""
    joined_at: float = 0.0
    """When it came into its room, Unix time."""
    ended: str = ""
    """Why it has left; "" while it is here."""
    _shown: models.Participant | None = None
    """The last view: rosters show everybody to everybody who joins, and most have not changed since."""

    def sits(self, seat: models.Seat) -> None:
        """It is somebody else from now on: in another room, where nobody knows it yet."""
        self.id, self.display_name, self.role = seat.participant, seat.display_name, seat.role
        self._shown = None

    def inherit(self, other: Participant) -> None:
        """What was decided about the person holds for its next leg."""
        self.settings = other.settings
        self.has_listened = self.has_listened or other.has_listened

    def described(self) -> None:
        """The leg has another description: whether its peer takes media is known when a codec is."""
        self.has_listened = self.has_listened or bool(self.leg.codec and self.leg.listens)

    @property
    def holds(self) -> bool:
        """Its peer took media, and takes none now: what it still sends is not meant for the room."""
        return self.has_listened and not self.leg.listens

    def successor(self, sdp: str) -> models.WebRtcLegCreate | models.RtpLegCreate:
        """What makes the leg that takes this one's place when it cannot go on under this offer."""
        wish = self.leg.wish
        if wish is not None:
            seat = {"participant": self.id, "display_name": self.display_name, "role": self.role}
            return wish.model_copy(update={"sdp": sdp, **seat})
        return models.WebRtcLegCreate(
            kind="webrtc", participant=self.id, display_name=self.display_name, role=self.role, sdp=sdp
        )

    def view(self) -> models.Participant:
        """As the roster shows it."""
        shown = self._shown
        if shown is None or self._facts() != (shown.leg, shown.muted, shown.deaf, shown.held, shown.role, shown.state):
            shown = self._shown = models.Participant(
                id=self.id,
                display_name=self.display_name,
                role=self.role,
                kind=self.leg.kind,
                leg=self.leg.id,
                muted=self.settings.muted,
                deaf=self.settings.deaf,
                held=self.settings.held,
                state=self.state,
            )
        return shown

    def _facts(self) -> tuple[str, bool, bool, bool, models.Role, State]:
        """What of a view can change."""
        return self.leg.id, *self.settings.shown, self.role, self.state
