"""TypeScript types of the wire models that the web client speaks, made from confero/models; --check only compares."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from confero import models
from confero.models import accounts, history, joining, meetings, sipadmin

TARGET = Path(__file__).resolve().parent.parent / "appserver" / "static" / "js" / "wire.d.ts"

SENT: tuple[type[BaseModel], ...] = (
    models.RoomCreate, models.JoinRequest, models.Hello, models.Offer, models.Mute, models.Leave, models.Ping,
    models.CallOut, models.CallDigits, models.RingAnswer,
    accounts.SetupRequest, accounts.SignUp, accounts.SignIn, accounts.MePatch, accounts.PasswordChange, accounts.AccountEnd,
    accounts.KeyCreate, accounts.ResetRequest, accounts.ResetUse, accounts.UserCreate, accounts.UserPatch,
    joining.RoomPatch, meetings.MeetingPatch, meetings.ReactionSend, meetings.ChatSend, meetings.HandPut,
    meetings.ParticipantPatch, meetings.ParticipantMove, meetings.MuteAll, meetings.InvitationCreate, meetings.MemberPut,
    history.McuPatch, sipadmin.DialRuleCreate, sipadmin.DialRulePatch, sipadmin.SipNumberCreate,
)  # fmt: skip
RECEIVED: tuple[type[BaseModel], ...] = (
    models.RoomInfo, models.IceServer, models.JoinReply, models.Participant, models.ActiveSpeaker, models.RosterEvent,
    models.ParticipantEvent, models.LeftEvent, models.SpeakersEvent, models.RenegotiateEvent, models.ClosedEvent,
    models.Welcome, models.UserWelcome, models.ChangedEvent, models.PresenceEvent,
    models.Answer, models.Ok, models.ErrorReply, models.Problem, models.CallInfo, models.CallEvent,
    models.IncomingCallEvent, models.RingStoppedEvent, models.SiteInfo, models.NetworkTest,
    joining.RoomDetail, joining.RoomPage, accounts.UserInfo, accounts.SessionInfo, accounts.DeviceInfo, accounts.DeviceList,
    accounts.KeyInfo, accounts.KeyMade, accounts.KeyList, accounts.ResetLink, accounts.AuditEntry, accounts.AuditPage,
    accounts.UserPage,
    meetings.Waiting, meetings.Hand, meetings.MeetingState, meetings.MeetingEvent, meetings.LobbyEvent, meetings.AdmittedEvent,
    meetings.RoleEvent, meetings.MovedEvent, meetings.AskEvent, meetings.ReactionEvent, meetings.ChatMessage,
    meetings.ChatPage, meetings.ChatEvent, meetings.ChatDeletedEvent, meetings.Muted, meetings.LobbyList,
    meetings.InvitationInfo, meetings.InvitationMade, meetings.InvitationList, meetings.MemberInfo, meetings.MemberList,
    meetings.DialIn, history.StayInfo, history.MeetingInfo, history.MeetingDetail, history.MeetingPage, history.McuInfo,
    history.McuList, history.LiveRoom, history.LiveList, sipadmin.DialRuleInfo, sipadmin.DialRulePage, sipadmin.SipNumberInfo,
    sipadmin.SipNumberPage, sipadmin.SipTrunkPage, sipadmin.SipAccountPage,
)  # fmt: skip
EVENTS = (
    "RosterEvent", "ParticipantEvent", "LeftEvent", "SpeakersEvent", "RenegotiateEvent", "ClosedEvent",
    "CallEvent", "IncomingCallEvent", "RingStoppedEvent", "MeetingEvent", "LobbyEvent", "AdmittedEvent", "RoleEvent",
    "MovedEvent", "AskEvent", "ReactionEvent", "ChatEvent", "ChatDeletedEvent",
)  # fmt: skip
SCALARS = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def type_of(schema: dict[str, Any]) -> str:
    """The TypeScript type of one JSON schema."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(f'"{value}"' for value in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(type_of(part) for part in schema["anyOf"])
    if schema.get("type") == "array":
        return f"Array<{type_of(schema['items'])}>"
    if schema.get("type") == "object":
        return "Record<string, unknown>"
    return SCALARS[schema["type"]]


def interface(name: str, schema: dict[str, Any], *, sent: bool) -> str:
    """One interface. What is sent may leave out fields with a default; what is received has them all."""
    required = set(schema.get("required", ()))
    lines = [f"export interface {name} {{"]
    for field, field_schema in schema["properties"].items():
        optional = sent and field not in required and "const" not in field_schema
        lines.append(f"  {field}{'?' if optional else ''}: {type_of(field_schema)};")
    return "\n".join([*lines, "}"])


def render() -> str:
    """The whole file."""
    both = [(model, "validation") for model in SENT] + [(model, "serialization") for model in RECEIVED]
    _, top = models_json_schema(both)  # type: ignore[arg-type]
    schemas = top["$defs"]
    sent = {model.__name__ for model in SENT}
    parts = ["/** The wire models of confero/models. Made by tools/wire_types.py: do not edit. */"]
    parts += [interface(name, schemas[name], sent=name in sent) for name in sorted(schemas)]
    parts.append(
        "export type UserEvent = (ChangedEvent | PresenceEvent | ClosedEvent) & { topic: string; seq: number };"
    )
    parts.append(f"export type RoomEvent = ({' | '.join(EVENTS)}) & {{ topic: string; seq: number }};")
    return "\n\n".join(parts) + "\n"


def main(argv: list[str]) -> int:
    text = render()
    if "--check" in argv:
        return 0 if TARGET.exists() and TARGET.read_text(encoding="utf-8") == text else 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
