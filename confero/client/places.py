"""Where a listener is in the topics that it hears: what is new, what has come already, and how to go on. A machine without I/O."""

from __future__ import annotations

from confero.models.signalling import Opening, Position, UserWelcome, Welcome


class Places:
    """Of one session; a welcome that did not resume begins another one."""

    def __init__(self) -> None:
        self._session: str | None = None
        self._seen: dict[str, Position] = {}

    def welcomed(self, welcome: Welcome | UserWelcome) -> None:
        self._session = welcome.session
        self._seen = {place.topic: place for place in welcome.topics}

    def is_new(self, topic: str, seq: int) -> bool:
        """Whether an event has not come before; from now on it has.

        After a gap, which the server never makes, the next connection begins anew.
        """
        known = self._seen.get(topic)
        if known is None or seq <= known.seq:
            return False
        if seq > known.seq + 1:
            self._session = None
        self._seen[topic] = known.model_copy(update={"seq": seq})
        return True

    def opening(self) -> Opening:
        """How to come back."""
        if self._session is None:
            return Opening()
        return Opening(resume=self._session, seen=list(self._seen.values()))
