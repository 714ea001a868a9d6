"""What people without an account may do, where the whole Internet finds the page."""

from __future__ import annotations

from ipaddress import ip_address

from .findings import Told, ok, skip, warn
from .patient import Patient
from .place import resolved

DOORS = (
    ("sign_up", "open", "make accounts", 'sign_up = "closed"'),
    ("guests_make_rooms", True, "make rooms", "guests_make_rooms = false"),
)
"""Settings of the application server: the name, its value that lets strangers in, what they may then, and what closes it."""


async def strangers(patient: Patient) -> Told:
    """Open doors are good for a lab or a house, and seldom meant where everybody comes by."""
    if "appserver" not in patient.place.configs:
        return skip("the application server is not installed here")
    open_ = [door for door in DOORS if patient.place.setting("appserver", door[0]) == door[1]]
    if not open_:
        return ok("who has no account comes by a room's link alone, and makes nothing")
    may = " and ".join(what for _, _, what, _ in open_)
    public = [one for one in await resolved(patient.place.name) if ip_address(one).is_global]
    if not public:
        return ok(f"people without an account may {may}: those of this network, where the page is")
    closing = " and ".join(setting for *_, setting in open_)
    return warn(
        f"the page is at {public[0]}, where anybody may {may}", f"set [appserver] {closing}, if that is not meant"
    )
