/** What the page knows and shows, as signals. Views read them; call.js, local.js and screens.js write them. */

import { computed, signal } from "../vendor/preact.js";
import { NO_LINES } from "./lines.js";
import { EMPTY } from "./roster.js";

/** @typedef {import("./text.js").EndReason} EndReason */
/** @typedef {import("./wire.js").RoomInfo} RoomInfo */

/**
 * @typedef {{ name: "loading" }
 *   | { name: "home" }
 *   | { name: "prejoin", room: RoomInfo, problem: EndReason | null, joining: boolean }
 *   | { name: "call", room: RoomInfo }
 *   | { name: "page", page: import("./router.js").PageName, props: import("./router.js").PageProps, View: (props: import("./router.js").PageProps) => unknown }
 *   | { name: "ended", room: string | null, reason: EndReason }} Screen
 */

/** @typedef {{ id: number, text: string, tone: "plain" | "warning" }} Toast */

/** @typedef {"connecting" | "good" | "fair" | "poor" | "restoring" | "reconnecting"} Link */

export const screen = signal(/** @type {Screen} */ ({ name: "loading" }));

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
}

// --- toasts ---------------------------------------------------------------------------------------------------------------

const MAX_TOASTS = 4;
const TOAST_MS = 5000;

export const toasts = signal(/** @type {readonly Toast[]} */ ([]));
let lastToast = 0;

/**
 * @param {string} text
 * @param {"plain" | "warning"} tone
 */
export function toast(text, tone = "plain") {
  const id = ++lastToast;
  toasts.value = [...toasts.value, { id, text, tone }].slice(-MAX_TOASTS);
  setTimeout(() => dismissToast(id), TOAST_MS);
}

/** @param {number} id */
export function dismissToast(id) {
  toasts.value = toasts.value.filter((one) => one.id !== id);
}
