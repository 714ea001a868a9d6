"""Which process to start, restart, stop or give up on, and when: a machine without processes and without a clock.

Its shell (``confero.up.processes``) tells it what happened; it answers with ``next_action`` and ``get_timer``, as every
machine here does.

States of one service::

    idle --Spawn--> starting --ready--> ready            idle: waits for the services it comes after
                       |                  |
                       +---- exited ------+--> backoff --timer, Spawn--> starting
                                                  |
    any --stop--> stopping --exited--> down       +-- too many quick failures --> everything stops, exit code 1
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

EXIT_CONFIG = 2
"""A child's exit code for a wrong configuration (``confero.runtime.service``): starting it again would not help."""


@dataclass(frozen=True)
class Policy:
    """Times in seconds."""

    first_delay: float = 0.2
    """Wait before the first restart; it doubles with each further quick failure."""
    max_delay: float = 5.0
    stable_after: float = 5.0
    """Ready for this long: an exit after it is no quick failure."""
    quick_failures: int = 5
    """That many in a row, and all is stopped."""
    start_within: float = 40.0
    """A process that is not ready by then is killed, which counts as a failure; but for one that says that it waits."""
    order_grace: float = 5.0
    """A service that others come after holds them back no longer than this: they can wait for it by themselves."""
    stop_within: float = 15.0
    """From SIGTERM to SIGKILL."""
    kill_within: float = 5.0
    """A process that outlives SIGKILL by this much, because the kernel holds it, is not waited for."""


@dataclass(frozen=True)
class Spawn:
    """Start the service's process."""

    name: str


@dataclass(frozen=True)
class Terminate:
    """Ask it to end: SIGTERM."""

    name: str


@dataclass(frozen=True)
class Kill:
    """End it: SIGKILL."""

    name: str
    reason: str


@dataclass(frozen=True)
class Ready:
    """To report: it answers. ``first``: it never did before."""

    name: str
    first: bool


@dataclass(frozen=True)
class Restarting:
    """To report: it has ended and will be started again after ``delay`` seconds."""

    name: str
    code: int
    delay: float


@dataclass(frozen=True)
class GaveUp:
    """To report: it cannot be kept running; everything is being stopped."""

    name: str
    code: int
    failures: int


@dataclass(frozen=True)
class AllReady:
    """To report: every service is ready, for the first time."""

    name: None = None


Action = Spawn | Terminate | Kill | Ready | Restarting | GaveUp | AllReady


class State(Enum):
    """Where a service is in its life, as drawn above."""

    IDLE = "idle"
    STARTING = "starting"
    READY = "ready"
    BACKOFF = "backoff"
    STOPPING = "stopping"
    DOWN = "down"


@dataclass
class _Service:
    name: str
    after: tuple[str, ...]
    state: State = State.IDLE
    deadline: float | None = None
    """When the state ends by itself."""
    spawned_first: float | None = None
    ready_since: float | None = None
    ever_ready: bool = False
    failures: int = 0
    """Quick ones in a row."""
    killed: bool = False

    @property
    def alive(self) -> bool:
        return self.state in (State.STARTING, State.READY, State.STOPPING)

    def enter(self, state: State, deadline: float | None = None) -> None:
        self.state = state
        self.deadline = deadline
        self.ready_since = None
        self.killed = False


