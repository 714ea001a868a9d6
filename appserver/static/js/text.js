/** Every sentence that a person reads about something going wrong or ending, in one table each; those of meetings stand in texts/meeting.js. */

import { MEETING_CODES, MEETING_ENDINGS } from "./texts/meeting.js";
import { PROBLEMS } from "./texts/problems.js";

/**
 * Why a call or a page can't go on.
 * @typedef {"left" | "removed" | "room-closed" | "elsewhere" | "expired" | "protocol" | "lost" | "room-full" | "room-unknown"
 *   | "no-media-server" | "incompatible" | "unsupported" | "unreachable" | "database" | "too-many" | "too-many-rooms" | "too-many-own" | "unknown"
 *   | import("./texts/meeting.js").MeetingEnding} EndReason
 */

/** @typedef {{ title: string, detail: string, retry: string | null }} Message  `retry`: label of the button that tries again */

/** @type {Readonly<Record<EndReason, Message>>} */
export const ENDINGS = Object.freeze({
  ...MEETING_ENDINGS,
  left: { title: "You left the room", detail: "The conversation goes on without you.", retry: "Join again" },
  removed: { title: "You were removed from the room", detail: "A host ended your participation.", retry: null },
  "room-closed": { title: "The room was closed", detail: "The conversation has ended for everyone.", retry: null },
  elsewhere: {
    title: "You are in this room in another tab",
    detail: "A newer connection took this one's place, so this tab has stopped.",
    retry: "Use this tab instead",
  },
  expired: { title: "Your place in the room has expired", detail: "You were away for too long. Join again to get back in.", retry: "Join again" },
  protocol: {
    title: "The server did not understand this page",
    detail: "It may have been updated. Reload the page to get the current version.",
    retry: "Reload",
  },
  lost: { title: "The connection was lost", detail: "The server could not be reached any more.", retry: "Join again" },
  "room-full": {
    title: "This room is full",
    detail: "Everyone whom the room has space for is already inside. Try again when somebody has left.",
    retry: "Try again",
  },
  "room-unknown": {
    title: "There is no such room",
    detail: "Check the link, or ask the person who sent it to you. You can also start a room of your own.",
    retry: null,
  },
  "no-media-server": {
    title: "No media server is ready",
    detail: "The room exists, but nothing can carry its sound right now. It usually takes a few seconds.",
    retry: "Try again",
  },
  incompatible: {
    title: "No common audio format",
    detail: "This browser and the server could not agree on how to exchange sound. Try another browser.",
    retry: "Try again",
  },
  unsupported: {
    title: "This browser can't join",
    detail: "It lacks WebRTC or WebSocket. Use a current version of Chrome, Edge, Firefox or Safari.",
    retry: null,
  },
  unreachable: { title: "The server can't be reached", detail: "Check your network connection, then try again.", retry: "Try again" },
  database: { title: "The database can't be reached", detail: "Meetings go on, and nothing is lost. Try again in a moment.", retry: "Try again" },
  "too-many": { title: "Too many requests", detail: "The server asks for a short pause. Wait a moment, then try again.", retry: "Try again" },
  "too-many-rooms": { title: "No space for another room", detail: "The server holds as many rooms as it can. Try again later.", retry: "Try again" },
  "too-many-own": { title: "You have as many rooms as you may", detail: "Delete one under Rooms, then start another.", retry: null },
  unknown: { title: "Something went wrong", detail: "The server could not do this. Try again in a moment.", retry: "Try again" },
});

/** Problem codes of the REST API, and our own for a fetch that got no answer. @type {Readonly<Record<string, EndReason>>} */
const CODES = Object.freeze({
  ...MEETING_CODES,
  "room-unknown": "room-unknown",
  "room-full": "room-full",
  "no-media-server": "no-media-server",
  unreachable: "unreachable",
  timeout: "unreachable",
  "notifier-down": "unreachable",
  unavailable: "unreachable",
  "database-down": "database",
  "database-unsure": "database",
  "too-many-requests": "too-many",
  "too-many-connections": "too-many",
  "too-many-rooms": "too-many-rooms",
  "too-many-own-rooms": "too-many-own",
  "token-invalid": "expired",
  "token-expired": "expired",
});

/**
 * @param {string} code of a RequestError
 * @returns {EndReason}
 */
export function reasonOf(code) {
  return CODES[code] ?? "unknown";
}

