/** The wire models of confero/models. Made by tools/wire_types.py: do not edit. */

export interface AccountEnd {
  password: string;
}

export interface ActiveSpeaker {
  participant: string;
  level: number;
}

export interface AdmittedEvent {
  type: "admitted";
}

export interface Answer {
  type: "answer";
  id: number;
  leg: string;
  sdp: string;
}

export interface AskEvent {
  type: "ask";
  what: "unmute";
  by: string;
}

export interface AuditEntry {
  id: number;
  at: number;
  actor: string;
  source: string;
  action: string;
  target: string;
  detail: string;
}

export interface AuditPage {
  items: Array<AuditEntry>;
  next: string | null;
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

export interface ChangedEvent {
  type: "changed";
  what: "rooms" | "members" | "invitations" | "lobby" | "live" | "calls" | "records";
  room: string | null;
}

export interface ChatDeletedEvent {
  type: "chat_deleted";
  id: number;
}

export interface ChatEvent {
  type: "chat";
  message: ChatMessage;
}

export interface ChatMessage {
  id: number;
  at: number;
  participant: string;
  display_name: string;
  text: string;
  nonce: string | null;
}

export interface ChatPage {
  items: Array<ChatMessage>;
  next: string | null;
}

export interface ChatSend {
  text: string;
  nonce?: string | null;
}

export interface ClosedEvent {
  type: "closed";
  reason: string;
}

export interface DeviceInfo {
  id: string;
  created_at: number;
  used_at: number;
  source: string;
  agent: string;
  current: boolean;
}

export interface DeviceList {
  items: Array<DeviceInfo>;
}

export interface DialIn {
  numbers: Array<string>;
  room_number: string | null;
  pin_needed: boolean;
  pin: string | null;
  sip_uri: string | null;
}

export interface DialRuleCreate {
  position: number;
  direction: "in" | "out";
  source?: "any" | "trunk" | "account" | "browser" | "unknown";
  source_name?: string;
  pattern: string;
  domain?: string;
  action: "room" | "user" | "menu" | "trunk" | "address" | "reject";
  target?: string;
  strip?: number;
  prepend?: string;
  skip_missing?: boolean;
  status?: number;
  enabled?: boolean;
  note?: string;
}

export interface DialRuleInfo {
  id: number;
  position: number;
  direction: "in" | "out";
  source: "any" | "trunk" | "account" | "browser" | "unknown";
  source_name: string;
  pattern: string;
  domain: string;
  action: "room" | "user" | "menu" | "trunk" | "address" | "reject";
  target: string;
  strip: number;
  prepend: string;
  skip_missing: boolean;
  status: number;
  enabled: boolean;
  note: string;
}

export interface DialRulePage {
  items: Array<DialRuleInfo>;
  next: string | null;
}

export interface DialRulePatch {
  position?: number | null;
  direction?: "in" | "out" | null;
  source?: "any" | "trunk" | "account" | "browser" | "unknown" | null;
  source_name?: string | null;
  pattern?: string | null;
  domain?: string | null;
  action?: "room" | "user" | "menu" | "trunk" | "address" | "reject" | null;
  target?: string | null;
  strip?: number | null;
  prepend?: string | null;
  skip_missing?: boolean | null;
  status?: number | null;
  enabled?: boolean | null;
  note?: string | null;
}

export interface ErrorReply {
  type: "error";
  id: number;
  problem: Problem;
}

export interface Hand {
  participant: string;
  since: number;
}

export interface HandPut {
  raised: boolean;
}

export interface Hello {
  type: "hello";
  token: string;
  resume?: string | null;
  seen?: Array<Position>;
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

export interface InvitationCreate {
  role?: "host" | "guest";
  expires_at?: number | null;
  max_uses?: number | null;
  note?: string;
}

export interface InvitationInfo {
  id: string;
  role: "host" | "guest";
  note: string;
  created_at: number;
  created_by: string;
  expires_at: number | null;
  max_uses: number | null;
  uses: number;
  revoked: boolean;
}

export interface InvitationList {
  items: Array<InvitationInfo>;
}

export interface InvitationMade {
  id: string;
  role: "host" | "guest";
  note: string;
  created_at: number;
  created_by: string;
  expires_at: number | null;
  max_uses: number | null;
  uses: number;
  revoked: boolean;
  url: string;
  secret: string;
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
  role: "host" | "guest";
  waiting: boolean;
  meeting: MeetingState | null;
  chat: Array<ChatMessage>;
  chat_next: string | null;
}

export interface JoinRequest {
  display_name: string;
  previous_token?: string | null;
  pin?: string | null;
  invitation?: string | null;
}

export interface KeyCreate {
  name: string;
  scopes: Array<"rooms:read" | "rooms:write" | "meetings:moderate" | "records:read" | "admin">;
  expires_at?: number | null;
}

export interface KeyInfo {
  id: string;
  name: string;
  scopes: Array<"rooms:read" | "rooms:write" | "meetings:moderate" | "records:read" | "admin">;
  created_at: number;
  expires_at: number | null;
  used_at: number | null;
  hint: string;
}

export interface KeyList {
  items: Array<KeyInfo>;
}

export interface KeyMade {
  id: string;
  name: string;
  scopes: Array<"rooms:read" | "rooms:write" | "meetings:moderate" | "records:read" | "admin">;
  created_at: number;
  expires_at: number | null;
  used_at: number | null;
  hint: string;
  key: string;
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

export interface LiveList {
  items: Array<LiveRoom>;
}

export interface LiveRoom {
  room: string;
  room_name: string;
  mcu: string;
  started_at: number | null;
  participants: number;
  waiting: number;
  owner: string | null;
}

export interface LobbyEvent {
  type: "lobby";
  waiting: Array<Waiting>;
}

export interface LobbyList {
  items: Array<Waiting>;
}

export interface McuInfo {
  id: string;
  url: string;
  state: "up" | "draining" | "lost";
  capacity: number;
  used: number;
  rooms: number;
  legs: number;
  drained: boolean;
  seen_s: number;
  version: string;
}

export interface McuList {
  items: Array<McuInfo>;
}

export interface McuPatch {
  draining: boolean;
}

export interface MePatch {
  display_name?: string | null;
  mail?: string | "" | null;
  password?: string | null;
}

export interface MeetingDetail {
  id: string;
  room: string;
  room_name: string;
  started_at: number;
  ended_at: number | null;
  reason: string;
  participants: number;
  most: number;
  mos: number | null;
  stays: Array<StayInfo>;
}

export interface MeetingEvent {
  type: "meeting";
  state: MeetingState;
}

export interface MeetingInfo {
  id: string;
  room: string;
  room_name: string;
  started_at: number;
  ended_at: number | null;
  reason: string;
  participants: number;
  most: number;
  mos: number | null;
}

export interface MeetingPage {
  items: Array<MeetingInfo>;
  next: string | null;
}

export interface MeetingPatch {
  locked?: boolean | null;
  lobby?: boolean | null;
  speak?: "all" | "request" | null;
  spotlight?: string | "" | null;
}

export interface MeetingState {
  version: number;
  locked: boolean;
  lobby: boolean;
  speak: "all" | "request";
  started_at: number | null;
  spotlight: string | null;
  hands: Array<Hand>;
  speakers: Array<string>;
  waiting: number;
}

export interface MemberInfo {
  user: string;
  login: string;
  display_name: string;
  role: "host" | "guest";
}

export interface MemberList {
  items: Array<MemberInfo>;
}

export interface MemberPut {
  role?: "host" | "guest";
}

export interface MovedEvent {
  type: "moved";
  room: string;
  token: string;
}

export interface Mute {
  type: "mute";
  id: number;
  muted: boolean;
}

export interface MuteAll {
  hosts_too?: boolean;
}

export interface Muted {
  muted: number;
}

export interface NetworkTest {
  ice_servers: Array<IceServer>;
  ice_policy: "all" | "relay";
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
  held: boolean;
  state: "connecting" | "connected" | "disconnected";
}

export interface ParticipantEvent {
  type: "participant";
  participant: Participant;
}

export interface ParticipantMove {
  room: string;
}

export interface ParticipantPatch {
  muted?: boolean | null;
  role?: "host" | "guest" | null;
  may_speak?: boolean | null;
  hand?: false | null;
}

export interface PasswordChange {
  current: string;
  new: string;
}

export interface Ping {
  type: "ping";
  id: number;
}

export interface Position {
  topic: string;
  epoch: string;
  seq: number;
}

export interface PresenceEvent {
  type: "presence";
  user: string;
  online: boolean;
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  errors: Array<Record<string, unknown>>;
}

export interface ReactionEvent {
  type: "reaction";
  participant: string;
  display_name: string;
  emoji: string;
}

export interface ReactionSend {
  emoji: "👍" | "👎" | "👏" | "❤️" | "😂" | "😮" | "🎉" | "🤔";
}

export interface RenegotiateEvent {
  type: "renegotiate";
  reason: string;
}

export interface ResetLink {
  url: string;
  expires_at: number;
}

export interface ResetRequest {
  login: string;
}

export interface ResetUse {
  secret: string;
  password: string;
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

export interface RoleEvent {
  type: "role";
  role: "host" | "guest";
}

export interface RoomCreate {
  name?: string | null;
  max_participants?: number;
  talkers?: number;
  noise_dbov?: number | null;
  announce?: boolean;
  permanent?: boolean;
  pin?: string | null;
  host_pin?: string | null;
  lobby?: boolean;
  host_first?: boolean;
  speak?: "all" | "request";
  number?: string | "auto" | null;
}

export interface RoomDetail {
  id: string;
  name: string;
  max_participants: number;
  talkers: number;
  noise_dbov: number | null;
  announce: boolean;
  participants: number;
  join_url: string;
  permanent: boolean;
  pin_needed: boolean;
  lobby: boolean;
  host_first: boolean;
  speak: "all" | "request";
  locked: boolean;
  created_at: number;
  used_at: number;
  owner: string | null;
  mine: "owner" | "host" | "guest" | null;
  pin: string | null;
  host_pin: string | null;
  number: string | null;
  invitation: string | null;
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
  permanent: boolean;
  pin_needed: boolean;
  lobby: boolean;
  host_first: boolean;
  speak: "all" | "request";
  locked: boolean;
}

export interface RoomPage {
  items: Array<RoomDetail>;
  next: string | null;
}

export interface RoomPatch {
  name?: string | null;
  max_participants?: number | null;
  talkers?: number | null;
  noise_dbov?: number | null;
  announce?: boolean | null;
  permanent?: boolean | null;
  pin?: string | "" | null;
  host_pin?: string | "" | null;
  lobby?: boolean | null;
  host_first?: boolean | null;
  speak?: "all" | "request" | null;
  number?: string | "auto" | "" | null;
}

export interface RosterEvent {
  type: "roster";
  participants: Array<Participant>;
}

export interface SessionInfo {
  user: UserInfo | null;
  csrf: string;
  setup_needed: boolean;
  sign_up: boolean;
  mail: boolean;
  password_min: number;
}

export interface SetupRequest {
  secret: string;
  login: string;
  display_name: string;
  password: string;
  mail?: string | null;
}

export interface SignIn {
  login: string;
  password: string;
}

export interface SignUp {
  login: string;
  display_name: string;
  password: string;
  mail?: string | null;
}

export interface SipAccountInfo {
  id: number;
  user: string;
  realm: string;
  display_name: string;
  allow_md5_without_qop: boolean;
  may_call_out: boolean;
  call_out_patterns: Array<string>;
  calls_per_hour: number | null;
  media_security: string;
  key_exchange: string;
  symmetric: boolean;
  enabled: boolean;
  created_at: number;
}

export interface SipAccountPage {
  items: Array<SipAccountInfo>;
  next: string | null;
}

export interface SipNumberCreate {
  room: string;
  number?: string | null;
  pin?: string | null;
}

export interface SipNumberInfo {
  number: string;
  room: string;
  has_pin: boolean;
  created_at: number;
}

export interface SipNumberPage {
  items: Array<SipNumberInfo>;
  next: string | null;
}

export interface SipServer {
  uri: string;
  priority: number;
}

export interface SipTrunkInfo {
  name: string;
  servers: Array<SipServer>;
  registrar: string;
  registers: boolean;
  transport: string;
  domain: string;
  user: string;
  auth_user: string;
  realm: string;
  has_secret: boolean;
  expires: number;
  sources: Array<string>;
  caller_id: string;
  caller_number: string;
  media_security: string;
  symmetric: boolean;
  options_s: number;
  enabled: boolean;
}

export interface SipTrunkPage {
  items: Array<SipTrunkInfo>;
  next: string | null;
}

export interface SiteInfo {
  calls_out: boolean;
}

export interface SpeakersEvent {
  type: "speakers";
  speakers: Array<ActiveSpeaker>;
}

export interface StayInfo {
  participant: string;
  display_name: string;
  role: "host" | "guest";
  kind: "webrtc" | "rtp";
  user: string | null;
  joined_at: number;
  left_at: number | null;
  reason: string;
  codec: string;
  security: string;
  loss_in: number | null;
  loss_out: number | null;
  jitter_in_ms: number | null;
  jitter_out_ms: number | null;
  mos_in: number | null;
  mos_out: number | null;
  call: string | null;
}

export interface UserCreate {
  login: string;
  display_name: string;
  role?: "admin" | "moderator" | "user";
  mail?: string | null;
  password?: string | null;
}

export interface UserInfo {
  id: string;
  login: string;
  display_name: string;
  mail: string | null;
  role: "admin" | "moderator" | "user";
  enabled: boolean;
  created_at: number;
  signed_in_at: number | null;
}

export interface UserPage {
  items: Array<UserInfo>;
  next: string | null;
}

export interface UserPatch {
  display_name?: string | null;
  mail?: string | "" | null;
  role?: "admin" | "moderator" | "user" | null;
  enabled?: boolean | null;
}

export interface UserWelcome {
  type: "welcome";
  session: string;
  topics: Array<Position>;
  resumed: boolean;
  user: string;
}

export interface Waiting {
  participant: string;
  display_name: string;
  kind: "webrtc" | "rtp";
  since: number;
}

export interface Welcome {
  type: "welcome";
  session: string;
  topics: Array<Position>;
  resumed: boolean;
  participant: string;
  room: string;
  room_name: string;
  waiting: boolean;
  roster: Array<Participant>;
}

export type UserEvent = (ChangedEvent | PresenceEvent | ClosedEvent) & { topic: string; seq: number };

export type RoomEvent = (RosterEvent | ParticipantEvent | LeftEvent | SpeakersEvent | RenegotiateEvent | ClosedEvent | CallEvent | IncomingCallEvent | RingStoppedEvent | MeetingEvent | LobbyEvent | AdmittedEvent | RoleEvent | MovedEvent | AskEvent | ReactionEvent | ChatEvent | ChatDeletedEvent) & { topic: string; seq: number };
