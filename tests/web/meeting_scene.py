"""A pretended meeting in which everything that can be shown is shown: for tests of how it looks, and for pictures of it."""

from __future__ import annotations

from confero.models import ActiveSpeaker, SpeakersEvent
from confero.models.meetings import AskEvent, Hand

from .meeting_backend import MeetingBackend

LONG = "A name that is so long that no list of any width will ever hold it"
TALK = (
    ("Grace Hopper", "Good morning. The agenda: https://example.org/agenda"),
    ("Grace Hopper", "Ada, could you begin with the figures?"),
    ("Katherine Johnson", "I have them here as well."),
)
NAMES = "Mary Vaughan, Dorothy Jackson, Hedy Keller, Radia Turing, Barbara Allen, Frances Spence, Jean Bartik, Sophie Wilson"


async def fill(backend: MeetingBackend) -> None:
    """A locked room with a host in the spotlight, a raised hand, a telephone, and two at the door; a host asks us to unmute."""
    grace = backend.person("Grace Hopper", role="host")
    katherine = backend.person("Katherine Johnson", muted=True)
    backend.person("+44 20 7946 0018", kind="rtp")
    await backend.tell_roster()
    await backend.now_is(
        locked=True, lobby=True, speak="request", spotlight=grace.id, hands=[Hand(participant=katherine.id, since=1.0)]
    )
    await backend.comes_to_the_door(LONG)
    await backend.comes_to_the_door("+49 30 1234567", "rtp")
    await backend.tell(AskEvent(what="unmute", by="Grace Hopper"))


async def talk(backend: MeetingBackend) -> None:
    """A quiet meeting of five; one of them talks."""
    grace = backend.person("Grace Hopper", role="host", id="p_grace")
    backend.person("Katherine Johnson", muted=True, id="p_katherine")
    backend.person("+44 20 7946 0018", kind="rtp")
    backend.person("Mary Jackson", state="disconnected")
    await backend.tell_roster()
    for name, text in TALK:
        await backend.says(name, text, f"p_{name.split()[0].lower()}")
    await backend.tell(SpeakersEvent(speakers=[ActiveSpeaker(participant=grace.id, level=20)]))


async def crowd(backend: MeetingBackend) -> None:
    """More people than there are tiles."""
    for number in range(5):
        for name in NAMES.split(", "):
            backend.person(f"{name} {'I' * number}".strip(), muted=number > 0)
    await backend.tell_roster()
