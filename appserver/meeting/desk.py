"""The desk of meetings: what hosts and participants ask for is judged, written, and told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

from confero.clock import Clock
from confero.errors import Refused, Unavailable
from confero.models.meetings import (
    AskEvent,
    MeetingPatch,
    MeetingState,
    MovedEvent,
    ParticipantPatch,
    RoleEvent,
)
from confero.runtime.logging import get_logger

from . import rules
from .rules import Rule
from .state import Outcome, Scene, shown
from .store import MeetingStore, Whom
from .teller import Teller

log = get_logger(__name__)

AGAIN_S = 5.0
"""After a change everything is told once more: for whoever was just coming in, and for what did not answer."""


@dataclass(frozen=True)
class MoveTerms:
    """What is needed to bring somebody into another room."""

    token: Callable[[str, str], tuple[str, float]]
    """A join token for a participant and a room, and until when it is good."""
    telephone: Callable[[str, str], Awaitable[None]]
    """Has the SIP gateway bring a participant's call into a room. Raises Refused, Unavailable."""
    grace_s: float
    """How long a place is kept for who comes by itself."""


class MeetingDesk:
    """All raise Refused 404 ``room-unknown`` and Unavailable."""

    def __init__(self, store: MeetingStore, teller: Teller, terms: MoveTerms, clock: Clock) -> None:
        self._store = store
        self._teller = teller
        self._terms = terms
        self._clock = clock

    async def state(self, room: str) -> MeetingState:
        scene = await self._store.scene(room, self._clock.wall())
        return shown(_known(scene))

    async def enter(self, room: str) -> MeetingState:
        """Somebody has a place: the first one begins the meeting."""
        now = self._clock.wall()
        outcome = await self._change(room, lambda scene: rules.begun(scene, now))
        return shown(outcome.scene)

    # --- everybody ------------------------------------------------------------------------------------------------

    async def hand(self, room: str, participant: str, *, raised: bool | None) -> bool:
        """One's own; None: the other way. Whether it is up now. Raises Refused 404 ``participant-unknown``."""
        now = self._clock.wall()
        outcome = await self._change(room, lambda s: rules.hand(s, participant, now, raised=raised), [participant])
        await self._teller.told(outcome.scene, {})
        return outcome.scene.people[participant].hand_at is not None

    # --- hosts ----------------------------------------------------------------------------------------------------

    async def patch(self, room: str, wish: MeetingPatch) -> MeetingState:
        """Raises Refused 404 ``participant-unknown`` for a spotlight on nobody."""
        whom: Whom = "everybody" if wish.speak is not None else [wish.spotlight or ""]
        outcome = await self._change(room, lambda scene: rules.patched(scene, wish), whom)
        await self._teller.told(outcome.scene, outcome.orders)
        return shown(outcome.scene)

    async def change(self, room: str, participant: str, wish: ParticipantPatch, by: str) -> None:
        """What a host, whose name is ``by``, wants of one participant.

        Raises Refused: 404 ``participant-unknown``, 409 ``last-host``, ``held``.
        """
        outcome = await self._change(room, lambda scene: rules.changed(scene, participant, wish), [participant])
        person = outcome.scene.people[participant]
        if wish.muted is not None and outcome.orders:
            await self._teller.order(room, outcome.orders)  # muting is not kept: whoever asks is told if it failed
        if wish.muted is False and person.kind == "webrtc":
            await self._teller.event(room, AskEvent(what="unmute", by=by), participant)
        if wish.model_copy(update={"muted": None}) == ParticipantPatch():
            return
        events = [(participant, RoleEvent(role=wish.role))] if wish.role is not None else []
        await self._teller.told(outcome.scene, outcome.orders, *events)

    async def mute_all(self, room: str, but: str | None, *, hosts_too: bool) -> int:
        """Everybody but ``but``; how many of them have a leg, and are muted now."""
        outcome = await self._change(room, partial(rules.muted_all, but=but, hosts_too=hosts_too), "everybody")
        return await self._teller.order(room, outcome.orders)

    async def remove(self, room: str, participant: str) -> None:
        """Until the meeting is over. Raises Refused 404 ``participant-unknown``."""
        now = self._clock.wall()
        outcome = await self._change(room, lambda scene: rules.removed(scene, participant, now), [participant])
        await self._surely(room, lambda: self._teller.away(room, participant, "removed"))
        await self._teller.told(outcome.scene, {})

    async def end(self, room: str) -> None:
        """For all."""
        now = self._clock.wall()
        waiting = await self._store.end(room, now, due=now + AGAIN_S)
        if waiting is None:
            raise _unknown()
        await self._surely(room, lambda: self._teller.end(room, waiting))

    async def delete(self, room: str, work: Callable[[], Awaitable[None]]) -> None:
        """The room, by ``work``: whoever is in it is sent away, browsers and telephones. Raises what ``work`` raises."""
        home = await self._teller.home(room)
        await work()
        await self._surely(room, lambda: self._teller.gone(room, home))

    async def move(self, room: str, participant: str, target: str) -> None:
        """To another room: a browser comes there by itself with its new token, a telephone is moved.

        Raises Refused: 404 ``participant-unknown``, ``room-unknown``, 409 ``room-full``.
        """
        now = self._clock.wall()
        until = now + self._terms.grace_s
        outcome = await self._store.move(room, participant, target, now, due=now + AGAIN_S, until=until)
        scene = _known(outcome.scene if outcome is not None else None)
        if scene.people[participant].kind == "rtp":
            await self._terms.telephone(participant, target)
        else:
            token, _ = self._terms.token(participant, target)
            await self._teller.event(room, MovedEvent(room=target, token=token), participant)
            await self._surely(room, lambda: self._teller.away(room, participant, "moved"))
        gone = {id: one for id, one in scene.people.items() if id != participant}
        await self._teller.told(replace(scene, people=gone), {})

    # --- inside ---------------------------------------------------------------------------------------------------

    async def _change(self, room: str, rule: Rule, whom: Whom = ()) -> Outcome:
        now = self._clock.wall()
        outcome = await self._store.change(room, now, rule, whom, due=now + AGAIN_S)
        if outcome is None:
            raise _unknown()
        return outcome

    async def _surely(self, room: str, step: Callable[[], Awaitable[None]]) -> None:
        """What is written already, and done again when due if it fails now."""
        try:
            await step()
        except (Refused, Unavailable) as error:
            log.info("a meeting is told later", room=room, code=error.code)


def _known(scene: Scene | None) -> Scene:
    if scene is None:
        raise _unknown()
    return scene


def _unknown() -> Refused:
    return Refused("There is no such room.", status=404, code="room-unknown")