class Supervisor:
    """Keeps a set of services running, then stops them in reverse order."""

    def __init__(self, services: Mapping[str, Sequence[str]], policy: Policy | None = None) -> None:
        """``services``: names in their order of starting, each with those it comes after (unknown names are ignored)."""
        self.policy = policy or Policy()
        self._services = {
            name: _Service(name, tuple(a for a in after if a in services)) for name, after in services.items()
        }
        self._actions: deque[Action] = deque()
        self._stopping = False
        self._announced = False
        self.exit_code = 0
        """1 when a service had to be given up."""

    @property
    def finished(self) -> bool:
        """True once stopped, with no process left."""
        return self._stopping and all(service.state is State.DOWN for service in self._services.values())

    def state(self, name: str) -> State:
        return self._services[name].state

    def next_action(self) -> Action | None:
        """What to do or report next; call until None after every other call."""
        return self._actions.popleft() if self._actions else None

    def get_timer(self) -> float | None:
        """When ``handle_timer`` is to be called next."""
        times = [service.deadline for service in self._services.values() if service.deadline is not None]
        times += [at for service in self._services.values() if (at := self._held_until(service)) is not None]
        return min(times, default=None)

    # --- what happened --------------------------------------------------------------------------------------------

    def start(self, now: float) -> None:
        """Call once."""
        self._start_idle(now)

    def process_ready(self, name: str, now: float) -> None:
        """The service answers that it is ready."""
        service = self._services[name]
        if service.state is not State.STARTING or service.killed:
            return
        service.enter(State.READY)
        service.ready_since = now
        self._actions.append(Ready(name, first=not service.ever_ready))
        service.ever_ready = True
        if not self._announced and all(other.ever_ready for other in self._services.values()):
            self._announced = True
            self._actions.append(AllReady())
        self._start_idle(now)

    def process_waiting(self, name: str, now: float) -> None:
        """The service answers that it is not ready: it waits for something, which killing it would not bring."""
        service = self._services[name]
        if service.state is State.STARTING and not service.killed:
            service.deadline = now + self.policy.start_within

    def process_exited(self, name: str, code: int, now: float) -> None:
        """The process has ended, with this exit code (negative: by that signal). Ignored if there was none."""
        service = self._services[name]
        if not service.alive:
            return
        if self._stopping:
            service.enter(State.DOWN)
            self._stop_next(now)
            return
        stable = service.ready_since is not None and now - service.ready_since >= self.policy.stable_after
        service.failures = 0 if stable else service.failures + 1
        hopeless = code == EXIT_CONFIG and not service.ever_ready
        if hopeless or service.failures >= self.policy.quick_failures:
            self._give_up(service, code, now)
            return
        delay = min(self.policy.first_delay * 2 ** max(0, service.failures - 1), self.policy.max_delay)
        service.enter(State.BACKOFF, now + delay)
        self._actions.append(Restarting(name, code, delay))

    def process_hung(self, name: str, now: float) -> None:
        """A ready service has stopped answering: it is killed, and its exit will restart it."""
        service = self._services[name]
        if service.state is State.READY and not service.killed:
            service.killed = True
            self._actions.append(Kill(name, "it does not answer"))

    def handle_timer(self, now: float) -> None:
        """Time has reached ``get_timer()``."""
        for service in self._services.values():
            if service.deadline is None or service.deadline > now:
                continue
            if service.state is State.BACKOFF:
                self._spawn(service, now)
            elif service.state is State.STARTING:
                self._kill(service, None, f"it was not ready within {self.policy.start_within:g} s")
            elif service.state is State.STOPPING and not service.killed:
                self._kill(
                    service, now + self.policy.kill_within, f"it did not end within {self.policy.stop_within:g} s"
                )
            elif service.state is State.STOPPING:
                self.process_exited(service.name, -9, now)
        self._start_idle(now)

    def stop(self, now: float) -> None:
        """Ends all services, the last started first, one after the other. Called again: at once."""
        if self._stopping:
            for service in self._services.values():
                if service.alive and not service.killed:
                    service.enter(State.STOPPING)
                    self._kill(service, now + self.policy.kill_within, "asked twice")
            return
        self._stopping = True
        for service in self._services.values():
            if not service.alive:
                service.enter(State.DOWN)
        self._stop_next(now)

    # --- consequences -----------------------------------------------------------------------------------------------

    def _start_idle(self, now: float) -> None:
        for service in self._services.values():
            if service.state is not State.IDLE or self._stopping:
                continue
            until = self._held_until(service)
            if (until is not None and until <= now) or not self._awaited(service):
                self._spawn(service, now)

    def _awaited(self, service: _Service) -> list[_Service]:
        return [self._services[name] for name in service.after if not self._services[name].ever_ready]

    def _held_until(self, service: _Service) -> float | None:
        """When an idle service starts even if those before it are not ready; None while one of them has not been started."""
        awaited = self._awaited(service) if service.state is State.IDLE else []
        starts = [other.spawned_first for other in awaited]
        if not starts or None in starts:
            return None
        return max(at for at in starts if at is not None) + self.policy.order_grace

    def _spawn(self, service: _Service, now: float) -> None:
        service.enter(State.STARTING, now + self.policy.start_within)
        if service.spawned_first is None:
            service.spawned_first = now
        self._actions.append(Spawn(service.name))

    def _kill(self, service: _Service, deadline: float | None, reason: str) -> None:
        service.killed = True
        service.deadline = deadline
        self._actions.append(Kill(service.name, reason))

    def _give_up(self, service: _Service, code: int, now: float) -> None:
        self._actions.append(GaveUp(service.name, code, service.failures))
        self.exit_code = 1
        service.enter(State.DOWN)
        self.stop(now)

    def _stop_next(self, now: float) -> None:
        """The last service that still lives is asked to end, unless one is being waited for."""
        alive = [service for service in self._services.values() if service.alive]
        if alive and not any(service.state is State.STOPPING for service in alive):
            alive[-1].enter(State.STOPPING, now + self.policy.stop_within)
            self._actions.append(Terminate(alive[-1].name))
