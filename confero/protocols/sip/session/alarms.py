"""Named deadlines of one session, each with what is to be done then."""

from __future__ import annotations

from collections.abc import Callable

Alarm = Callable[[float], None]


class Alarms:
    """A session has a handful at a time: a dictionary is the fastest heap."""

    def __init__(self) -> None:
        self._alarms: dict[str, tuple[float, Alarm]] = {}

    def __len__(self) -> int:
        return len(self._alarms)

    def __contains__(self, name: str) -> bool:
        return name in self._alarms

    def set(self, name: str, at: float, alarm: Alarm) -> None:
        """Rings at ``at`` seconds; replaces what was set under this name."""
        self._alarms[name] = (at, alarm)

    def stop(self, name: str) -> None:
        self._alarms.pop(name, None)

    def clear(self) -> None:
        self._alarms.clear()

    def next(self) -> float | None:
        return min((at for at, _ in self._alarms.values()), default=None)

    def ring(self, now: float) -> None:
        """What is due, the earliest first. An alarm may set others, which ring in their own time."""
        due = sorted((at, name) for name, (at, _) in self._alarms.items() if at <= now)
        for at, name in due:
            set_for, alarm = self._alarms.get(name, (None, None))
            if alarm is not None and set_for == at:
                del self._alarms[name]
                alarm(now)
