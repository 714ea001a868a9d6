"""Which peers may be relayed to: what the operator excepts, and the farm's media servers as they are told from time to time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_network

from confero.clock import Clock
from confero.models.turn import MediaPlace
from confero.protocols.turn import PeerPolicy, Reach
from confero.runtime.logging import get_logger

log = get_logger(__name__)

REMEMBERED_S = 60.0
"""A media server that is not told any more may be back in a moment, as after a restart of the application server."""
MOST_PLACES = 4096


class Reaching:
    """Makes a policy whenever something has changed, and hands it to ``use``."""

    def __init__(
        self,
        clock: Clock,
        use: Callable[[PeerPolicy], None],
        own: Callable[[], Iterable[str]],
        *,
        reach: Sequence[str] = (),
        farm: bool = True,
        only: bool = False,
        nat64: Sequence[str] = (),
    ) -> None:
        """``own``: the addresses of this machine as they are now. The rest is as in ``TurnConfig``."""
        self._clock = clock
        self._use = use
        self._own = own
        self._fixed = tuple(Reach.parse(text) for text in reach)
        self._farm = farm
        self._only = only
        self._nat64 = tuple(nat64)
        self._places: dict[MediaPlace, float] = {}
        """When each was told last."""
        self._state: tuple[object, ...] = ()
        self.told(())

    def told(self, places: Iterable[MediaPlace]) -> None:
        """The farm's media servers take media there."""
        now = self._clock.monotonic()
        if self._farm:
            self._places.update(dict.fromkeys(places, now))
        self._places = {place: at for place, at in self._places.items() if now - at < REMEMBERED_S}
        while len(self._places) > MOST_PLACES:
            del self._places[min(self._places, key=self._places.__getitem__)]
        state = (frozenset(self._places), frozenset(self._own()))
        if state != self._state:
            self._state = state
            self._use(self._make(state[1]))

    def _make(self, own: frozenset[str]) -> PeerPolicy:
        """A media server's other ports are as closed as those of this machine."""
        found = [reach for place in self._places if (reach := _reach_of(place)) is not None]
        both = (*self._fixed, *found)
        log.info("peers", reach=[str(one) for one in both], only=self._only)
        return PeerPolicy(both, only=self._only, own=own | {str(one.network[0]) for one in found}, nat64=self._nat64)


def _reach_of(place: MediaPlace) -> Reach | None:
    """None for a place that no exception may name: it is not relayed to."""
    try:
        return Reach(ip_network(place.host), max(place.low, 1024), place.high)
    except ValueError as error:
        log.warning("a media server's address cannot be relayed to", reason=str(error))
        return None