/** Reasons for which a leg or a membership ends (docs/wire.md), as they follow a name: "Ada left". @type {Readonly<Record<string, string>>} */
const LEAVINGS = Object.freeze({
  left: "left",
  bye: "hung up",
  removed: "was removed",
  "room-closed": "left",
  "ice-timeout": "lost the connection",
  "media-timeout": "lost the connection",
  "dtls-failed": "lost the connection",
  "fingerprint-mismatch": "lost the connection",
  "owner-gone": "lost the connection",
  draining: "lost the connection",
});

/** @param {string} reason */
export function leaving(reason) {
  return LEAVINGS[reason] ?? "left";
}

/** What went wrong with a wish about a telephone. @type {Readonly<Record<string, string>>} */
const CALL_FAULTS = Object.freeze({
  "address-invalid": "That is neither a telephone number nor a SIP address.",
  "call-out-refused": "You may not call that number from here.",
  "call-out-limit": "You have made as many calls as are allowed in an hour.",
  "not-found": "Nobody can be called there.",
  "not-yours": "Only a host, or who has made the call, can do that.",
  "call-unknown": "That call has ended.",
  "call-over": "The call rings no more.",
  "no-media": "The telephone can't be reached by keys yet.",
  "no-events": "The telephone can't be reached by keys.",
  "room-full": "The room is full.",
  "too-many-requests": "Too many calls in a short time. Wait a moment, then try again.",
  "gateway-busy": "No further calls can be made now. Try again in a moment.",
});

/** @param {string} code @returns {string} a sentence */
export function callFault(code) {
  return CALL_FAULTS[code] ?? PROBLEMS[code] ?? "The call could not be made. Try again in a moment.";
}

/** What a SIP status says to people, as it follows a name. @type {Readonly<Record<number, string>>} */
const OUTCOMES = Object.freeze({
  200: "is off the line",
  403: "can't be called from here",
  404: "is not known there",
  408: "did not answer",
  410: "is not known there any more",
  480: "did not answer",
  484: "is not a whole number",
  486: "is busy",
  487: "was not reached",
  488: "has no common audio format with us",
  600: "is busy",
  603: "declined",
  604: "is not known there",
});

/** How a call of ours goes, as it follows a name. @param {import("./wire.js").CallEvent} event @returns {string} */
export function callState(event) {
  if (event.state === "calling") return "is being called…";
  if (event.state === "ringing") return "is ringing…";
  if (event.state === "answered") return "has answered";
  return OUTCOMES[event.status] ?? "could not be reached";
}

/** Who rings. @param {import("./wire.js").IncomingCallEvent} event @returns {{ title: string, detail: string }} */
export function callerOf(event) {
  const from = event.name && event.number ? ` from ${event.number}` : "";
  return { title: event.name || event.number || "Unknown caller", detail: `calls you${from}. Accept to have them in this room.` };
}

/** Reasons of `closed` that have an ending of their name. @type {ReadonlySet<string>} */
const CLOSINGS = new Set(["room-closed", "left", "ended", "refused", "moved"]);

/** The reason of a `closed` event as an ending. @param {string} reason @returns {EndReason} */
export function endingOf(reason) {
  return CLOSINGS.has(reason) ? /** @type {EndReason} */ (reason) : "removed";
}

/**
 * @typedef {"refused" | "none" | "busy" | "insecure" | "unsupported" | "failed"} MicrophoneFault
 * @type {Readonly<Record<MicrophoneFault, { title: string, detail: string, retry: boolean }>>}
 */
export const MICROPHONE_FAULTS = Object.freeze({
  refused: {
    title: "Microphone access is blocked",
    detail: "Allow the microphone for this site in the address bar, then try again. Until then you can join and listen.",
    retry: true,
  },
  none: {
    title: "No microphone found",
    detail: "Plug one in or switch it on; it is picked up by itself. Until then you can join and listen.",
    retry: true,
  },
  busy: {
    title: "The microphone is in use",
    detail: "Another program holds it. Close that program, then try again. Until then you can join and listen.",
    retry: true,
  },
  insecure: {
    title: "This page is not secure",
    detail: "Browsers give the microphone only to pages opened with https://. You can join and listen.",
    retry: false,
  },
  unsupported: {
    title: "This browser has no microphone access",
    detail: "Use a current version of Chrome, Edge, Firefox or Safari to talk. You can join and listen.",
    retry: false,
  },
  failed: { title: "The microphone could not be opened", detail: "Try again or choose another one. Until then you can join and listen.", retry: true },
});
