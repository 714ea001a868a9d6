/** What each close code of the events WebSocket means for the client (docs/wire.md), as a table. */

/**
 * @typedef {object} ClosePolicy
 * @property {"retry" | "refresh" | "end"} then  try again, get a new token first, or stop for good
 * @property {import("./text.js").EndReason} end  what the person reads when it stops
 * @property {number} patience  how many times in a row this is answered before it stops; Infinity: always
 * @property {number} minimum  wait at least this long before trying again, ms
 * @property {number} [spread]  and up to this much longer, at random: everybody was told at once, and is not to come at once, ms
 */

/** @type {Readonly<Record<number, ClosePolicy>>} */
export const CLOSE_CODES = Object.freeze({
  1012: { then: "retry", end: "lost", patience: Infinity, minimum: 0, spread: 5000 },
  4400: { then: "retry", end: "protocol", patience: 3, minimum: 0 },
  4401: { then: "refresh", end: "expired", patience: 3, minimum: 0 },
  4403: { then: "end", end: "removed", patience: 0, minimum: 0 },
  4408: { then: "retry", end: "lost", patience: Infinity, minimum: 0 },
  4409: { then: "end", end: "elsewhere", patience: 0, minimum: 0 },
  4429: { then: "retry", end: "lost", patience: Infinity, minimum: 2000 },
  4503: { then: "retry", end: "lost", patience: Infinity, minimum: 0, spread: 1000 },
});

/** @type {ClosePolicy} */
const BROKEN = { then: "retry", end: "lost", patience: Infinity, minimum: 0 };

/** A refused hello is closed with 4403 too; its reason is the code of the problem. @type {Readonly<Record<string, ClosePolicy>>} */
const REFUSED_HELLO = Object.freeze({
  "room-unknown": { then: "end", end: "room-unknown", patience: 0, minimum: 0 },
  "room-full": { then: "end", end: "room-full", patience: 0, minimum: 0 },
  "too-many-sessions": { then: "retry", end: "lost", patience: Infinity, minimum: 2000 },
});

/**
 * @param {number} code of the CloseEvent
 * @param {string} reason of the CloseEvent
 * @returns {ClosePolicy} a broken connection for every code that the table does not name
 */
export function closePolicy(code, reason = "") {
  return (code === 4403 ? REFUSED_HELLO[reason] : undefined) ?? CLOSE_CODES[code] ?? BROKEN;
}
