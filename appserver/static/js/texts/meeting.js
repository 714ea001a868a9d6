/** Sentences about meetings: how they end, what keeps somebody at the door, and why something could not be done in them. */

import { PROBLEMS } from "./problems.js";

/**
 * Why somebody does not come in, or the meeting is over for them. Beside those of text.js.
 * @typedef {"ended" | "refused" | "moved" | "pin-needed" | "pin-wrong" | "too-many-tries" | "room-locked" | "lobby-full" | "invitation-bad"
 *   | "invitation-over" | "not-invited" | "guests-make-none"} MeetingEnding
 */

/** @type {Readonly<Record<MeetingEnding, import("../text.js").Message>>} */
export const MEETING_ENDINGS = Object.freeze({
  ended: { title: "The meeting has ended", detail: "A host has ended it for everyone.", retry: null },
  refused: { title: "You were not let in", detail: "A host has declined. Ask the person who invited you if you think that this is a mistake.", retry: null },
  moved: { title: "You were moved to another room", detail: "The other room could not be opened. Ask a host of this meeting.", retry: "Join again" },
  "pin-needed": { title: "This room has a PIN", detail: "Enter the PIN that you were given with the invitation.", retry: "Try again" },
  "pin-wrong": { title: "That PIN is not right", detail: "Check it and try again. After several wrong ones you have to wait for a while.", retry: "Try again" },
  "too-many-tries": { title: "Too many wrong PINs", detail: "Wait a few minutes, then try again.", retry: "Try again" },
  "room-locked": { title: "The room is locked", detail: "The hosts let nobody else in right now. Ask one of them, or try again later.", retry: "Try again" },
  "lobby-full": { title: "Too many people are waiting", detail: "Try again in a moment.", retry: "Try again" },
  "invitation-bad": { title: "This invitation is not valid", detail: "The link is incomplete or was taken back. Ask for a new one.", retry: null },
  "invitation-over": { title: "This invitation is used up", detail: "It has expired or has let in as many people as it was made for. Ask for a new one.", retry: null },
  "not-invited": { title: "You may not come in here", detail: "This room is for others, or a host has removed you from this meeting.", retry: null },
  "guests-make-none": { title: "Sign in to start a room", detail: "On this server only people with an account may start rooms.", retry: null },
});

/** Problem codes -> endings. @type {Readonly<Record<string, MeetingEnding>>} */
export const MEETING_CODES = Object.freeze({
  "pin-needed": "pin-needed",
  "pin-wrong": "pin-wrong",
  "too-many-tries": "too-many-tries",
  "room-locked": "room-locked",
  "lobby-full": "lobby-full",
  "invitation-invalid": "invitation-bad",
  "invitation-unknown": "invitation-bad",
  "invitation-expired": "invitation-over",
  "invitation-used": "invitation-over",
  "not-allowed": "not-invited",
  removed: "not-invited",
  "sign-in-needed": "guests-make-none",
});

/** What is said at the PIN field, not above the form. @type {ReadonlySet<string>} */
export const PIN_FAULTS = new Set(["pin-needed", "pin-wrong", "too-many-tries"]);

/** Why something in a meeting could not be done, by problem code, where that is not said by problems.js. @type {Readonly<Record<string, string>>} */
const FAULTS = Object.freeze({
  "not-allowed": "Only a host may do that.",
  "not-admitted": "You are not in the room yet.",
  "participant-unknown": "That person has left.",
  "not-waiting": "They do not wait any more.",
  "last-host": "You are the only host. Make somebody else a host first.",
  held: "They have to be let to speak first.",
  "message-unknown": "That message is gone already.",
  "too-many-requests": "That was a lot at once. Wait a moment, then try again.",
  "room-unknown": "There is no such room.",
  "room-full": "That room is full.",
  "too-many-invitations": "This room has as many invitations as it may. Take some back first.",
  "invitation-unknown": "That invitation is gone already.",
  "token-expired": "Your place has expired. Join again.",
  "token-invalid": "Your place has expired. Join again.",
  unreachable: "The server can't be reached. Try again in a moment.",
  timeout: "The server did not answer. Try again in a moment.",
  "notifier-down": "The server can't reach the meeting right now. Try again in a moment.",
  "mcu-down": "The media server can't be reached right now. Try again in a moment.",
  "database-down": "The server's database can't be reached. The meeting goes on; try again in a moment.",
  "database-unsure": "The server's database was lost just then. See whether it was done before you try again.",
  unavailable: "The server is busy. Try again in a moment.",
});

/** @param {string} code of a problem @returns {string} a sentence */
export function meetingFault(code) {
  return FAULTS[code] ?? PROBLEMS[code] ?? "That did not work. Try again in a moment.";
}

/** While one waits at the door. @param {{ host_first: boolean, lobby: boolean }} room @returns {{ title: string, detail: string }} */
export function waitingWords(room) {
  if (room.host_first && !room.lobby) return { title: "The host is not here yet", detail: "The meeting begins when a host comes. This page opens by itself then." };
  return { title: "Please wait, somebody will let you in soon", detail: "The hosts see that you are here. Keep this page open: it goes on by itself when a host lets you in." };
}

/** @type {Record<import("../networktest.js").Way, string>} */
const WAY_NAMES = { udp: "UDP", tcp: "TCP", tls: "TLS" };
export const NO_TEST = "The test could not be made just now. Try again in a moment.";

/** What a test of the network has found. @param {import("../networktest.js").NetworkReport} report @returns {{ good: boolean, words: string }[]} */
export function networkWords({ direct, relays }) {
  const lines = [{ good: direct, words: direct ? "This browser may use the network for sound." : "The browser gives out no address: a setting or an extension may forbid WebRTC." }];
  if (!relays.length) return [...lines, { good: true, words: "There is no relay to try from here." }];
  if (relays.every(({ ms }) => ms === null)) return [...lines, { good: false, words: "No relay can be reached. A firewall may be in the way; if sound fails, try another network." }];
  return [...lines, ...relays.map(({ way, ms }) => ({ good: ms !== null, words: ms === null ? `The relay can't be reached by ${WAY_NAMES[way]}.` : `The relay is reached by ${WAY_NAMES[way]} in ${Math.round(ms)} ms.` }))];
}
