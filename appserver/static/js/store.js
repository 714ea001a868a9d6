/** What the page knows and shows, as signals. Views read them; call.js, local.js and screens.js write them. */

import { computed, signal } from "../vendor/preact.js";
import { NO_LINES } from "./lines.js";
import { NO_MEETING, unread } from "./meetingstate.js";
import { EMPTY } from "./roster.js";

/** @typedef {import("./text.js").EndReason} EndReason */
/** @typedef {import("./wire.js").RoomInfo} RoomInfo */

/**
 * @typedef {{ name: "loading" }
 *   | { name: "home" }
 *   | { name: "prejoin", room: RoomInfo, problem: EndReason | null, joining: boolean }
 *   | { name: "waiting", room: RoomInfo, displayName: string }
 *   | { name: "call", room: RoomInfo }
 *   | { name: "page", page: import("./router.js").PageName, props: import("./router.js").PageProps, View: (props: import("./router.js").PageProps) => unknown }
 *   | { name: "ended", room: string | null, reason: EndReason }} Screen
 */

/** @typedef {{ id: number, text: string, tone: "plain" | "warning", kind: string }} Toast */

/** @typedef {"connecting" | "good" | "fair" | "poor" | "restoring" | "reconnecting"} Link */

export const screen = signal(/** @type {Screen} */ ({ name: "loading" }));

/** @typedef {{ id: number, emoji: string, name: string, participant: string }} Reaction */

// --- the call -------------------------------------------------------------------------------------------------------------

export const me = signal("");
export const view = signal(/** @type {import("./roster.js").View} */ (EMPTY));
export const muted = signal(false);
export const signalling = signal(/** @type {import("./session.js").Status} */ ("idle"));
export const phase = signal(/** @type {import("./recovery.js").Phase} */ ("idle"));
export const quality = signal(/** @type {import("./quality.js").Quality | null} */ (null));
/** performance.now() of the first welcome; 0 before. */
export const joinedAt = signal(0);
/** Telephone calls of ours, and those that ring. */
export const lines = signal(NO_LINES);
/** Whether we may call telephones into the room. */
export const callsOut = signal(false);
/** The mix from the media server. */
export const remote = signal(/** @type {MediaStream | null} */ (null));
/** The browser wants a gesture before it plays. */
export const playBlocked = signal(false);

/** What the meeting is like, and what we are in it. */
export const meeting = signal(/** @type {import("./meetingstate.js").Meeting} */ (NO_MEETING));
export const role = signal(/** @type {import("./wire.js").JoinReply["role"]} */ ("guest"));
export const isHost = computed(() => role.value === "host");
/** Guests who have to ask before they speak, and have not been let. */
export const mustAsk = computed(() => {
  const { speak, speakers } = meeting.value.state;
  return !isHost.value && speak === "request" && !speakers.includes(me.value);
});
/** Reactions that float now. */
export const reactions = signal(/** @type {readonly Reaction[]} */ ([]));
/** Whether the chat is on the screen. */
export const chatOpen = signal(false);
/** Id of the last message that was on the screen. */
export const seenMessage = signal(0);
export const unreadMessages = computed(() => unread(meeting.value.chat, seenMessage.value, me.value));
/** How the connection was in the last two minutes, and which way it goes. */
export const measured = signal(/** @type {readonly import("./statistics.js").Point[]} */ ([]));
export const way = signal("");

/** What the connection mark shows. Signalling comes first: without it nothing else can be mended. */
export const link = computed(() => {
  if (joinedAt.value === 0) return /** @type {Link} */ ("connecting");
  if (signalling.value !== "open") return /** @type {Link} */ ("reconnecting");
  if (phase.value !== "connected") return /** @type {Link} */ (everHeard.value ? "restoring" : "connecting");
  return /** @type {Link} */ (quality.value?.grade ?? "good");
});

/** Whether sound has ever stood in this call. */
export const everHeard = signal(false);

export function resetCall() {
  me.value = "";
  view.value = EMPTY;
  muted.value = false;
  signalling.value = "idle";
  phase.value = "idle";
  quality.value = null;
  joinedAt.value = 0;
  remote.value = null;
  playBlocked.value = false;
  everHeard.value = false;
  lines.value = NO_LINES;
  callsOut.value = false;
  meeting.value = NO_MEETING;
  role.value = "guest";
  reactions.value = [];
  seenMessage.value = 0;
  chatOpen.value = false;
  measured.value = [];
  way.value = "";
}

// --- toasts ---------------------------------------------------------------------------------------------------------------

const MAX_TOASTS = 4;
const TOAST_MS = 5000;

export const toasts = signal(/** @type {readonly Toast[]} */ ([]));
let lastToast = 0;

/**
 * @param {string} text
 * @param {"plain" | "warning"} tone
 * @param {string} kind of which only the newest is shown; "" for none
 */
export function toast(text, tone = "plain", kind = "") {
  const id = ++lastToast;
  const others = toasts.value.filter((one) => !kind || one.kind !== kind);
  toasts.value = [...others, { id, text, tone, kind }].slice(-MAX_TOASTS);
  setTimeout(() => dismissToast(id), TOAST_MS);
}

/** @param {number} id */
export function dismissToast(id) {
  toasts.value = toasts.value.filter((one) => one.id !== id);
}

/** @param {string} kind of toasts that are of no use any more */
export function dismissKind(kind) {
  toasts.value = toasts.value.filter((one) => one.kind !== kind);
}
