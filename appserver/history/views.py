"""Records as the API shows them."""

from __future__ import annotations

from dataclasses import asdict

from confero.models.history import LiveRoom, MeetingInfo, StayInfo

from .entities import Going, Meeting, StayRow


def meeting_info(meeting: Meeting) -> MeetingInfo:
    return MeetingInfo.model_validate(asdict(meeting))


def stay_info(row: StayRow) -> StayInfo:
    return StayInfo.model_validate({**vars(row.stay), **vars(row.stay.sound), "call": row.call})


def live_room(going: Going) -> LiveRoom:
    meeting = going.meeting
    return LiveRoom(
        room=meeting.room,
        room_name=meeting.room_name,
        mcu=going.mcu,
        started_at=meeting.started_at,
        participants=going.here,
        waiting=going.waiting,
        owner=meeting.owner,
    )
