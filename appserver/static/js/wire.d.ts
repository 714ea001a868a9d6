/** The wire models of confero/models. Made by tools/wire_types.py: do not edit. */

export interface ActiveSpeaker {
  participant: string;
  level: number;
}

export interface Answer {
  type: "answer";
  id: number;
  leg: string;
  sdp: string;
}

export interface CallDigits {
  digits: string;
  ms?: number;
}

export interface CallEvent {
  type: "call";
  call: string;
  state: "calling" | "ringing" | "answered" | "ended";
  status: number;
  reason: string;
  name: string;
  participant: string | null;
  user_data: string;
  headers: Record<string, unknown>;
}

export interface CallInfo {
  id: string;
  direction: "in" | "out";
  room: string | null;
  participant: string | null;
  owner: string | null;
  name: string;
  state: "calling" | "ringing" | "answered" | "ended";
  status: number;
  reason: string;
  user_data: string;
  headers: Record<string, unknown>;
}

export interface CallOut {
  user_data?: string;
  headers?: Record<string, unknown>;
  to: string;
}

export interface ClosedEvent {
  type: "closed";
  reason: string;
}

export interface ErrorReply {
  type: "error";
  id: number;
  problem: Problem;
}

export interface Hello {
  type: "hello";
  token: string;
  resume?: string | null;
  last_seq?: number;
}

export interface IceServer {
  urls: Array<string>;
  username: string | null;
  credential: string | null;
}

export interface IncomingCallEvent {
  type: "incoming_call";
  call: string;
  name: string;
  number: string;
  stale_s: number;
  user_data: string;
  headers: Record<string, unknown>;
}

export interface JoinReply {
  token: string;
  token_expires: number;
  participant: string;
  room: RoomInfo;
  events_path: string;
  calls_out: boolean;
  ice_servers: Array<IceServer>;
  ice_ttl_s: number;
  ice_policy: "all" | "relay";
}

export interface JoinRequest {
  display_name: string;
  previous_token?: string | null;
}

export interface Leave {
  type: "leave";
  id: number;
}

export interface LeftEvent {
  type: "left";
  participant: string;
  reason: string;
}

export interface Mute {
  type: "mute";
  id: number;
  muted: boolean;
}

export interface Offer {
  type: "offer";
  id: number;
  sdp: string;
  leg?: string | null;
}

export interface Ok {
  type: "ok";
  id: number;
}

export interface Participant {
  id: string;
  display_name: string;
  role: "host" | "guest";
  kind: "webrtc" | "rtp";
  leg: string;
  muted: boolean;
  deaf: boolean;
  state: "connecting" | "connected" | "disconnected";
}

export interface ParticipantEvent {
  type: "participant";
  participant: Participant;
}

export interface Ping {
  type: "ping";
  id: number;
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  errors: Array<Record<string, unknown>>;
}

export interface RenegotiateEvent {
  type: "renegotiate";
  reason: string;
}

export interface RingAnswer {
  user_data?: string;
  headers?: Record<string, unknown>;
  action: "accept" | "decline" | "busy";
}

export interface RingStoppedEvent {
  type: "ring_stopped";
  call: string;
  reason: "accepted" | "cancelled" | "no-answer" | "declined";
}

export interface RoomCreate {
  name?: string | null;
  max_participants?: number;
  talkers?: number;
  noise_dbov?: number | null;
  announce?: boolean;
}

export interface RoomInfo {
  id: string;
  name: string;
  max_participants: number;
  talkers: number;
  noise_dbov: number | null;
  announce: boolean;
  participants: number;
  join_url: string;
}

export interface RosterEvent {
  type: "roster";
  participants: Array<Participant>;
}

export interface SiteInfo {
  calls_out: boolean;
}

export interface SpeakersEvent {
  type: "speakers";
  speakers: Array<ActiveSpeaker>;
}

export interface Welcome {
  type: "welcome";
  session: string;
  seq: number;
  resumed: boolean;
  participant: string;
  room: string;
  room_name: string;
  roster: Array<Participant>;
}

export type RoomEvent = (RosterEvent | ParticipantEvent | LeftEvent | SpeakersEvent | RenegotiateEvent | ClosedEvent | CallEvent | IncomingCallEvent | RingStoppedEvent) & { seq: number };
